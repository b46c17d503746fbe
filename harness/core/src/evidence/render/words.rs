//! The words that every renderer uses alike: the headline, a finding's heading, a time, a state.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Finding, Verdict};
use crate::evidence::document::{Evidence, FireTime, LaneServer, State, Times};
use crate::evidence::judged::{JudgedFinding, JudgedScenario, LedgerEntry, ScenarioOutcome, ShownBy};
use crate::evidence::layout;
use crate::gate::{Decision, RowVerdict};
use crate::ids::LaneId;
use crate::matrix::{self, Part};
use crate::text::quoted;

/// The decision in a word, as people read it first.
pub fn decision(evidence: &Evidence) -> &'static str {
    match (&evidence.state, evidence.judged.decision.decision) {
        (State::Complete, decision) => word(decision),
        _ => "BLOCK",
    }
}

/// What runs as a lane, its version, and what was spoken with it.
pub fn lane_server(server: &LaneServer) -> String {
    let mut words = server.what.clone();
    if let Some(version) = &server.version {
        words.push_str(&format!(", {version}"));
    }
    if !server.spoken.is_empty() {
        let spoken: Vec<&str> = server.spoken.iter().map(String::as_str).collect();
        words.push_str(&format!("; spoken: {}", spoken.join("; ")));
    }
    words
}

/// A decision in a word.
fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "ALLOW",
        Decision::PassedInPart => "PASSED IN PART",
        Decision::NoDifference => "NO DIFFERENCE",
        Decision::ValidWithoutFaults => "VALID WITHOUT FAULTS",
        Decision::BlockUnknown | Decision::BlockInvalid => "BLOCK",
    }
}

/// The decision as programs read it. Of a run that did not come to its end it is a block, whatever was found by then.
pub fn decision_name(evidence: &Evidence) -> &'static str {
    let decision = evidence.judged.decision.decision;
    match evidence.state {
        State::Complete => decision.as_str(),
        _ => decision.max(Decision::BlockUnknown).as_str(),
    }
}

/// How a decision is marked: by colour at a terminal, by class on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Allow.
    Good,
    /// All that ran passed, and it decides nothing about a release.
    Open,
    /// Block.
    Bad,
}

impl From<Decision> for Tone {
    fn from(decision: Decision) -> Tone {
        match decision {
            Decision::Allow => Tone::Good,
            blocks if blocks.blocks() => Tone::Bad,
            _ => Tone::Open,
        }
    }
}

/// The tone of a run's decision. A run that did not come to its end blocks.
pub fn tone(evidence: &Evidence) -> Tone {
    match evidence.state {
        State::Complete => evidence.judged.decision.decision.into(),
        _ => Tone::Bad,
    }
}

/// The decision with the rows of the matrix that it rests on: `ALLOW, 5 of 16 rows shown`.
pub fn decision_and_rows(evidence: &Evidence) -> String {
    match tone(evidence) {
        Tone::Bad => decision(evidence).to_owned(),
        Tone::Good | Tone::Open => format!("{}, {}", decision(evidence), rows_shown(evidence)),
    }
}

/// How many rows of the matrix are shown: `5 of 16 rows shown`.
pub fn rows_shown(evidence: &Evidence) -> String {
    let matrix = &evidence.judged.matrix;
    let shown = matrix.iter().filter(|row| row.verdict == Verdict::Valid).count();
    format!("{shown} of {} rows shown", matrix.len())
}

/// What stands beside the decision: how it came about.
pub fn headline(evidence: &Evidence) -> String {
    let honest = evidence.judged.scenarios.iter().filter(|scenario| !scenario.known_bad());
    let bad = evidence.judged.scenarios.iter().filter(|scenario| scenario.known_bad());
    let passed = honest.clone().filter(|scenario| scenario.outcome.is_good()).count();
    let caught = bad.clone().filter(|scenario| scenario.outcome.is_good()).count();
    let mut text = format!("{passed} of {} passed", counted(honest.count(), "scenario", "scenarios"));
    let known_bad = bad.count();
    if known_bad > 0 {
        text.push_str(&format!(", {caught} of {known_bad} known-bad caught"));
    }
    let left_out = evidence.scope.left_out.len();
    if left_out > 0 {
        text.push_str(&format!(", {left_out} left out"));
    }
    let kind = kind(evidence);
    if !kind.is_empty() {
        text.push_str(&format!(", {}: no decision about a release", kind.join(", ")));
    }
    match &evidence.state {
        State::Complete => text,
        State::InProgress => format!("{text}; the run did not come to its end"),
        State::Interrupted { by } => format!("{text}; the run was interrupted by {by}"),
        State::Failed { why } => format!("{text}; the run could not go on: {why}"),
    }
}

