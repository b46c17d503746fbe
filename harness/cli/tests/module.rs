//! Modules that are not this project's, through the built binary: the gate over them, and the check of their profiles.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "engine")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cutover_core::evidence::ScenarioOutcome;
use support::*;

struct Other {
    profile: String,
    wasm: String,
}

fn at(path: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path))
}

fn append_only() -> Other {
    let wasm = at("spacetime/fixtures/append-only/cutover_fixture.wasm");
    Other { profile: at("lanes/append-only.example.toml"), wasm }
}

fn renamed() -> Other {
    let wasm = at("spacetime/fixtures/renamed/cutover_fixture.wasm");
    Other { profile: at("spacetime/fixtures/renamed/lane.toml"), wasm }
}

fn driven(dir: &Path, name: &str, other: &Other, scenarios: &[&str]) -> Ran {
    let mut args = vec!["--candidate", &other.profile, "--module", &other.wasm];
    scenarios.iter().for_each(|scenario| args.extend(["--scenario", scenario]));
    gate(dir, name, &args)
}

/// The principal findings of the scenarios that failed, as `checker/reason`.
fn found(dir: &Path, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let scenarios = evidence(dir, name).judged.scenarios.into_iter();
    let failed =
        scenarios.filter(|scenario| !matches!(scenario.outcome, ScenarioOutcome::Passed | ScenarioOutcome::Caught));
    let reasons = failed.map(|scenario| {
        let principal = scenario.findings.iter().filter(|finding| finding.explained_by.is_none());
        let words = principal.map(|judged| format!("{}/{}", judged.finding.checker, judged.finding.reason));
        (scenario.name.clone(), words.collect())
    });
    reasons.collect()
}

const SCENARIOS: [&str; 12] = [
    "equal-streams",
    "key-conflict",
    "keys-per-stream",
    "hashes-checked",
    "seqs-checked",
    "stale-beyond-budget",
    "accept-conflict",
    "resume-after-cut",
    "future-cursor",
    "checkpoints-kept",
    "stale-below-floor",
    "drop-event",
];

#[test]
fn what_another_module_means_otherwise_is_found_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let ran = driven(dir.path(), "run", &append_only(), &SCENARIOS);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let found = found(dir.path(), "run");
    let expected: [(&str, &[&str]); 4] = [
        ("hashes-checked", &["hash-mismatch/declared-otherwise", "wrong-answer/accepted-a-wrong-hash"]),
        ("key-conflict", &["lost-write/another-payload-acknowledged"]),
        ("keys-per-stream", &["lost-write/key-of-another-stream"]),
        ("stale-beyond-budget", &["stale-cursor/stale-accepted"]),
    ];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let expected = expected.map(|(name, words)| (name.to_owned(), owned(words)));
    assert_eq!(found, BTreeMap::from(expected));
    // Both lanes accept a conflict here, and the planted one is caught all the same.
    let judged = evidence(dir.path(), "run").judged;
    let planted = judged.scenarios.iter().find(|scenario| scenario.name == "accept-conflict").unwrap();
    assert_eq!(planted.outcome, ScenarioOutcome::Caught);
    let left_out = evidence(dir.path(), "run").scope.left_out;
    assert!(left_out["stale-below-floor"].contains("retention"), "{left_out:?}");
    assert_eq!(rechecked(dir.path(), "run"), 1);
}

#[test]
fn a_module_that_keeps_the_contract_under_other_names_gives_no_finding() {
    let dir = tempfile::tempdir().unwrap();
    let mut scenarios = SCENARIOS.to_vec();
    scenarios.push("clients-counted");
    let ran = driven(dir.path(), "run", &renamed(), &scenarios);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(found(dir.path(), "run"), BTreeMap::new());
}

#[test]
fn a_name_that_the_module_does_not_have_ends_the_run_with_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let profile = std::fs::read_to_string(renamed().profile).unwrap();
    let wrong = profile.replace("table = \"journal\"", "table = \"diary\"").replace("\"{none}\", ", "");
    let other = Other { profile: text(&write(dir.path(), "wrong.toml", &wrong)), ..renamed() };
    let ran = driven(dir.path(), "run", &other, &["equal-streams"]);
    assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
    for words in ["the table `diary`", "bookmark, channel, journal, online", "5 arguments are given, and 6 are taken"] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
}

#[test]
fn a_check_of_a_profile_tries_every_step_and_says_which_fail() {
    let dir = tempfile::tempdir().unwrap();
    for other in [append_only(), renamed()] {
        let ran = run(&["lane", "check", &other.profile, "--module", &other.wasm]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("acknowledge a checkpoint") && !ran.out.contains("FAILS"), "{}", ran.out);
    }
    let profile = std::fs::read_to_string(renamed().profile).unwrap();
    let wrong = text(&write(dir.path(), "wrong.toml", &profile.replace("\"post\"", "\"send\"")));
    let ran = run(&["lane", "check", &wrong, "--module", &renamed().wasm]);
    assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("FAILS") && ran.out.contains("the reducer `send`"), "{}", ran.out);
}
