//! One scenario's verdict: what was found, held against what the scenario expects.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::explain::{Consequence, Explained, explain};
use crate::check::{CheckInput, Finding, Report, Verdict, check_all, earned};
use crate::history::History;
use crate::ids::LaneId;
use crate::matrix::{self, Part};
use crate::plan::{Expectation, Plan};

/// What became of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An honest scenario without findings.
    Clean,
    /// An honest scenario with findings.
    Blocked,
    /// A known-bad scenario, blocked with exactly its findings.
    Caught,
    /// A known-bad scenario that was not: the checkers can't be trusted.
    NotCaught,
}

/// A scenario's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioVerdict {
    /// Its name.
    pub scenario: String,
    /// `sha256:` of its file.
    pub digest: String,
    /// The matrix rows that it names.
    pub proves: Vec<String>,
    /// What each lane saw of the rows that it claims.
    pub parts: BTreeMap<LaneId, BTreeSet<Part>>,
    /// What it expects.
    pub expect: Expectation,
    /// What became of it.
    pub outcome: Outcome,
    /// What the gate makes of it: of a known-bad one that was caught, valid.
    pub verdict: Verdict,
    /// The findings that nothing else accounts for.
    pub principal: Vec<Finding>,
    /// Their consequences.
    pub consequences: Vec<Consequence>,
    /// What is worth telling and decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
}

impl ScenarioVerdict {
    /// Checks one scenario's histories and holds the findings against its expectation.
    pub fn of(input: &CheckInput<'_>) -> ScenarioVerdict {
        let reports = check_all(input);
        let histories = [input.legacy, input.candidate];
        ScenarioVerdict::from_reports(input.plan, histories, &reports)
    }

    /// Holds reports against an expectation.
    pub fn from_reports(plan: &Plan, histories: [&History; 2], reports: &[Report]) -> ScenarioVerdict {
        let expect = &plan.expect;
        // A report's own verdict heeds findings that it had no room to keep.
        let worst = reports.iter().map(|report| report.verdict).max().unwrap_or(Verdict::Unknown);
        let explained = explain(reports);
        let (outcome, verdict) = match expect {
            Expectation::Allow if worst == Verdict::Valid => (Outcome::Clean, Verdict::Valid),
            Expectation::Allow => (Outcome::Blocked, worst),
            Expectation::Block { findings, lane } if is_caught(&explained, findings, *lane) => {
                (Outcome::Caught, Verdict::Valid)
            }
            Expectation::Block { lane, .. } => (Outcome::NotCaught, not_caught(&explained, *lane)),
        };
        ScenarioVerdict {
            scenario: plan.scenario.clone(),
            digest: plan.scenario_digest.clone(),
            parts: parts(plan, histories),
            proves: plan.proves.clone(),
            expect: expect.clone(),
            outcome,
            verdict,
            principal: explained.principal,
            consequences: explained.consequences,
            warnings: explained.warnings,
        }
    }
}

/// The parts that each lane saw of the rows that a plan claims.
fn parts(plan: &Plan, histories: [&History; 2]) -> BTreeMap<LaneId, BTreeSet<Part>> {
    let rows = plan.proves.iter().filter_map(|name| matrix::row(name));
    let claimed: BTreeSet<Part> = rows.flat_map(|row| row.parts).copied().collect();
    if claimed.is_empty() {
        return BTreeMap::new();
    }
    let of_lane = |(lane, history)| (lane, earned(plan, history).intersection(&claimed).copied().collect());
    LaneId::BOTH.into_iter().zip(histories).map(of_lane).collect()
}

/// Caught: the principal findings are of exactly the expected checkers, and all on the lane with the defect.
fn is_caught(explained: &Explained, findings: &[String], lane: LaneId) -> bool {
    !findings.is_empty()
        && explained.principal.iter().all(|finding| finding.lane == Some(lane))
        && explained.checkers() == findings.iter().map(String::as_str).collect()
}

/// What was found on the lane without the defect is a finding like any other; else it is the gate that can't be trusted.
fn not_caught(explained: &Explained, lane: LaneId) -> Verdict {
    let elsewhere = explained.principal.iter().filter(|finding| finding.lane != Some(lane));
    elsewhere.map(|finding| finding.verdict).fold(Verdict::Unknown, Verdict::max)
}
