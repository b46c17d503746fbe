//! The gate: verdicts of scenarios become one decision, and it fails closed.
//!
//! The worst verdict wins and nothing upgrades one: `Unknown` never becomes allow, a known-bad scenario that was not
//! caught takes the trust from all others, and having run nothing is not having found nothing.

mod matrix;
mod scenario;
#[cfg(test)]
mod tests;

pub use matrix::{ROWS, RowVerdict, is_row, rows};
pub use scenario::{Outcome, ScenarioVerdict};

use serde::{Deserialize, Serialize};

use crate::check::Verdict;
use crate::plan::Expectation;

/// How strict the gate is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Whether a row of the matrix that is not proven blocks; otherwise it is only reported.
    pub enforce_matrix: bool,
    /// The rows that are enforced; all of them where this is empty.
    pub enforced_rows: Vec<String>,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The legacy lane may go, as far as this run goes.
    Allow,
    /// Every scenario is valid without its faults. That says nothing about whether the legacy lane may go.
    ValidWithoutFaults,
    /// Something could not be told.
    BlockUnknown,
    /// Something is wrong.
    BlockInvalid,
}

impl Decision {
    /// The process's exit code: 0 allow, or valid without faults; 1 block for what is wrong, 2 block for what could not be told.
    pub fn exit_code(self) -> u8 {
        match self {
            Decision::Allow | Decision::ValidWithoutFaults => 0,
            Decision::BlockInvalid => 1,
            Decision::BlockUnknown => 2,
        }
    }

    /// The decision's name as it stands in files and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::ValidWithoutFaults => "valid-without-faults",
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

/// Why the gate does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// How bad it is.
    pub verdict: Verdict,
    /// What, in a short fixed word: `nothing-ran`, `findings`, `known-bad-not-caught`, `unknown-row`, `row-not-proven`.
    pub reason: String,
    /// The scenario or the matrix row; empty where it is the run as a whole.
    pub subject: String,
}

/// The gate's decision, with all that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The decision.
    pub decision: Decision,
    /// Why it is not allow; empty where it is.
    pub reasons: Vec<Reason>,
    /// The matrix, row by row.
    pub matrix: Vec<RowVerdict>,
}

/// Decides. Order of scenarios is kept and does not matter.
pub fn decide(scenarios: &[ScenarioVerdict], policy: &Policy) -> Ruling {
    let mut reasons = Vec::new();
    let mut blame = |verdict, reason: &str, subject: &str| {
        reasons.push(Reason {
            verdict,
            reason: reason.to_owned(),
            subject: subject.to_owned(),
        });
    };
    // A defect that was caught says that the gate can see, not that it looked at the lanes.
    if !scenarios.iter().any(|scenario| scenario.expect == Expectation::Allow) {
        blame(Verdict::Unknown, "nothing-ran", "");
    }
    for scenario in scenarios {
        match scenario.outcome {
            Outcome::Clean | Outcome::Caught if scenario.verdict == Verdict::Valid => {}
            Outcome::NotCaught => {
                blame(
                    scenario.verdict.max(Verdict::Unknown),
                    "known-bad-not-caught",
                    &scenario.scenario,
                );
            }
            Outcome::Clean | Outcome::Caught | Outcome::Blocked => {
                blame(scenario.verdict.max(Verdict::Unknown), "findings", &scenario.scenario);
            }
        }
        for row in scenario.proves.iter().filter(|row| !is_row(row)) {
            blame(Verdict::Unknown, "unknown-row", row);
        }
    }
    let matrix = rows(scenarios);
    let enforced = |row: &str| {
        policy.enforce_matrix
            && (policy.enforced_rows.is_empty() || policy.enforced_rows.iter().any(|name| name == row))
    };
    for row in matrix
        .iter()
        .filter(|row| row.verdict != Verdict::Valid && enforced(&row.row))
    {
        blame(row.verdict, "row-not-proven", &row.row);
    }
    for row in policy
        .enforced_rows
        .iter()
        .filter(|row| policy.enforce_matrix && !is_row(row))
    {
        blame(Verdict::Unknown, "unknown-row", row);
    }
    let worst = reasons
        .iter()
        .map(|reason| reason.verdict)
        .max()
        .unwrap_or(Verdict::Valid);
    Ruling {
        decision: worst.into(),
        reasons,
        matrix,
    }
}
