//! Runs that block, through the built binary: they end early, and say what is wrong in few words.
#![allow(clippy::unwrap_used)]

mod support;

use cutover_core::evidence::repeat::repeated;
use cutover_core::evidence::{Evidence, ScenarioOutcome, State};
#[cfg(feature = "engine")]
use cutover_core::ids::LaneId;
use cutover_core::ids::Seed;
use support::*;

/// One event after the other, each waited for: the one that is left out is the last one for as long as nobody asks
/// again.
const IN_STEP: &str = r#"schema = 1
name = "NAME"
title = "Events reach a client one by one"
proves = ["replay-determinism"]
streams = [{ topic = "run:alpha:events" }]
clients = [{ name = "desk" }]
steps = [
  { do = "connect" },
  { do = "publish", stream = "run:alpha:events", count = 5, pace = "lockstep" },
  { do = "await" },
]
at_least = { deliveries = 5 }
"#;

fn in_step(dir: &std::path::Path, names: &[&str]) -> String {
    for name in names {
        write(dir, &format!("scenarios/{name}.toml"), &IN_STEP.replace("NAME", name));
    }
    text(&dir.join("scenarios"))
}

#[test]
#[cfg(feature = "engine")]
fn a_wait_ends_early_where_a_live_event_does_not_come_and_the_fault_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::broken("skip-live", &dir.path().join("legacy"));
    let scenarios = in_step(dir.path(), &["in-step"]);
    let ran = gate(dir.path(), "out", &["--legacy", &legacy.url(), "--scenarios", &scenarios]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let judged = evidence(dir.path(), "out").judged;
    let causes: Vec<_> =
        judged.causes.iter().map(|cause| (cause.lane, cause.checker.as_str(), cause.reason.as_str())).collect();
    assert_eq!(causes, [(Some(LaneId::Legacy), "gap", "not-live")], "{}", ran.out);
    // The client asked again and got it, so that no bound was reached. A heartbeat had named the event as sent.
    let reasons: Vec<_> = judged.scenarios[0].findings.iter().map(|found| found.finding.reason.word).collect();
    assert_eq!(reasons, ["not-live", "watermark"], "{}", ran.out);
}

#[test]
fn the_first_failure_ends_a_run_that_is_to_fail_fast() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = in_step(dir.path(), &["a", "b", "c"]);
    // Both lanes are the broken service.
    let legacy = Server::broken("skip-live", &dir.path().join("legacy"));
    let args = ["--aa", "legacy", "--legacy", &legacy.url(), "--scenarios", &scenarios, "--jobs", "1", "--fail-fast"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let evidence = evidence(dir.path(), "out");
    let driven: Vec<_> = evidence.judged.scenarios.iter().map(|it| (it.name.as_str(), it.outcome)).collect();
    assert_eq!(driven, [("a", ScenarioOutcome::Failed)]);
    assert!(matches!(&evidence.state, State::Interrupted { by } if by.contains("--fail-fast")), "{:?}", evidence.state);
    assert!(ran.out.contains("--fail-fast") && !ran.out.contains("ALLOW"), "{}", ran.out);
}

#[test]
fn a_run_without_a_failure_is_not_cut_short_by_fail_fast() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = in_step(dir.path(), &["a", "b"]);
    let ran = gate(dir.path(), "out", &["--aa", "legacy", "--scenarios", &scenarios, "--fail-fast"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(evidence(dir.path(), "out").state, State::Complete);
}

#[test]
fn a_repeated_run_says_how_often_a_finding_came_back_and_the_worst_run_decides() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = in_step(dir.path(), &["a"]);
    let legacy = Server::broken("skip-live", &dir.path().join("legacy"));
    let args = ["--aa", "legacy", "--legacy", &legacy.url(), "--scenarios", &scenarios, "--repeat", "2"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 of 2 runs; 12 clean runs"), "{}", ran.out);
    let seeds = ["out/run-1", "out/run-2"].map(|run| evidence(dir.path(), run).seed.0);
    assert_eq!(seeds[1], seeds[0] + 1);
    assert_eq!(rechecked(dir.path(), "out"), 1);
}

#[test]
fn a_repeated_run_without_one_of_its_runs_does_not_hold_whatever_is_said_of_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = in_step(dir.path(), &["a"]);
    let ran = gate(dir.path(), "out", &["--aa", "legacy", "--scenarios", &scenarios, "--repeat", "3"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let out = dir.path().join("out");
    assert_eq!(rechecked(dir.path(), "out"), 0);
    std::fs::rename(out.join("run-3"), dir.path().join("kept")).unwrap();
    assert_eq!(rechecked(dir.path(), "out"), 1);

    // What was asked for is said to be what is left.
    let says = |seed: u64, runs: &[Evidence]| {
        let asked = u32::try_from(runs.len()).unwrap();
        let said = repeated(Seed(seed), asked, runs);
        std::fs::write(out.join("repeat.json"), said.to_bytes()).unwrap();
        run(&["recheck", &text(&out)])
    };
    let [first, second] = ["run-1", "run-2"].map(|run| evidence(&out, run));
    let ran = says(7, &[first, second.clone()]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let told = "run-2 says that it is run 2 of 3 from seed 7; here it is run 2 of 2 from seed 7";
    assert!(ran.out.contains(told), "{}", ran.out);

    // The first run is taken out, and the others take the places before theirs.
    std::fs::remove_dir_all(out.join("run-1")).unwrap();
    std::fs::rename(out.join("run-2"), out.join("run-1")).unwrap();
    std::fs::rename(dir.path().join("kept"), out.join("run-2")).unwrap();
    let third = evidence(&out, "run-2");
    let ran = says(8, &[second, third]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let told = "run-1 says that it is run 2 of 3 from seed 7; here it is run 1 of 2 from seed 8";
    assert!(ran.out.contains(told), "{}", ran.out);
}
