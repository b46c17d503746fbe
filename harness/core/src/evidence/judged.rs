//! What was judged of a run: the part of the evidence that recheck computes anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::{Finding, Verdict};
use crate::gate::{Decision, RowVerdict};
use crate::ids::{ClientId, FaultId, LaneId};
use crate::matrix::Part;
use crate::plan::Expectation;

/// Everything that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Each scenario, honest ones first, in order of their names.
    pub scenarios: Vec<JudgedScenario>,
    /// What the findings of all scenarios have in common, worst first; not there where nothing is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// Each row of the verification matrix, in its order.
    pub matrix: Vec<RowVerdict>,
    /// The decision.
    pub decision: Decided,
}

/// The decision, and why it is not *allow*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Whether the cutover may go on.
    pub allow: bool,
    /// The gate's own word for it.
    pub decision: Decision,
    /// Why it is not *allow*, a sentence each.
    pub reasons: Vec<String>,
    /// The exit code of `cutover gate`.
    pub exit_code: u8,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedScenario {
    /// Its name.
    pub name: String,
    /// `sha256:` of its file.
    pub digest: String,
    /// One line that says what it shows.
    pub title: String,
    /// The rows of the matrix that it proves.
    pub proves: Vec<String>,
    /// How many steps its script has, over all cases: the fewer, the better it reproduces a fault.
    #[serde(default)]
    pub steps: u64,
    /// What each lane saw of those rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<LaneId, BTreeSet<Part>>,
    /// What the gate had to make of it.
    pub expect: Expectation,
    /// What the gate makes of it: of a known-bad one that was caught, valid.
    pub verdict: Verdict,
    /// What that means for the gate.
    pub outcome: ScenarioOutcome,
    /// Why the outcome is not a good one, a sentence each.
    pub reasons: Vec<String>,
    /// Each checker's verdict, by name.
    pub checkers: BTreeMap<String, Verdict>,
    /// What was found, with witnesses: principal findings first, then their consequences.
    pub findings: Vec<JudgedFinding>,
    /// What is worth telling and decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<JudgedFinding>,
    /// How many more findings there were than are kept.
    pub left_out: u64,
    /// What each lane saw.
    pub seen: BTreeMap<LaneId, Seen>,
    /// Each planned fault on each lane that it strikes, and how often it fired.
    pub ledger: Vec<LedgerEntry>,
}

impl JudgedScenario {
    /// Whether a defect is planted in it, which the gate must catch.
    pub fn known_bad(&self) -> bool {
        matches!(self.expect, Expectation::Block { .. })
    }

    /// The findings that nothing else accounts for.
    pub fn principal(&self) -> impl Iterator<Item = &JudgedFinding> {
        self.findings.iter().filter(|finding| finding.explained_by.is_none())
    }
}

/// What a scenario's verdict means for the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioOutcome {
    /// An honest scenario without a finding.
    Passed,
    /// A known-bad scenario, blocked with exactly its findings.
    Caught,
    /// Not everything could be shown to be right.
    Unknown,
    /// An honest scenario with findings.
    Failed,
    /// A known-bad scenario that was not blocked with exactly its findings: the gate itself is not to be trusted.
    Missed,
}

impl ScenarioOutcome {
    /// The outcome's name as it stands in files and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            ScenarioOutcome::Passed => "passed",
            ScenarioOutcome::Caught => "caught",
            ScenarioOutcome::Unknown => "unknown",
            ScenarioOutcome::Failed => "failed",
            ScenarioOutcome::Missed => "missed",
        }
    }

    /// Whether the gate may allow with it.
    pub fn is_good(self) -> bool {
        matches!(self, ScenarioOutcome::Passed | ScenarioOutcome::Caught)
    }
}

/// A finding, with what it means in words and the records that bear it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedFinding {
    /// The finding as data.
    pub finding: Finding,
    /// What is wrong, in words.
    pub says: String,
    /// The finding that it only follows from, by its place in the list; `None` for a principal one.
    pub explained_by: Option<usize>,
    /// The first records that bear it out.
    pub shown_by: Vec<ShownBy>,
}

/// What several findings have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The lane; `None` where it is no one lane's.
    pub lane: Option<LaneId>,
    /// The checker.
    pub checker: String,
    /// The finding's reason.
    pub reason: String,
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What the lane did, in a sentence without a period.
    pub says: String,
    /// How many principal findings there are.
    pub findings: u64,
    /// How many findings only follow from them, by checker.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consequences: BTreeMap<String, u64>,
    /// The scenarios that show it, the smallest first: the fewest steps, then by name.
    pub scenarios: Vec<String>,
    /// The finding of the smallest scenario that shows it best, by its place there.
    pub witness: usize,
    /// Known-bad scenarios that were not caught with exactly their findings, since this was found as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<String>,
}

/// A record that bears a finding out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownBy {
    /// In which lane's history.
    pub lane: LaneId,
    /// On which line of the history file, from 1; the header is line 1.
    pub line: u64,
    /// The record.
    pub record: String,
}

/// What a lane saw of a scenario. Short of the plan's least, a green run is vacuous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Events applied by clients.
    pub deliveries: u64,
    /// Subscribes with a cursor that the lane accepted.
    pub resumes: u64,
    /// Resumes that the lane refused as stale.
    pub refusals: u64,
    /// Repeated deliveries that a client suppressed.
    pub duplicates: u64,
    /// Faults that fired.
    pub faults: u64,
    /// Connections that the lane ended without anything planned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unplanned_ends: u64,
    /// Connections that went silent, and publishes without an answer, without anything planned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unplanned_silences: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A planned fault on one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The fault.
    pub fault: FaultId,
    /// The lane.
    pub lane: LaneId,
    /// The client that it strikes.
    pub client: ClientId,
    /// How often it fired.
    pub fired: u64,
    /// What it first hit; `None` where it never fired.
    pub hit: Option<String>,
}
