//! The rows of the verification matrix as every report has them: how each stands, what each lane saw of it, and what is
//! missing and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Verdict;
use crate::evidence::document::Evidence;
use crate::gate::fit::{cannot_promise, cannot_show};
use crate::gate::{RowVerdict, Scope};
use crate::ids::LaneId;
use crate::matrix::{self, Part};
use crate::scenario::Scenario;
use crate::text::{Align, Table, markdown};

pub struct Row<'a> {
    pub name: &'a str,
    pub meaning: &'a str,
    pub verdict: Verdict,
    /// `shown`, `in part`, `not shown` or `broken`.
    pub word: &'static str,
    /// Whether a run has to show more of it than it did.
    pub required: bool,
    /// How many of its parts each lane saw, as `3/4`; legacy first.
    pub seen: [String; 2],
    pub scenarios: Vec<&'a str>,
    pub why_not: Option<String>,
}

/// What the table is.
pub const MATRIX: &str = "What each lane saw of the parts of each row, in scenarios that claim it and passed. A run of all \
                          scenarios has to show every part that these lanes can show.";

/// The heads of the columns of the table.
pub const HEADS: [&str; 6] = ["row", "standing", "legacy", "candidate", "scenarios", "why it is not shown"];

impl Row<'_> {
    /// How it stands, and whether it has to be shown.
    pub fn standing(&self) -> String {
        let owed = self.required && self.verdict != Verdict::Valid;
        format!("{}{}", self.word, if owed { ", required" } else { "" })
    }
}