/// What kind of run it was, where it was one that can't allow.
fn kind(evidence: &Evidence) -> Vec<String> {
    let scope = &evidence.scope;
    let mut kind = Vec::new();
    if evidence.judged.decision.decision == Decision::PassedInPart {
        kind.push("only a part of the gate ran".to_owned());
    }
    kind.extend(scope.aa.map(|lane| format!("the {lane} lane against itself")));
    if scope.no_faults {
        kind.push("without faults".to_owned());
    }
    kind
}

/// Why a row of the matrix is not shown; nothing where it is.
pub fn not_shown(evidence: &Evidence, verdict: &RowVerdict) -> Option<String> {
    if verdict.verdict == Verdict::Valid {
        return None;
    }
    if matrix::row(&verdict.row).is_none_or(|row| row.parts.is_empty()) {
        return Some("no checker covers it yet".to_owned());
    }
    if let Some(lane) = evidence.scope.aa {
        return Some(format!("the {lane} lane ran against itself"));
    }
    if verdict.scenarios.is_empty() {
        let left_out = evidence.scope.left_out_of(&verdict.row);
        return Some(match left_out.is_empty() {
            true => "no scenario of this run claims it".to_owned(),
            false => format!("only scenarios that were left out claim it: {}", left_out.join(", ")),
        });
    }
    // What a scenario that failed did not see is no part that is missing.
    let failed = evidence
        .judged
        .scenarios
        .iter()
        .filter(|scenario| !scenario.outcome.is_good() && verdict.scenarios.contains(&scenario.name));
    let failed: Vec<&str> = failed.map(|scenario| scenario.name.as_str()).collect();
    if !failed.is_empty() {
        return Some(format!("scenarios that claim it did not pass: {}", few(&failed)));
    }
    if verdict.missing.is_empty() {
        return Some("a scenario that claims it did not pass".to_owned());
    }
    let alike = LaneId::BOTH.map(|lane| verdict.missing.get(&lane));
    if let [Some(one), Some(other)] = alike
        && one == other
    {
        return Some(format!("missing on both lanes: {}{}", matrix::listed(one), not_ours(evidence, one)));
    }
    let lanes = verdict
        .missing
        .iter()
        .map(|(lane, parts)| format!("missing on {lane}: {}{}", matrix::listed(parts), not_ours(evidence, parts)));
    Some(lanes.collect::<Vec<_>>().join("; "))
}

/// Where a kill is missing and a server is not ours to kill, that this is why.
fn not_ours(evidence: &Evidence, parts: &BTreeSet<Part>) -> String {
    let outside = evidence.scope.lanes.iter().filter(|(_, means)| !means.is_ours());
    let lanes: Vec<_> = outside.map(|(lane, _)| lane.as_str()).collect();
    match parts.iter().any(|part| part.needs_a_kill()) && !lanes.is_empty() {
        true => format!(" (the server of {} is not ours to kill)", lanes.join(" and ")),
        false => String::new(),
    }
}

/// How many findings of a scenario stand behind the ones that are shown, as `3 more findings`; `None` where all are.
pub fn more_findings(scenario: &JudgedScenario, shown: usize) -> Option<String> {
    let more = scenario.findings.len().checked_sub(shown).filter(|more| *more > 0)?;
    Some(counted(more, "more finding", "more findings"))
}

/// The first three names, and how many more there are.
fn few(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if rest.len() > 1 => format!("{a}, {b}, {c} and {} others", rest.len()),
        _ => names.join(", "),
    }
}

/// A number and what is counted.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A finding's heading: what, where. `gap · candidate · run:a:events seq 5 · client c1`.
pub fn heading(finding: &Finding) -> String {
    let mut parts = vec![finding.checker.to_owned()];
    parts.push(finding.lane.map_or("both lanes together".to_owned(), |lane| lane.to_string()));
    if let Some(stream) = &finding.stream {
        parts.push(format!("{stream}{}", seqs(finding)));
    }
    if let Some(client) = &finding.client {
        parts.push(format!("client {client}"));
    }
    parts.join(" · ")
}

