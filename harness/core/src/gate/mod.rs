//! The gate: verdicts of scenarios become one decision, and it fails closed.
//!
//! The worst verdict wins and nothing upgrades one: `Unknown` never becomes allow, a known-bad scenario that was not
//! caught takes the trust from all others, and having run nothing is not having found nothing. *Allow* is for a full
//! run alone; a run of another scope that found nothing has a decision of its own.
#![allow(missing_docs, reason = "the names say it")]

pub mod fit;
mod matrix;
mod module;
mod scenario;
mod scope;
#[cfg(test)]
mod tests;
mod updates;
mod waive;

pub use matrix::{RowVerdict, is_row, rows};
pub use scenario::{JudgedFinding, JudgedScenario, LedgerEntry, ScenarioOutcome, Seen, ShownBy, compare, parts};
pub use scope::{Asked, DRAWN, Scope, Shortfall, drawn_name, suite_digest};
pub use waive::waive;

use serde::{Deserialize, Serialize};

use crate::check::{Verdict, client};
use crate::plan::Expectation;

/// What the gate says, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The legacy lane may go: every scenario that these lanes can run passed, and every planted defect was caught.
    Allow,
    /// All that ran passed, but not everything ran.
    PassedInPart,
    /// A lane against itself gave no finding. That says nothing about the other lane.
    NoDifference,
    /// Every scenario is valid without its faults. That says nothing about whether the legacy lane may go.
    ValidWithoutFaults,
    BlockUnknown,
    BlockInvalid,
}

impl Decision {
    /// The process's exit code: 0 where all that ran passed; 1 block for what is wrong, 2 block for what is unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Decision::BlockInvalid => 1,
            Decision::BlockUnknown => 2,
            _ => 0,
        }
    }

    pub fn blocks(self) -> bool {
        self >= Decision::BlockUnknown
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::PassedInPart => "passed-in-part",
            Decision::ValidWithoutFaults => "valid-without-faults",
            Decision::NoDifference => "no-difference",
            Decision::BlockUnknown => "block-unknown",
            Decision::BlockInvalid => "block-invalid",
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Decision {
        match verdict {
            Verdict::Valid => Decision::Allow,
            Verdict::Unknown => Decision::BlockUnknown,
            Verdict::Invalid => Decision::BlockInvalid,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub verdict: Verdict,
    /// What, in a short fixed word: `nothing-ran`, `findings`, `known-bad-not-caught`, `unknown-row`, `row-not-proven`,
    /// `unaccounted`, `not-run`, `known-bad-not-run`, `other-suite`, `no-faults`, `against-itself`,
    /// `normaliser-expired`, `normaliser-unused`, `no-baseline`.
    pub reason: String,
    /// The scenario or the matrix row, or how many scenarios of how many; empty where it is the run as a whole.
    pub subject: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub decision: Decision,
    pub reasons: Vec<Reason>,
    pub matrix: Vec<RowVerdict>,
    /// What the policy let pass, in sentences.
    pub waived: Vec<String>,
}

/// Decides. Order of scenarios is kept and does not matter.
pub fn decide(scenarios: &[JudgedScenario], scope: &Scope) -> Ruling {
    let matrix = rows(scenarios, scope);
    let mut reasons = wrong(scenarios, scope);
    if scope.policy.baseline && scope.baseline.is_none() {
        let phase = scope.policy.phase.map_or(String::new(), |phase| phase.to_string());
        reasons.push(Reason::new(Verdict::Unknown, "no-baseline", &phase));
    }
    reasons.extend(waive::stale_normalisers(scenarios, scope));
    reasons.extend(rows_not_shown(&matrix, scope));
    let unaccounted = scope.unaccounted(scenarios);
    if !unaccounted.is_empty() {
        reasons.push(Reason::new(Verdict::Unknown, "unaccounted", &some_of(&unaccounted)));
    }
    let limits = limits(scenarios, scope);
    // Where something is wrong or did not run, that is the reason for a row that lacks something.
    if reasons.is_empty() && limits.is_empty() {
        let lacking = matrix.iter().filter(|row| scope.lacks(row));
        reasons.extend(lacking.map(|row| Reason::new(Verdict::Unknown, "row-not-proven", &row.row)));
    }
    let worst = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Valid);
    let weaker = limits.iter().map(|(decision, _)| *decision).max();
    let decision = Decision::from(worst).max(weaker.unwrap_or(Decision::Allow));
    // What the run could not have allowed is no reason for a block.
    if worst == Verdict::Valid {
        reasons.extend(limits.into_iter().map(|(_, reason)| reason));
    }
    Ruling { waived: waive::waived(scenarios, &matrix, scope), decision, reasons, matrix }
}

impl Reason {
    fn new(verdict: Verdict, reason: &str, subject: &str) -> Reason {
        Reason { verdict, reason: reason.to_owned(), subject: subject.to_owned() }
    }
}

fn wrong(scenarios: &[JudgedScenario], scope: &Scope) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut blame = |verdict, reason, subject: &str| reasons.push(Reason::new(verdict, reason, subject));
    // A defect that was caught proves that the gate catches defects. It proves nothing about the lanes.
    if !scenarios.iter().any(|scenario| scenario.expect == Expectation::Allow) {
        blame(Verdict::Unknown, "nothing-ran", "");
    }
    for scenario in scenarios {
        let verdict = scenario.verdict.max(Verdict::Unknown);
        match scenario.outcome {
            ScenarioOutcome::Passed | ScenarioOutcome::Caught if scenario.verdict == Verdict::Valid => {}
            _ if waive::only_warns(scenario, scope) => {}
            ScenarioOutcome::Missed => blame(verdict, "known-bad-not-caught", &scenario.name),
            _ => blame(verdict, "findings", &scenario.name),
        }
        for row in scenario.proves.iter().filter(|row| !is_row(row)) {
            blame(Verdict::Unknown, "unknown-row", row);
        }
    }
    reasons
}

