//! Baselines: recorded of the legacy lane, judged against without it, and reviewed.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use cutover_core::gate::Decision;
use cutover_core::ids::LaneId;
use support::*;

const SCENARIO: [&str; 4] = ["--seed", "42", "--scenario", "several-devices"];

/// A command of ours in a place that is a CI, or is none.
fn ran(args: &[&str], ci: bool) -> Ran {
    let mut command = cutover(args);
    match ci {
        true => command.env("CI", "true"),
        false => command.env_remove("CI"),
    };
    ended(&mut command)
}

fn recorded(dir: &Path) -> String {
    let baselines = text(&dir.join("baselines"));
    let record = ["record", "--aa", "legacy", SCENARIO[0], SCENARIO[1], SCENARIO[2], SCENARIO[3], "--out", &baselines];
    let refused = ran(&record, true);
    assert_eq!(refused.code, 64);
    assert!(refused.err.contains("a CI never writes baselines"), "{}", refused.err);
    let done = ended(cutover(&record).env_remove("CI").current_dir(dir));
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("recorded 1 baselines of the legacy lane"), "{}", done.out);
    baselines
}

#[test]
fn the_candidate_is_judged_alone_and_what_differs_is_reviewed() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = recorded(dir.path());
    let server = Server::start("legacy", &dir.path().join("data"));
    // Any protocol can be the candidate.
    let profile = format!("kind = \"phoenix\"\nsocket_url = \"{}\"\n", server.url());
    let profile = text(&write(dir.path(), "candidate.toml", &profile));
    let judged = |name: &str, ci: bool| {
        let out = text(&dir.path().join(name));
        let against = ["--baseline", &baselines, "--candidate", &profile, "--out", &out];
        let ran = ran(&[&["gate"][..], &SCENARIO[2..], &against].concat(), ci);
        (ran.code, evidence(dir.path(), name), ran)
    };
    let (code, same, ran) = judged("same", false);
    assert_eq!(code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(same.judged.decision.decision, Decision::PassedInPart);
    assert_eq!((same.seed.0, same.lanes.keys().collect::<Vec<_>>()), (42, vec![&LaneId::Candidate]));
    assert!(ran.out.contains("PASSED IN PART AGAINST BASELINES"), "{}", ran.out);
    assert_eq!(rechecked(dir.path(), "same"), 0);

    // An event of the baseline gets another hash: the candidate no longer does as was recorded.
    let vector = dir.path().join("baselines/several-devices/vector.jsonl");
    let before = std::fs::read_to_string(&vector).unwrap();
    let line = before.lines().nth(1).unwrap();
    let (ahead, hash) = line.split_once("sha256:").unwrap();
    let other = format!("{ahead}sha256:{}{}", "a".repeat(64), &hash[64..]);
    std::fs::write(&vector, before.replace(line, &other)).unwrap();
    let proposed = dir.path().join("baselines/several-devices/vector.jsonl.new");
    let (code, _, ran) = judged("in-ci", true);
    assert_eq!((code, proposed.exists()), (1, false), "{}{}", ran.out, ran.err);
    let (code, differs, ran) = judged("differs", false);
    assert_eq!((code, proposed.exists()), (1, true), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("the run differs from 1 baselines"), "{}", ran.err);
    let found: Vec<_> = differs.judged.scenarios[0].principal().map(|found| found.finding.reason.word).collect();
    assert_eq!(found, ["another-payload-recorded"]);
    assert_eq!(rechecked(dir.path(), "differs"), 1);

    let nobody = self::ran(&["accept", &baselines], false);
    assert_eq!(nobody.code, 64);
    assert!(nobody.err.contains("give --all or --reject"), "{}", nobody.err);
    assert_eq!(self::ran(&["accept", &baselines, "--all"], true).code, 64);
    let accepted = self::ran(&["accept", &baselines, "--all"], false);
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    assert!(accepted.out.contains("1 accepted, 0 rejected"), "{}", accepted.out);
    assert_eq!((std::fs::read_to_string(&vector).unwrap(), proposed.exists()), (before, false));
    assert_eq!(judged("again", false).0, 0);
}

#[test]
fn another_seed_and_a_scenario_without_a_baseline_are_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = recorded(dir.path());
    let gate = ["gate", "--baseline", &baselines, "--scenario"];
    let other = ran(&[&gate[..], &["several-devices", "--seed", "43"]].concat(), false);
    assert_eq!(other.code, 64);
    let command = "cutover record --seed 43 --scenario several-devices --out";
    assert!(other.err.contains("are of other plans") && other.err.contains(command), "{}", other.err);
    let none = ran(&[&gate[..], &["equal-streams"]].concat(), false);
    assert!(none.code == 64 && none.err.contains("has no baseline of: equal-streams"), "{}", none.err);
    let both = ran(&[&gate[..], &["several-devices", "--legacy", "http://127.0.0.1:1"]].concat(), false);
    assert!(both.code == 64 && both.err.contains("cannot be used with"), "{}", both.err);
}
