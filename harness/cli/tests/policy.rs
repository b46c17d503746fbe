//! The policy that a run is judged by: its file, its phases, and what it lets pass.
#![allow(clippy::unwrap_used)]

mod support;

use cutover_core::gate::Decision;
use support::*;

/// The legacy lane against itself starts soonest.
const RUN: [&str; 5] = ["--aa", "legacy", "--scenario", "several-devices", "--no-known-bad"];

#[test]
fn the_default_policy_is_a_file_that_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let default = run(&["policy", "--default"]);
    let file = write(dir.path(), "policy.toml", &default.out);
    let read = run(&["policy", file.to_str().unwrap()]);
    assert_eq!((default.code, read.code), (0, 0), "{}", read.err);
    assert_eq!(run(&["policy"]).out, read.out);
    insta::assert_snapshot!(default.out);
}

#[test]
fn a_phase_that_the_policy_does_not_have_and_a_mistake_end_with_64() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "policy.toml", "schema = 1\n[phase.1]\nrows = []\n");
    let ran = run(&["gate", "--policy", file.to_str().unwrap(), "--phase", "2"]);
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("has no phase 2; it has 1"), "{}", ran.err);
    let file = write(dir.path(), "wrong.toml", "schema = 1\nmode = \"lenient\"\ncolour = 1\n");
    let ran = run(&["gate", "--policy", file.to_str().unwrap()]);
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("wrong.toml:2:8: unknown mode") && ran.err.contains("wrong.toml:3:1:"), "{}", ran.err);
    assert_eq!(run(&["gate", "--phase", "6"]).code, 64);
}

#[test]
fn an_advisory_policy_blocks_in_words_and_not_by_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let policy = "schema = 1\nmode = \"advisory\"\n[phase.1]\nrows = [\"multi-device\"]\n";
    let file = write(dir.path(), "policy.toml", policy);
    let args = [&RUN[..], &["--policy", file.to_str().unwrap(), "--phase", "1"]].concat();
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("BLOCK (ADVISORY)") && !ran.out.contains("ALLOW"), "{}", ran.out);
    assert!(ran.err.contains("the policy is advisory; the decision is block-unknown"), "{}", ran.err);
    let decision = evidence(dir.path(), "out").judged.decision;
    assert_eq!((decision.decision, decision.allow, decision.exit_code), (Decision::BlockUnknown, false, 0));
    assert_eq!(rechecked(dir.path(), "out"), 0);
    for page in ["index.html", "summary.md", "junit.xml"] {
        let page = std::fs::read_to_string(dir.path().join("out").join(page)).unwrap();
        assert!(page.contains("BLOCK (ADVISORY)"), "{page}");
    }
    let required = gate(dir.path(), "required", &[&args[..], &["--require-allow"]].concat());
    assert_eq!(required.code, 2, "{}{}", required.out, required.err);
}

#[test]
fn what_a_policy_lets_pass_is_on_every_page() {
    let dir = tempfile::tempdir().unwrap();
    let policy = "schema = 1\n[warn]\nrows = [\"multi-device\"]\n[[normalise]]\npointer = \"/at\"\n\
                reason = \"clock\"\nowner = \"sync team\"\nexpires = 9999-12-31\n";
    let file = write(dir.path(), "policy.toml", policy);
    let args = [&RUN[..], &["--policy", file.to_str().unwrap()]].concat();
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(rechecked(dir.path(), "out"), 0);
    let pages = ["index.html", "summary.md", "junit.xml"];
    let pages = pages.map(|page| std::fs::read_to_string(dir.path().join("out").join(page)).unwrap());
    for page in pages.iter().chain([&ran.out]) {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("only warns: it is unknown") && page.contains("2 waivers by the policy"), "{page}");
    }
}

#[test]
fn a_normaliser_that_has_expired_blocks_even_a_part_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let policy =
        "schema = 1\n[[normalise]]\npointer = \"/at\"\nreason = \"clock\"\nowner = \"me\"\nexpires = 2020-01-01\n";
    let file = write(dir.path(), "policy.toml", policy);
    let ran = gate(dir.path(), "out", &[&RUN[..], &["--policy", file.to_str().unwrap()]].concat());
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the normaliser of /at (owner: me) on 2020-01-01 has expired"), "{}", ran.out);
    assert_eq!(rechecked(dir.path(), "out"), 2);
}
