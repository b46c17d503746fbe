//! The rows of the verification matrix, and why one is not shown.

use std::collections::BTreeSet;

use crate::check::Verdict;
use crate::evidence::document::Evidence;
use crate::gate::RowVerdict;
use crate::ids::LaneId;
use crate::matrix::{self, Part};

pub struct Row<'a> {
    pub name: &'a str,
    pub meaning: &'a str,
    pub verdict: Verdict,
    /// Whether the gate blocks where it is not shown.
    pub enforced: bool,
    pub scenarios: &'a [String],
    pub why_not: Option<String>,
}

pub fn rows(evidence: &Evidence) -> Vec<Row<'_>> {
    let row = |row| Row {
        why_not: why_not(evidence, row),
        name: &row.row,
        meaning: &row.meaning,
        verdict: row.verdict,
        enforced: evidence.scope.enforced_rows.contains(&row.row),
        scenarios: &row.scenarios,
    };
    evidence.judged.matrix.iter().map(row).collect()
}

fn why_not(evidence: &Evidence, row: &RowVerdict) -> Option<String> {
    if row.verdict == Verdict::Valid {
        return None;
    }
    if matrix::row(&row.row).is_none_or(|known| known.parts.is_empty()) {
        return Some("no checker covers it yet".to_owned());
    }
    if let Some(lane) = evidence.scope.aa {
        return Some(format!("the {lane} lane ran against itself"));
    }
    if row.scenarios.is_empty() {
        let left_out = evidence.scope.left_out_of(&row.row);
        return Some(match left_out.is_empty() {
            true => "no scenario of this run claims it".to_owned(),
            false => format!("only scenarios that were left out claim it: {}", left_out.join(", ")),
        });
    }
    let bad = evidence.judged.scenarios.iter().filter(|scenario| !scenario.outcome.is_good());
    // A part that only a failed scenario would have shown does not count as missing.
    let failed: Vec<&str> =
        bad.map(|scenario| &scenario.name).filter(|name| row.scenarios.contains(name)).map(String::as_str).collect();
    if !failed.is_empty() {
        return Some(format!("scenarios that claim it did not pass: {}", few(&failed)));
    }
    if row.missing.is_empty() {
        return Some("a scenario that claims it did not pass".to_owned());
    }
    let missing = |on: &str, parts| format!("missing on {on}: {}{}", matrix::listed(parts), not_ours(evidence, parts));
    if let [Some(one), Some(other)] = LaneId::BOTH.map(|lane| row.missing.get(&lane))
        && one == other
    {
        return Some(missing("both lanes", one));
    }
    let lanes = row.missing.iter().map(|(lane, parts)| missing(lane.as_str(), parts));
    Some(lanes.collect::<Vec<_>>().join("; "))
}

/// Why a kill is missing, where it is since a server was not started by this tool.
fn not_ours(evidence: &Evidence, parts: &BTreeSet<Part>) -> String {
    let outside = evidence.scope.lanes.iter().filter(|(_, means)| !means.is_ours());
    let lanes: Vec<_> = outside.map(|(lane, _)| lane.as_str()).collect();
    match parts.iter().any(|part| part.needs_a_kill()) && !lanes.is_empty() {
        true => format!(" (the server of {} was not started by this tool)", lanes.join(" and ")),
        false => String::new(),
    }
}

/// The first three names, and how many more there are.
fn few(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if rest.len() > 1 => format!("{a}, {b}, {c} and {} others", rest.len()),
        _ => names.join(", "),
    }
}
