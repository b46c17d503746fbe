//! The decisions of smaller runs, `--require-allow`, `--also` and `list --export`.
#![allow(clippy::unwrap_used)]

mod support;

use cutover_core::gate::Decision;
use cutover_core::scenario::stock;
use support::*;

/// The legacy lane against itself starts soonest.
const AA: [&str; 4] = ["--aa", "legacy", "--scenario", "equal-streams"];

#[test]
fn a_lane_against_itself_shows_no_difference_and_is_not_taken_for_allow() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &AA);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("NO DIFFERENCE") && !ran.out.contains("ALLOW"), "{}", ran.out);
    let decision = evidence(dir.path(), "out").judged.decision;
    assert_eq!((decision.decision, decision.allow), (Decision::NoDifference, false));
    assert_eq!(rechecked(dir.path(), "out"), 0);
    let bundle = text(&dir.path().join("out"));
    assert_eq!(run(&["recheck", "--require-allow", &bundle]).code, 2);
    let mut args = AA.to_vec();
    args.push("--require-allow");
    let ran = gate(dir.path(), "strict", &args);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("takes none but allow"), "{}", ran.err);
}

#[test]
#[cfg(feature = "engine")]
fn some_scenarios_pass_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &["--scenario", "equal-streams", "--require-allow"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("PASSED IN PART"), "{}", ran.out);
    assert_eq!(evidence(dir.path(), "out").judged.decision.decision, Decision::PassedInPart);
}

#[test]
fn the_built_in_scenarios_are_exported_and_nothing_else_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let to = text(&dir.path().join("scenarios"));
    for _ in 0..2 {
        let ran = run(&["list", "--export", &to]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    for (path, content) in stock() {
        assert_eq!(std::fs::read_to_string(dir.path().join(path)).unwrap(), *content);
    }
    assert!(dir.path().join("scenarios/scenario.schema.json").is_file());
    let [built_in, exported] = [vec!["list"], vec!["list", "--scenarios", &to]].map(|args| run(&args).out);
    assert_eq!(built_in, exported);
    write(dir.path(), "scenarios/mine.toml", "mine");
    let ran = run(&["list", "--export", &to]);
    assert_eq!(ran.code, 64, "{}", ran.out);
    assert!(ran.err.contains("mine.toml is in the way"), "{}", ran.err);
}

#[test]
fn own_scenarios_are_added_and_may_not_bear_a_name_that_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (_, joiner) = stock().iter().find(|(path, _)| path.ends_with("/late-joiner.toml")).unwrap();
    let own = write(dir.path(), "own/own-joiner.toml", &joiner.replace("late-joiner", "own-joiner"));
    let bad = write(dir.path(), "taken/late-joiner.toml", joiner);
    let (folder, own) = (text(own.parent().unwrap()), text(&own));
    for also in [&folder, &own] {
        let ran = run(&["list", "--also", also]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("own-joiner") && ran.out.contains("late-joiner"), "{}", ran.out);
    }
    let ran = run(&["gate", "--also", &text(&bad)]);
    assert_eq!(ran.code, 64);
    for place in [text(&bad), "scenarios/late-joiner.toml".to_owned()] {
        assert!(ran.err.contains(&place), "{place} in {}", ran.err);
    }
}