/// For a screen, without the reasons.
pub fn table(rows: &[Row<'_>]) -> Table {
    let heads: Vec<_> = HEADS[..5].iter().enumerate().map(|(column, head)| (*head, align(column))).collect();
    let mut table = Table::new(&heads, 0);
    for row in rows {
        let [legacy, candidate] = row.seen.clone();
        table.row(vec![row.name.to_owned(), row.standing(), legacy, candidate, row.scenarios.len().to_string()]);
    }
    table
}

fn align(column: usize) -> Align {
    if column < 2 { Align::Left } else { Align::Right }
}

/// The reasons why rows are not shown, each with its rows.
pub fn reasons<'r>(rows: &'r [Row<'_>]) -> BTreeMap<&'r str, Vec<&'r str>> {
    let mut reasons = BTreeMap::<&str, Vec<&str>>::new();
    for row in rows {
        if let Some(why_not) = &row.why_not {
            reasons.entry(why_not).or_default().push(row.name);
        }
    }
    reasons
}

pub fn markdown_table(rows: &[Row<'_>]) -> String {
    let mut lines = vec![format!("| {} |", HEADS.join(" | ")), "|---|---|--:|--:|---|---|".to_owned()];
    for row in rows {
        let scenarios = if row.scenarios.is_empty() { "none".to_owned() } else { row.scenarios.join(", ") };
        let why_not = row.why_not.as_deref().unwrap_or_default();
        let [legacy, candidate] = &row.seen;
        let cells = [row.name, &row.standing(), legacy, candidate, &scenarios, why_not].map(markdown);
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

pub fn rows(evidence: &Evidence) -> Vec<Row<'_>> {
    evidence.judged.matrix.iter().map(|verdict| row(evidence, verdict)).collect()
}

fn row<'a>(evidence: &'a Evidence, verdict: &'a RowVerdict) -> Row<'a> {
    let (scope, known) = (&evidence.scope, matrix::row(&verdict.row));
    let owed = |lane| known.map_or(0, |row| owed(row, lane).count());
    let seen = |lane| owed(lane).saturating_sub(verdict.missing.get(&lane).map_or(0, BTreeSet::len));
    let any_seen = scope.lanes_of(&verdict.row).iter().any(|lane| seen(*lane) > 0) && scope.aa.is_none();
    Row {
        why_not: why_not(evidence, verdict),
        name: &verdict.row,
        meaning: &verdict.meaning,
        verdict: verdict.verdict,
        word: match verdict.verdict {
            Verdict::Valid => "shown",
            Verdict::Unknown if any_seen => "in part",
            Verdict::Unknown => "not shown",
            Verdict::Invalid => "broken",
        },
        required: scope.enforced_rows.contains(&verdict.row) || scope.lacks(verdict),
        seen: LaneId::BOTH.map(|lane| match scope.lanes_of(&verdict.row).contains(&lane) {
            true => share(seen(lane), owed(lane)),
            false => "-".to_owned(),
        }),
        scenarios: verdict.scenarios.iter().map(String::as_str).collect(),
    }
}

fn owed(row: &'static matrix::Row, lane: LaneId) -> impl Iterator<Item = Part> {
    row.parts.iter().copied().filter(move |part| part.is_owed_by(lane))
}

fn share(some: usize, all: usize) -> String {
    if all == 0 { "-".to_owned() } else { format!("{some}/{all}") }
}

/// The rows as a run of these scenarios over these lanes can show them.
pub fn planned<'a>(scope: &Scope, scenarios: &'a [Scenario]) -> Vec<Row<'a>> {
    matrix::ROWS.iter().map(|known| planned_row(scope, scenarios, known)).collect()
}

fn planned_row<'a>(scope: &Scope, scenarios: &'a [Scenario], known: &'static matrix::Row) -> Row<'a> {
    let honest = scenarios.iter().filter(|scenario| scenario.expect.is_none());
    let claiming = honest.filter(|scenario| scenario.proves.iter().any(|row| row == known.name));
    let (out, driven): (Vec<_>, Vec<_>) = claiming.partition(|scenario| scope.left_out.contains_key(&scenario.name));
    let cannot = |lane, part| scope.lanes.get(&lane).and_then(|means| cannot_show(part, lane, means));
    let can_show = |lane: LaneId| -> BTreeSet<Part> {
        let earned = driven.iter().filter_map(|scenario| scenario.earns.get(&lane)).flatten().copied();
        earned.filter(|part| owed(known, lane).any(|owed| owed == *part) && cannot(lane, *part).is_none()).collect()
    };
    let missing = LaneId::BOTH.map(|lane| {
        let can = can_show(lane);
        (lane, owed(known, lane).filter(|part| !can.contains(part)).collect::<BTreeSet<Part>>())
    });
    let all = known.parts.len();
    let is_whole = all > 0 && missing.iter().all(|(_, parts)| parts.is_empty());
    let any = LaneId::BOTH.into_iter().any(|lane| !can_show(lane).is_empty());
    Row {
        name: known.name,
        meaning: known.meaning,
        verdict: Verdict::Unknown,
        word: match (is_whole, any) {
            (true, _) => "can show",
            (false, true) => "in part",
            (false, false) => "cannot",
        },
        required: scope.requires(known),
        seen: LaneId::BOTH.map(|lane| share(can_show(lane).len(), owed(known, lane).count())),
        scenarios: driven.iter().map(|scenario| scenario.name.as_str()).collect(),
        why_not: match (all, is_whole, unpromised(known.name, scope)) {
            (0, ..) => Some(NO_CHECKER.to_owned()),
            (_, true, _) => None,
            (_, _, Some(why)) => Some(why),
            _ => Some(because(&missing, scope, &out.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>())),
        },
    }
}

/// Why no scenario can show a row on these lanes, whose part one of them does not promise.
fn unpromised(row: &str, scope: &Scope) -> Option<String> {
    let parts = matrix::row(row)?.parts;
    let of = |(lane, means): (&LaneId, _)| parts.iter().find_map(|part| cannot_promise(*part, *lane, means));
    scope.lanes.iter().find_map(of)
}

const NO_CHECKER: &str = "no checker covers it yet";

fn why_not(evidence: &Evidence, row: &RowVerdict) -> Option<String> {
    let scope = &evidence.scope;
    if row.verdict == Verdict::Valid {
        return None;
    }
    if matrix::row(&row.row).is_none_or(|known| known.parts.is_empty()) {
        return Some(NO_CHECKER.to_owned());
    }
    if let Some(lane) = scope.aa {
        return Some(format!("the {lane} lane ran against itself"));
    }
    let left_out = scope.left_out_of(&row.row);
    if let Some(why) = unpromised(&row.row, scope).filter(|_| row.scenarios.is_empty()) {
        return Some(why);
    }
    if row.scenarios.is_empty() {
        return Some(match left_out.is_empty() {
            true => "no scenario of this run claims it".to_owned(),
            false => format!("only scenarios that were left out claim it: {}", left_out.join(", ")),
        });
    }
    let bad = evidence.judged.scenarios.iter().filter(|scenario| !scenario.outcome.is_good());
    // A part that only a failed scenario would have shown does not count as missing.
    let failed: Vec<&str> = bad
        .map(|scenario| scenario.name.as_str())
        .filter(|name| row.scenarios.iter().any(|claiming| claiming == name))
        .collect();
    if !failed.is_empty() {
        return Some(format!("scenarios that claim it did not pass: {}", few(&failed)));
    }
    if row.missing.is_empty() {
        return Some("a scenario that claims it did not pass".to_owned());
    }
    let missing = row.missing.iter().map(|(lane, parts)| (*lane, parts.clone())).collect::<Vec<_>>();
    Some(because(&missing, scope, &left_out))
}

/// What is missing on each lane, why a lane can't show it, and the scenarios that were left out.
fn because(missing: &[(LaneId, BTreeSet<Part>)], scope: &Scope, left_out: &[&str]) -> String {
    let missing: Vec<_> = missing.iter().filter(|(_, parts)| !parts.is_empty()).collect();
    let reasons: BTreeSet<String> = missing
        .iter()
        .flat_map(|(lane, parts)| parts.iter().map(move |part| (*lane, *part)))
        .filter_map(|(lane, part)| cannot_show(part, lane, scope.lanes.get(&lane)?))
        .collect();
    let mut said: Vec<String> = match missing.as_slice() {
        [(_, one), (_, other)] if one == other => vec![format!("missing on both lanes: {}", matrix::listed(one))],
        _ => missing.iter().map(|(lane, parts)| format!("missing on {lane}: {}", matrix::listed(parts))).collect(),
    };
    if let Some(last) = said.last_mut().filter(|_| !reasons.is_empty()) {
        last.push_str(&format!(" ({})", reasons.into_iter().collect::<Vec<_>>().join("; ")));
    }
    if !left_out.is_empty() {
        said.push(format!("left out: {}", few(left_out)));
    }
    said.join("; ")
}

/// The first three names, and how many more there are.
fn few(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if rest.len() > 1 => format!("{a}, {b}, {c} and {} others", rest.len()),
        _ => names.join(", "),
    }
}
