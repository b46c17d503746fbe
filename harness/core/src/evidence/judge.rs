//! Judges a run: checkers over every scenario, then the gate over all. Done once when a bundle is written and once when
//! it is rechecked, by the same code on the same recorded bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::causes;
use super::document::State;
use super::judged::{Decided, Judged, JudgedFinding, JudgedScenario, ScenarioOutcome, Seen, ShownBy};
use super::seen;
use crate::check::explain::{Explained, explain};
use crate::check::unplanned_end::are_many;
use crate::check::{CheckInput, Finding, Report, Verdict, judge_all};
use crate::gate::{self, Decision, Reason, Scope};
use crate::history::file::line_of;
use crate::ids::LaneId;
use crate::plan::Expectation;
use crate::policy::{Terms, normalised};

/// Up to so many scenarios that block for the same reason are named each; more are counted.
const MAX_NAMED: usize = 3;
const MAX_SHOWN: usize = 8;

/// Runs every checker on a scenario, and sorts the findings.
pub fn judge_scenario(input: &CheckInput<'_>) -> JudgedScenario {
    judge_reports(input, &judge_all(input))
}

/// The same by the terms of a policy: fields that may differ are not compared, and some findings only warn.
pub fn judge_by(input: &CheckInput<'_>, terms: &Terms) -> JudgedScenario {
    let [legacy, candidate] = LaneId::BOTH.map(|lane| normalised(input.plan, input.history(lane), &terms.normalise));
    let input = CheckInput { legacy: &legacy.0, candidate: &candidate.0, ..*input };
    let mut reports = judge_all(&input);
    let waived = gate::waive(&mut reports, &input.plan.expect, terms);
    let normalised = LaneId::BOTH.into_iter().zip([legacy.1, candidate.1]);
    let normalised = normalised.filter(|(_, touched)| !touched.is_empty()).collect();
    JudgedScenario { waived, normalised, ..judge_reports(&input, &reports) }
}

/// The same with one checker off, for the calibration.
pub fn judge_without(input: &CheckInput<'_>, checker: &str) -> JudgedScenario {
    let reports: Vec<Report> = judge_all(input).into_iter().filter(|report| report.checker != checker).collect();
    judge_reports(input, &reports)
}

pub(crate) fn judge_reports(input: &CheckInput<'_>, reports: &[Report]) -> JudgedScenario {
    let plan = input.plan;
    let explained = explain(reports);
    let (outcome, verdict) = gate::compare(&plan.expect, reports, &explained);
    let found = |finding: &Finding, explained_by| JudgedFinding {
        says: finding.describe(),
        shown_by: shown_by(finding, input),
        explained_by,
        finding: finding.clone(),
    };
    let principal = explained.principal.iter().map(|finding| found(finding, None));
    let consequences = explained.consequences.iter().map(|it| found(&it.finding, Some(it.explained_by)));
    JudgedScenario {
        name: plan.scenario.clone(),
        digest: plan.scenario_digest.clone(),
        title: plan.title.clone(),
        proves: plan.proves.clone(),
        parts: gate::parts(input),
        steps: plan.cases.iter().map(|case| case.steps.len() as u64).sum(),
        expect: plan.expect.clone(),
        verdict,
        outcome,
        reasons: reasons(&plan.expect, outcome, &explained),
        checkers: reports.iter().map(|report| (report.checker.to_owned(), report.verdict)).collect(),
        measured: reports.iter().flat_map(|report| report.compared.clone()).collect(),
        left_out: reports.iter().map(|report| report.left_out).sum(),
        findings: principal.chain(consequences).collect(),
        waived: BTreeMap::new(),
        normalised: BTreeMap::new(),
        warnings: explained.warnings.iter().map(|finding| found(finding, None)).collect(),
        passed_over: seen::passed_over(input),
        seen: input.lanes().iter().map(|lane| (*lane, seen::seen(reports, *lane))).collect(),
        ledger: input.lanes().iter().flat_map(|lane| seen::ledger(plan, *lane, input.history(*lane))).collect(),
    }
}

/// The gate over all scenarios. They are put in order: honest ones first, each kind by name.
pub fn decide(mut scenarios: Vec<JudgedScenario>, scope: &Scope, state: &State) -> Judged {
    scenarios.sort_by(|a, b| (a.known_bad(), &a.name).cmp(&(b.known_bad(), &b.name)));
    let ruling = gate::decide(&scenarios, scope);
    let mut reasons = sentences(&ruling.reasons);
    let mut decision = ruling.decision;
    if *state != State::Complete {
        reasons.push("the run did not come to its end".to_owned());
        decision = decision.max(Decision::BlockUnknown);
    }
    for sentence in unplanned_ends(&scenarios) {
        reasons.push(sentence);
        decision = decision.max(Decision::BlockUnknown);
    }
    let advisory = scope.policy.is_advisory();
    // What a run found out that did not come to its end is no advice.
    let exit_code = if advisory && *state == State::Complete { 0 } else { decision.exit_code() };
    let allow = decision == Decision::Allow;
    let decision = Decided { allow, decision, reasons, exit_code, advisory, waived: ruling.waived };
    Judged { causes: causes::causes(&scenarios), scenarios, matrix: ruling.matrix, decision }
}