fn rows_not_shown(matrix: &[RowVerdict], scope: &Scope) -> Vec<Reason> {
    let enforced = |row: &RowVerdict| scope.enforced_rows.contains(&row.row);
    let open = matrix.iter().filter(|row| row.verdict != Verdict::Valid && enforced(row));
    let open = open.map(|row| Reason::new(row.verdict, "row-not-proven", &row.row));
    let unknown = scope.enforced_rows.iter().filter(|row| !is_row(row));
    let unknown = unknown.map(|row| Reason::new(Verdict::Unknown, "unknown-row", row));
    open.chain(unknown).collect()
}

/// Why a run in which nothing is wrong says less than *allow*, and what it says instead.
fn limits(scenarios: &[JudgedScenario], scope: &Scope) -> Vec<(Decision, Reason)> {
    let mut limits = Vec::new();
    let mut limit = |decision, reason, subject: &str| {
        limits.push((decision, Reason::new(Verdict::Valid, reason, subject)));
    };
    if let Some(lane) = scope.aa {
        limit(Decision::NoDifference, "against-itself", lane.as_str());
    }
    if scope.no_faults {
        limit(Decision::ValidWithoutFaults, "no-faults", "");
        return limits;
    }
    let stands_in = |finding: &JudgedFinding| finding.finding.reason == &client::STAND_IN;
    if scenarios.iter().flat_map(|scenario| &scenario.warnings).any(stands_in) {
        limit(Decision::PassedInPart, "stand-ins", "");
    }
    let short = scope.shortfall(scenarios);
    if short.other_suite {
        limit(Decision::PassedInPart, "other-suite", "");
    }
    for (missing, known_bad, reason) in
        [(&short.honest, false, "not-run"), (&short.known_bad, true, "known-bad-not-run")]
    {
        if !missing.is_empty() {
            limit(Decision::PassedInPart, reason, &count_of(missing, Shortfall::of(known_bad)));
        }
    }
    limits
}

/// How many of how many; by name where they are few.
fn count_of(missing: &[String], all: usize) -> String {
    let names = match missing.len() {
        1..=MAX_NAMED => format!(" ({})", missing.join(", ")),
        _ => String::new(),
    };
    format!("{} of {all}{names}", missing.len())
}

fn some_of(names: &[String]) -> String {
    match names.len().checked_sub(MAX_NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..MAX_NAMED].join(", ")),
        _ => names.join(", "),
    }
}

const MAX_NAMED: usize = 5;