fn seqs(finding: &Finding) -> String {
    match (finding.seq, finding.witness.through) {
        (Some(first), Some(last)) => format!(" seq {first} to {last}"),
        (Some(seq), None) => format!(" seq {seq}"),
        (None, _) => String::new(),
    }
}

/// Where a record stands: the history file and its line.
pub fn place(scenario: &str, shown_by: &ShownBy) -> String {
    format!("{}:{}", layout::history(scenario, shown_by.lane), shown_by.line)
}

/// How long a scenario took, as `1.2 s`; nothing where nobody knows.
pub fn elapsed(times: Option<&Times>, scenario: &str) -> String {
    times.and_then(|times| times.scenarios_ms.get(scenario)).map(|ms| seconds(*ms)).unwrap_or_default()
}

/// Milliseconds as seconds with one decimal, rounded half up.
pub fn seconds(ms: u64) -> String {
    let tenths = (ms + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// When a fault or toxic first struck a lane, of a scenario.
pub fn first_fire<'t>(times: Option<&'t Times>, scenario: &str, entry: &LedgerEntry) -> Option<&'t FireTime> {
    let fires = times.and_then(|times| times.fires.get(scenario))?;
    fires.iter().find(|fire| fire.lane == entry.lane && fire.fault == entry.fault)
}

/// The outcome in a word. For a known-bad scenario, what it must be caught with is told elsewhere.
pub fn outcome(scenario: &JudgedScenario) -> &'static str {
    scenario.outcome.as_str()
}

/// Scenarios that are not as they should be, worst first; equal ones stay in their order.
pub fn troubled(evidence: &Evidence) -> Vec<&JudgedScenario> {
    let mut troubled: Vec<_> =
        evidence.judged.scenarios.iter().filter(|scenario| !scenario.outcome.is_good()).collect();
    troubled.sort_by_key(|scenario| std::cmp::Reverse(scenario.outcome));
    troubled
}

/// The warnings of a run, each with its scenario, in the order of scenarios.
pub fn warnings(evidence: &Evidence) -> impl Iterator<Item = (&JudgedScenario, &JudgedFinding)> {
    let scenarios = evidence.judged.scenarios.iter();
    scenarios.flat_map(|scenario| scenario.warnings.iter().map(move |warning| (scenario, warning)))
}

/// What was left out, by reason; each with its scenarios in order of names.
pub fn left_out(evidence: &Evidence) -> BTreeMap<&str, Vec<&str>> {
    let mut by_reason = BTreeMap::<&str, Vec<&str>>::new();
    for (scenario, reason) in &evidence.scope.left_out {
        by_reason.entry(reason).or_default().push(scenario);
    }
    by_reason
}

/// The findings of a known-bad scenario in a word each, as `gap ×3`.
pub fn finding_names(scenario: &JudgedScenario) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for finding in scenario.principal() {
        *counts.entry(finding.finding.checker).or_default() += 1;
    }
    let names = counts.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        _ => format!("{name} ×{count}"),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The program as it was called, so that the commands shown can be copied.
pub fn program(evidence: &Evidence) -> String {
    quoted(evidence.command.first().map_or("cutover", String::as_str))
}

/// The command that runs all of a run again.
pub fn reproduce_all(evidence: &Evidence) -> String {
    let globs = evidence.scope.chosen.iter().map(|glob| format!(" --scenario {}", quoted(glob)));
    format!("{}{}", evidence.reproduce, globs.collect::<String>())
}

/// The command that runs one scenario of a run again.
pub fn reproduce(evidence: &Evidence, scenario: &JudgedScenario) -> String {
    format!("{} --scenario {}", evidence.reproduce, quoted(&scenario.name))
}

/// How an outcome is marked where there is room for one character.
pub fn mark(outcome: ScenarioOutcome) -> char {
    match outcome {
        ScenarioOutcome::Passed | ScenarioOutcome::Caught => '✓',
        ScenarioOutcome::Unknown => '?',
        ScenarioOutcome::Failed | ScenarioOutcome::Missed => '✗',
    }
}
