//! An event table of SpacetimeDB 2: its rows come to who listens, and are not kept.

use std::path::Path;

use cutover_core::evidence::ScenarioOutcome;

use super::support::{Ran, evidence, text, write};
use super::{all_well, driven, repo};

/// A module with an event log, and an event table beside it.
const MODULE: &str = "spacetime/fixtures/signals";
const SCENARIOS: [&str; 2] = ["equal-streams", "signals-once"];

/// A run over the module, with a change of its profile.
fn over(dir: &Path, (from, to): (&str, &str), scenarios: &[&str]) -> Ran {
    let profile = std::fs::read_to_string(repo().join(MODULE).join("lane.toml")).unwrap();
    assert!(profile.contains(from));
    let profile = text(&write(dir, "lane.toml", &profile.replacen(from, to, 1)));
    let wasm = text(&repo().join(MODULE).join("cutover_fixture.wasm"));
    driven(dir, scenarios, &["--candidate", &profile, "--module", &wasm])
}

pub fn come_once(version: &str) {
    let dir = tempfile::tempdir().unwrap();
    let spoken = format!("subprotocols = [\"{version}.bsatn.spacetimedb\"]\n\n[events]");
    let ran = over(dir.path(), ("[events]", &spoken), &SCENARIOS);
    all_well(dir.path(), &ran, &SCENARIOS);
    let lane = &evidence(dir.path(), "out").lanes[&cutover_core::ids::LaneId::Candidate];
    assert!(lane.spoken.iter().all(|said| said.starts_with(version)), "{:?}", lane.spoken);
}

/// What is found in a scenario, as `checker/reason` on the candidate.
fn found(dir: &Path, with: &str) -> Vec<String> {
    let reducer = format!("table = \"signal\"\nreducer = \"{with}\"");
    let ran = over(dir, ("table = \"signal\"", &reducer), &SCENARIOS);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let judged = evidence(dir, "out").judged.scenarios;
    let failed: Vec<_> = judged.iter().filter(|one| one.outcome != ScenarioOutcome::Passed).collect();
    assert!(failed.len() == 1 && failed[0].name == "signals-once", "{}", ran.out);
    let principal = failed[0].findings.iter().filter(|finding| finding.explained_by.is_none());
    let words = principal.map(|judged| format!("{}/{}", judged.finding.checker, judged.finding.reason));
    let mut words: Vec<String> = words.collect();
    words.sort();
    words.dedup();
    words
}

pub fn told_wrongly() {
    let dir = tempfile::tempdir().unwrap();
    for reducer in ["send_signal_twice", "send_odd_signal"] {
        assert_eq!(found(&dir.path().join(reducer), reducer), ["reducer-rule/other-rows"], "{reducer}");
    }
}

pub fn kept() {
    let dir = tempfile::tempdir().unwrap();
    let found = found(dir.path(), "send_and_keep");
    assert!(!found.is_empty() && !found.contains(&"reducer-rule/other-rows".to_owned()), "{found:?}");
}

pub fn refused_on_v1() {
    let dir = tempfile::tempdir().unwrap();
    let spoken = "subprotocols = [\"v1.bsatn.spacetimedb\"]\n\n[events]";
    let ran = over(dir.path(), ("[events]", spoken), &SCENARIOS);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("reducer-rule"), "{}", ran.out);
}
