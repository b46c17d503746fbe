//! What the policy of a run lets pass: findings and rows that only warn, rows that need not be shown, and fields of
//! payloads that may differ. All of it is counted, and none of it upgrades a verdict without a word.

use std::collections::BTreeMap;

use super::{JudgedScenario, Reason, RowVerdict, Scope};
use crate::check::{Report, Verdict};
use crate::ids::LaneId;
use crate::matrix;
use crate::plan::Expectation;
use crate::policy::{Terms, name_of};

/// Makes warnings of the findings that only warn by the policy; returns how many of each there were. Those that a
/// known-bad scenario must be caught with stay as they are.
pub fn waive(reports: &mut [Report], expect: &Expectation, terms: &Terms) -> BTreeMap<String, u64> {
    let mut waived = BTreeMap::new();
    if terms.warn_findings.is_empty() {
        return waived;
    }
    let expected = |checker: &str| match expect {
        Expectation::Block { findings, .. } => findings.iter().any(|expected| expected == checker),
        Expectation::Allow => false,
    };
    for report in reports.iter_mut().filter(|report| !expected(report.checker)) {
        let decides = report.findings.iter_mut().filter(|finding| !finding.is_warning());
        for finding in decides.filter(|finding| terms.warns_of(finding)) {
            finding.verdict = Verdict::Valid;
            *waived.entry(name_of(finding)).or_default() += 1;
        }
        // Nothing is known of findings that had no room, so that they keep the verdict.
        if report.left_out == 0 {
            report.verdict = report.findings.iter().map(|finding| finding.verdict).max().unwrap_or(report.verdict);
        }
    }
    waived
}

/// Whether a scenario that is not good claims only rows that warn.
pub fn only_warns(scenario: &JudgedScenario, scope: &Scope) -> bool {
    let warns = |row: &String| scope.policy.warns_of_row(row);
    !scenario.known_bad() && !scenario.proves.is_empty() && scenario.proves.iter().all(warns)
}

/// Normalisers that are past their day, and those that a whole run had no use for.
pub fn stale_normalisers(scenarios: &[JudgedScenario], scope: &Scope) -> Vec<Reason> {
    let mut stale = Vec::new();
    for normaliser in &scope.policy.normalise {
        let subject = format!("{} (owner: {})", normaliser.name(), normaliser.owner);
        if normaliser.is_expired(&scope.policy.day) {
            let subject = format!("{subject} on {}", normaliser.expires);
            stale.push(Reason::new(Verdict::Unknown, "normaliser-expired", &subject));
        }
        let touched = LaneId::BOTH.into_iter().any(|lane| touched(scenarios, lane, &normaliser.name()) > 0);
        if !touched && scope.is_whole() && scope.unaccounted(scenarios).is_empty() {
            stale.push(Reason::new(Verdict::Unknown, "normaliser-unused", &subject));
        }
    }
    stale
}

fn touched(scenarios: &[JudgedScenario], lane: LaneId, normaliser: &str) -> u64 {
    let of_lane = scenarios.iter().filter_map(|scenario| scenario.normalised.get(&lane)?.get(normaliser));
    of_lane.sum()
}

/// What the policy let pass, a sentence each.
pub fn waived(scenarios: &[JudgedScenario], matrix: &[RowVerdict], scope: &Scope) -> Vec<String> {
    let terms = &scope.policy;
    let mut findings = BTreeMap::<&str, (u64, usize)>::new();
    for (name, count) in scenarios.iter().flat_map(|scenario| &scenario.waived) {
        let (all, in_scenarios) = findings.entry(name).or_default();
        *all += count;
        *in_scenarios += 1;
    }
    let findings = findings.iter().map(|(name, (count, scenarios))| {
        format!("{name} only warns, and does not block (findings: {count}, scenarios: {scenarios})")
    });
    let open = scenarios.iter().filter(|scenario| !scenario.outcome.is_good() && only_warns(scenario, scope));
    let open = open.map(|scenario| {
        let (name, verdict, rows) = (&scenario.name, scenario.verdict, scenario.proves.join(", "));
        format!("{name} is {verdict} and does not block: it claims only rows that warn ({rows})")
    });
    let rows = matrix.iter().filter(|row| row.verdict != Verdict::Valid).filter_map(|row| {
        let (name, verdict) = (&row.row, row.verdict);
        match terms.warns_of_row(name) {
            true => Some(format!("the row {name} only warns: it is {verdict}")),
            false if scope.requires(matrix::row(name)?) || scope.enforced_rows.contains(name) => None,
            false => scope.shows_less(row).then(|| {
                format!("the row {name} need not be shown: it is {verdict}, and these lanes can show more of it")
            }),
        }
    });
    let normalisers = terms.normalise.iter().map(|normaliser| {
        let name = normaliser.name();
        let [legacy, candidate] = LaneId::BOTH.map(|lane| touched(scenarios, lane, &name));
        let (owner, until, why) = (&normaliser.owner, &normaliser.expires, &normaliser.reason);
        format!(
            "{name} may differ until {until} (owner: {owner}; {why}): it did in {legacy} payloads on the legacy lane \
             and {candidate} on the candidate lane"
        )
    });
    findings.chain(open).chain(rows).chain(terms.wider_budgets()).chain(normalisers).collect()
}

#[cfg(test)]
mod tests;