/// Lanes whose connections ended again and again in scenarios that are good each by itself, with nothing planned.
fn unplanned_ends(scenarios: &[JudgedScenario]) -> Vec<String> {
    let sum = |lane: LaneId, of: fn(&Seen) -> u64| -> u64 {
        let good = scenarios.iter().filter(|scenario| !scenario.known_bad() && scenario.outcome.is_good());
        good.filter_map(|scenario| scenario.seen.get(&lane)).map(of).sum()
    };
    let silences = |lane: LaneId| sum(lane, |seen| seen.unplanned_silences);
    let ends = |lane: LaneId| sum(lane, |seen| seen.unplanned_ends);
    let rate = |lane: LaneId| {
        let deliveries = sum(lane, |seen| seen.deliveries);
        format!("{} ended and {} went silent in {deliveries} deliveries on the {lane} lane", ends(lane), silences(lane))
    };
    let many = LaneId::BOTH.into_iter().filter(|lane| are_many(ends(*lane), silences(*lane), silences(lane.other())));
    many.map(|lane| format!("nothing planned that connections end: {}, {}", rate(lane), rate(lane.other()))).collect()
}

fn reasons(expect: &Expectation, outcome: ScenarioOutcome, explained: &Explained) -> Vec<String> {
    let (Expectation::Block { findings, lane }, ScenarioOutcome::Missed) = (expect, outcome) else {
        return Vec::new();
    };
    let on = |lane: Option<LaneId>| lane.map_or("no one lane", |lane| lane.as_str());
    let found = explained.principal.iter().map(|finding| format!("{} on {}", finding.checker, on(finding.lane)));
    let found: BTreeSet<String> = found.collect();
    let found = match found.is_empty() {
        true => "nothing was found".to_owned(),
        false => format!("found were {}", found.into_iter().collect::<Vec<_>>().join(", ")),
    };
    vec![format!("it must be caught with exactly {} on {lane}, but {found}", findings.join(", "))]
}

/// Reasons in sentences; where many scenarios have one reason, in one.
fn sentences(reasons: &[Reason]) -> Vec<String> {
    let alike = |reason: &Reason| {
        let same = |other: &&Reason| (&other.reason, other.verdict) == (&reason.reason, reason.verdict);
        reasons.iter().filter(same).count()
    };
    let mut told = BTreeSet::new();
    let mut sentences = Vec::new();
    for reason in reasons {
        let count = alike(reason);
        let many = match (reason.reason.as_str(), reason.verdict) {
            _ if count <= MAX_NAMED => None,
            ("findings", Verdict::Invalid) => Some(format!("{count} scenarios have findings")),
            ("findings", _) => Some(format!("{count} scenarios could not be shown to hold")),
            ("known-bad-not-caught", _) => Some(format!(
                "{count} scenarios plant a defect and were not caught with exactly their findings, so no passed \
                 scenario counts"
            )),
            _ => None,
        };
        match many {
            None => sentences.push(sentence(reason)),
            Some(many) if told.insert((reason.reason.as_str(), reason.verdict)) => sentences.push(many),
            Some(_) => {}
        }
    }
    sentences
}

fn sentence(reason: &Reason) -> String {
    let subject = &reason.subject;
    match (reason.reason.as_str(), reason.verdict) {
        ("nothing-ran", _) => "no honest scenario was run to its end".to_owned(),
        ("findings", Verdict::Invalid) => format!("{subject} has findings"),
        ("findings", _) => format!("{subject} could not be shown to hold"),
        ("known-bad-not-caught", _) => {
            format!("{subject} plants a defect and was not caught with exactly its findings, so no passed scenario counts")
        }
        ("row-not-proven", Verdict::Invalid) => format!("the matrix row {subject} is broken"),
        ("row-not-proven", _) => format!("the matrix row {subject} is not shown"),
        ("unknown-row", _) => format!("the matrix has no row {subject}"),
        ("unaccounted", _) => format!("these scenarios had to run and did not: {subject}"),
        ("not-run", _) => format!("{subject} built-in scenarios did not run"),
        ("known-bad-not-run", _) => {
            format!("{subject} built-in known-bad scenarios did not run, so the gate itself was not tested in full")
        }
        ("other-suite", _) => {
            "the run was of another suite of built-in scenarios than this tool has, so this tool can't tell whether it was \
             full; recheck it with the version that wrote it"
                .to_owned()
        }
        ("no-faults", _) => {
            "this run was without faults: it shows that scenarios are valid without them, and no more".to_owned()
        }
        ("against-itself", _) => {
            format!("the {subject} lane ran against itself: this shows nothing about the other lane")
        }
        ("stand-ins", _) => {
            "programs stood in the place of the harness's own clients, which see more of a lane".to_owned()
        }
        ("no-baseline", _) => {
            format!("phase {subject} of the policy asks for a run against baselines, and this one is not")
        }
        ("normaliser-expired", _) => {
            format!("the normaliser of {subject} has expired: mend the lane, or give it another day in the policy")
        }
        ("normaliser-unused", _) => {
            format!("the normaliser of {subject} touched no payload of a whole run: take it out of the policy")
        }
        (other, _) => format!("{other}: {subject}"),
    }
}

fn shown_by(finding: &Finding, input: &CheckInput<'_>) -> Vec<ShownBy> {
    let records = finding.witness.records.iter().take(MAX_SHOWN);
    let shown = records.filter_map(|at| {
        let record = input.history(at.lane).records.get(at.record)?;
        Some(ShownBy { lane: at.lane, line: line_of(at.record), record: super::shown::shown(record) })
    });
    shown.collect()
}
