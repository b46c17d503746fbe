//! One scenario as it was judged: what was found, compared with what the scenario expects.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::explain::Explained;
use crate::check::{CheckInput, Finding, Report, Verdict, earned};
use crate::ids::{ClientId, FaultId, LaneId};
use crate::matrix::{self, Part};
use crate::plan::Expectation;
use crate::policy::Touched;
use crate::stats::Comparison;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedScenario {
    pub name: String,
    /// `sha256:` of its file.
    pub digest: String,
    pub title: String,
    pub proves: Vec<String>,
    /// How many steps its script has, over all cases: the fewer, the better it reproduces a fault.
    #[serde(default)]
    pub steps: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<LaneId, BTreeSet<Part>>,
    pub expect: Expectation,
    /// What the gate makes of it: of a known-bad one that was caught, valid.
    pub verdict: Verdict,
    pub outcome: ScenarioOutcome,
    pub reasons: Vec<String>,
    pub checkers: BTreeMap<String, Verdict>,
    pub findings: Vec<JudgedFinding>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<JudgedFinding>,
    /// What was measured on both lanes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<String, Comparison>,
    /// How many findings only warn by the policy, by checker and reason. They are among the warnings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waived: BTreeMap<String, u64>,
    /// In how many payloads each normaliser of the policy found another value than was published.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub normalised: BTreeMap<LaneId, Touched>,
    pub left_out: u64,
    /// The messages of each lane that no client understood and each passed over, with how often they came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<LaneId, BTreeMap<String, u64>>,
    pub seen: BTreeMap<LaneId, Seen>,
    /// Each planned fault on each lane that it strikes, and how often it fired.
    pub ledger: Vec<LedgerEntry>,
}

impl JudgedScenario {
    pub fn known_bad(&self) -> bool {
        matches!(self.expect, Expectation::Block { .. })
    }

    pub fn principal(&self) -> impl Iterator<Item = &JudgedFinding> {
        self.findings.iter().filter(|finding| finding.explained_by.is_none())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioOutcome {
    Passed,
    /// A known-bad scenario, blocked with exactly its findings.
    Caught,
    /// Not everything could be shown to be right.
    Unknown,
    Failed,
    /// A known-bad scenario that was not blocked with exactly its findings: the gate itself is not to be trusted.
    Missed,
}

impl ScenarioOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            ScenarioOutcome::Passed => "passed",
            ScenarioOutcome::Caught => "caught",
            ScenarioOutcome::Unknown => "unknown",
            ScenarioOutcome::Failed => "failed",
            ScenarioOutcome::Missed => "missed",
        }
    }

    pub fn is_good(self) -> bool {
        matches!(self, ScenarioOutcome::Passed | ScenarioOutcome::Caught)
    }
}

/// A finding, with what it means in words and the records that bear it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedFinding {
    pub finding: Finding,
    pub says: String,
    /// The finding that it only follows from, by its place in the list; `None` for a principal one.
    pub explained_by: Option<usize>,
    pub shown_by: Vec<ShownBy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownBy {
    pub lane: LaneId,
    /// On which line of the history file, from 1; the header is line 1.
    pub line: u64,
    pub record: String,
}

/// What a lane saw of a scenario. Short of the plan's least, a green run is vacuous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    pub deliveries: u64,
    pub resumes: u64,
    pub refusals: u64,
    pub duplicates: u64,
    pub faults: u64,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub fault: FaultId,
    pub lane: LaneId,
    pub client: ClientId,
    pub fired: u64,
    /// What it first hit; `None` where it never fired.
    pub hit: Option<String>,
}

/// What the gate makes of the findings of one scenario, and what that verdict is.
pub fn compare(expect: &Expectation, reports: &[Report], explained: &Explained) -> (ScenarioOutcome, Verdict) {
    // A report's own verdict counts findings that it had no room to keep.
    let worst = reports.iter().map(|report| report.verdict).max().unwrap_or(Verdict::Unknown);
    match (expect, worst) {
        (Expectation::Allow, Verdict::Valid) => (ScenarioOutcome::Passed, Verdict::Valid),
        (Expectation::Allow, Verdict::Unknown) => (ScenarioOutcome::Unknown, Verdict::Unknown),
        (Expectation::Allow, Verdict::Invalid) => (ScenarioOutcome::Failed, Verdict::Invalid),
        (Expectation::Block { findings, lane }, _) if is_caught(explained, findings, *lane) => {
            (ScenarioOutcome::Caught, elsewhere(explained, *lane).fold(Verdict::Valid, Verdict::max))
        }
        // Without a finding on the lane without the defect, the gate itself is in doubt.
        (Expectation::Block { lane, .. }, _) => {
            (ScenarioOutcome::Missed, elsewhere(explained, *lane).fold(Verdict::Unknown, Verdict::max))
        }
    }
}

/// The parts that each lane saw of the rows that a plan claims.
pub fn parts(input: &CheckInput<'_>) -> BTreeMap<LaneId, BTreeSet<Part>> {
    let plan = input.plan;
    let rows = plan.proves.iter().filter_map(|name| matrix::row(name));
    let claimed: BTreeSet<Part> = rows.flat_map(|row| row.parts).copied().collect();
    if claimed.is_empty() {
        return BTreeMap::new();
    }
    let of_lane = |lane: &LaneId| (*lane, earned(plan, input.history(*lane)).intersection(&claimed).copied().collect());
    input.lanes().iter().map(of_lane).collect()
}

/// Caught: the principal findings of the lane with the defect are of exactly the expected checkers. What the other lane
/// shows of its own hides no defect, and is judged as in an honest scenario.
fn is_caught(explained: &Explained, findings: &[String], lane: LaneId) -> bool {
    let on_lane = explained.principal.iter().filter(|finding| finding.lane == Some(lane));
    let found: BTreeSet<&str> = on_lane.map(|finding| finding.checker).collect();
    !findings.is_empty()
        && explained.principal.iter().all(|finding| finding.lane == Some(lane) || is_own(finding))
        && found == findings.iter().map(String::as_str).collect()
}

/// Whether a finding shows for sure what a lane does. What is unknown may come from the defect on the other one.
fn is_own(finding: &Finding) -> bool {
    finding.lane.is_some() && finding.verdict == Verdict::Invalid
}

/// The verdicts of what was found on the lane without the defect, or on no one lane.
fn elsewhere(explained: &Explained, lane: LaneId) -> impl Iterator<Item = Verdict> + '_ {
    let elsewhere = explained.principal.iter().filter(move |finding| finding.lane != Some(lane));
    elsewhere.map(|finding| finding.verdict)
}
