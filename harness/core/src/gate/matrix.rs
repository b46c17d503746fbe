//! How each row of the verification matrix stands after a run.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{JudgedScenario, ScenarioOutcome, Scope};
use crate::check::Verdict;
use crate::ids::LaneId;
use crate::matrix::{Part, ROWS, Row, row};
use crate::plan::Expectation;

pub fn is_row(name: &str) -> bool {
    row(name).is_some()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowVerdict {
    pub row: String,
    pub meaning: String,
    /// The worst of what its scenarios say; `Unknown` where a part of it was not seen.
    pub verdict: Verdict,
    pub scenarios: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<LaneId, BTreeSet<Part>>,
}

/// How every row stands. A row is valid where each lane saw each of its parts in honest scenarios that claim it and
/// passed, and where every scenario that claims it is valid. A known-bad one shows only that the checkers see. A lane
/// against itself shows nothing of the other one.
pub fn rows(scenarios: &[JudgedScenario], scope: &Scope) -> Vec<RowVerdict> {
    ROWS.iter().map(|row| stands(row, scenarios, scope)).collect()
}

fn stands(row: &Row, scenarios: &[JudgedScenario], scope: &Scope) -> RowVerdict {
    let claiming = || scenarios.iter().filter(|scenario| scenario.proves.iter().any(|claimed| claimed == row.name));
    let passed: Vec<_> = claiming()
        .filter(|scenario| scenario.expect == Expectation::Allow && scenario.outcome == ScenarioOutcome::Passed)
        .collect();
    let of_lane = |lane: LaneId| {
        let saw = |part: &Part| {
            let mut lanes = passed.iter().filter_map(|scenario| scenario.parts.get(&lane));
            lanes.any(|parts| parts.contains(part))
        };
        let missing: BTreeSet<Part> =
            row.parts.iter().copied().filter(|part| part.is_owed_by(lane) && !saw(part)).collect();
        (!missing.is_empty()).then_some((lane, missing))
    };
    let missing: BTreeMap<_, _> = scope.lanes_of(row.name).iter().copied().filter_map(of_lane).collect();
    let shown = missing.is_empty() && !row.parts.is_empty() && scope.aa.is_none() && !passed.is_empty();
    let floor = if shown { Verdict::Valid } else { Verdict::Unknown };
    RowVerdict {
        row: row.name.to_owned(),
        meaning: row.meaning.to_owned(),
        verdict: claiming().map(|scenario| scenario.verdict).fold(floor, Verdict::max),
        scenarios: claiming().map(|scenario| scenario.name.clone()).collect(),
        missing,
    }
}
