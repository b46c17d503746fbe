//! What a report says of a run as a whole: how the decision came about, and what ran.

use std::collections::BTreeMap;

use super::words::{counted, seconds};
use crate::evidence::document::{Checkout, Evidence, LaneServer, State, Times};
use crate::evidence::speed;
use crate::gate::Decision;
use crate::ids::LaneId;

pub enum Piece {
    Text(String),
    Hash(String),
    Command(String),
}

pub fn word(evidence: &Evidence, decision: Decision) -> String {
    let word = match decision {
        Decision::Allow => "ALLOW",
        Decision::PassedInPart => "PASSED IN PART",
        Decision::NoDifference => "NO DIFFERENCE",
        Decision::ValidWithoutFaults => "VALID WITHOUT FAULTS",
        Decision::BlockUnknown | Decision::BlockInvalid => "BLOCK",
    };
    let baseline = if evidence.scope.baseline.is_some() { " AGAINST BASELINES" } else { "" };
    format!("{word}{baseline}{}", if evidence.judged.decision.advisory { " (ADVISORY)" } else { "" })
}

/// How much the policy let pass, behind what was shown.
pub fn waived(waived: &[String]) -> String {
    match waived.len() {
        0 => String::new(),
        count => format!(", {} by the policy", counted(count, "waiver")),
    }
}

pub fn lanes(evidence: &Evidence) -> Vec<(&'static str, String)> {
    evidence.lanes.iter().map(|(lane, running)| (lane.as_str(), server(running))).collect()
}

/// What runs as a lane, its version, and what was spoken with it.
fn server(server: &LaneServer) -> String {
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

/// How many scenarios passed, what kind of run it was, and whether it came to its end.
pub fn headline(evidence: &Evidence) -> String {
    let good = |known_bad: bool| {
        let of = evidence.judged.scenarios.iter().filter(|scenario| scenario.known_bad() == known_bad);
        let outcomes: Vec<bool> = of.map(|scenario| scenario.outcome.is_good()).collect();
        (outcomes.iter().filter(|good| **good).count(), outcomes.len())
    };
    let ((passed, honest), (caught, known_bad)) = (good(false), good(true));
    let mut text = format!("{passed} of {} passed", counted(honest, "scenario"));
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
    if evidence.scope.baseline.is_some() {
        text.push_str(", the candidate alone against baselines");
    }
    if evidence.judged.decision.advisory {
        text.push_str(", and the policy is advisory: it does not set the exit code");
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

pub fn facts(
    evidence: &Evidence,
    times: &Times,
    lanes: &[(&'static str, String)],
    reproduce: &str,
) -> Vec<(&'static str, Vec<Piece>)> {
    let text = |text: &str| vec![Piece::Text(text.to_owned())];
    let hash = |hash: &str| vec![Piece::Hash(hash.to_owned())];
    let scope = &evidence.scope;
    let took = times.elapsed_ms.map(|ms| format!(", took {}", seconds(ms))).unwrap_or_default();
    let mut facts = vec![
        ("run", text(&evidence.run)),
        ("state", text(&state(&evidence.state))),
        ("seed", hash(&evidence.seed.to_string())),
        ("started", text(&format!("{}{took}", times.started))),
    ];
    facts.extend(scope.aa.map(|lane| ("kind", text(&format!("the {lane} lane against itself")))));
    facts.extend(scope.baseline.iter().map(|baseline| ("baselines", text(baseline))));
    facts.extend(lanes.iter().map(|(lane, server)| (*lane, text(server))));
    facts.extend(evidence.toxiproxy.iter().map(|url| ("byte toxics", text(&format!("in the Toxiproxy at {url}")))));
    if !scope.policy.is_none() {
        let phase = scope.policy.phase.map_or(String::new(), |phase| format!("phase {phase} of "));
        let mut policy = text(&format!("{phase}policy.toml, "));
        policy.extend(hash(&scope.policy.digest));
        facts.push(("policy", policy));
    }
    facts.extend(passed_over(evidence).map(|says| ("passed over", text(&says))));
    facts.extend(speed::restores(times).iter().map(|says| ("restores", text(says))));
    if scope.no_faults {
        facts.push(("faults", text("left out, with all toxics: this run decides nothing about a release")));
    }
    facts.extend(evidence.environment.iter().map(|name| ("environment", text(name))));
    facts.extend(evidence.module_digest.iter().map(|digest| ("module", hash(digest))));
    let mut tool = text(&format!("{} {}", evidence.tool.name, evidence.tool.version));
    if let Some(from) = &evidence.tool.built_from {
        tool.extend(text(", built from "));
        tool.extend(checkout(from));
    }
    facts.push(("tool", tool));
    facts.extend(evidence.calibration.iter().map(|summary| ("calibrated", text(&summary.sentence()))));
    facts.extend(evidence.checkout.iter().map(|here| ("checkout", checkout(here))));
    facts.push(("command", vec![Piece::Command(evidence.command.join(" "))]));
    facts.push(("reproduce", vec![Piece::Command(reproduce.to_owned())]));
    facts
}

/// The messages that no client understood, summed over the scenarios.
fn passed_over(evidence: &Evidence) -> Option<String> {
    let mut counts: BTreeMap<(LaneId, &str), u64> = BTreeMap::new();
    for (lane, what, count) in evidence.judged.scenarios.iter().flat_map(|scenario| {
        let lanes = scenario.passed_over.iter();
        lanes.flat_map(|(lane, counts)| counts.iter().map(|(what, count)| (*lane, what.as_str(), *count)))
    }) {
        *counts.entry((lane, what)).or_default() += count;
    }
    let said = counts.into_iter().map(|((lane, what), count)| match count {
        1 => format!("{what} of the {lane} lane"),
        _ => format!("{what} of the {lane} lane ({count} times)"),
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn state(state: &State) -> String {
    match state {
        State::Complete => "complete".to_owned(),
        State::InProgress => "in progress, or ended hard".to_owned(),
        State::Interrupted { by } => format!("interrupted by {by}"),
        State::Failed { why } => format!("could not go on: {why}"),
    }
}

fn checkout(checkout: &Checkout) -> Vec<Piece> {
    let edited = if checkout.dirty { ", with edits" } else { "" };
    vec![Piece::Hash(checkout.commit.clone()), Piece::Text(edited.to_owned())]
}
