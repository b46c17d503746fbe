#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::stage::{Decision, Outcome};

fn round() -> Round {
    let counted = |ours| Some(Counted { ours, others: 3 });
    let came = |ms| Some(Waited { ms, came: true });
    Round {
        before: counted(0),
        joined: came(12),
        during: counted(2),
        closed: came(8),
        after_close: counted(1),
        killed: came(30),
        after_kill: counted(1),
        half_open: None,
        ended: came(5),
        after: counted(0),
        trouble: None,
    }
}

fn judged(rounds: &[Round]) -> Vec<Check> {
    let facts = json!({ "reached": { "seen": "127.0.0.1:3000" }, "asked": rounds.len(), "rounds": rounds });
    checks(facts.as_object().unwrap())
}

/// The check that is not passed, of a handshake whose second round differs.
fn odd(edit: impl FnOnce(&mut Round)) -> (Outcome, String) {
    let mut second = round();
    edit(&mut second);
    let checks = judged(&[round(), second]);
    let mut odd = checks.into_iter().filter(|check| !matches!(check.outcome, Outcome::Passed | Outcome::Skipped));
    let check = odd.next().unwrap();
    assert_eq!(odd.next(), None);
    (check.outcome, format!("{} {}", check.name, check.saw))
}

#[test]
fn rounds_with_the_right_counts_pass_with_their_times() {
    let checks = judged(&[round(), round(), round()]);
    assert_eq!(Decision::of(&checks), Decision::Passed, "{checks:#?}");
    let told = checks.iter().find(|check| check.name == "told-of-kill").unwrap();
    assert_eq!(told.saw, "p50 30 ms, p90 30 ms, at most 30 ms of 3");
}

#[test]
fn a_wrong_count_fails_and_names_its_round() {
    let counted = |ours| Some(Counted { ours, others: 0 });
    let failed = |text: &str| (Outcome::Failed, text.to_owned());
    assert_eq!(odd(|round| round.before = counted(1)), failed("count-before round 2: 1 of ours, not 0"));
    assert_eq!(odd(|round| round.during = counted(1)), failed("count-during round 2: 1 of ours, not 2"));
    assert_eq!(odd(|round| round.after_close = counted(2)), failed("count-after-close round 2: 2 of ours, not 1"));
    assert_eq!(odd(|round| round.after_kill = counted(2)), failed("count-after-kill round 2: 2 of ours, not 1"));
    assert_eq!(odd(|round| round.after = counted(1)), failed("count-after round 2: 1 of ours, not 0"));
}

#[test]
fn a_client_that_is_never_told_fails() {
    let late = odd(|round| round.killed = Some(Waited { ms: 10_000, came: false }));
    let what = "told-of-kill round 2: not within 10000 ms: a client whose connection was dropped";
    assert_eq!(late, (Outcome::Failed, what.to_owned()));
}

#[test]
fn what_was_not_counted_is_unknown() {
    assert_eq!(odd(|round| round.during = None).0, Outcome::Unknown);
    assert_eq!(odd(|round| round.joined = None).0, Outcome::Unknown);
    let (outcome, said) = odd(|round| round.trouble = Some("the connection was lost".to_owned()));
    assert_eq!((outcome, said.as_str()), (Outcome::Unknown, "rounds 1 of 2 rounds; round 2: the connection was lost"));
}

#[test]
fn no_round_and_rounds_that_are_missing_are_unknown() {
    assert_eq!(Decision::of(&judged(&[])), Decision::Unknown);
    let facts = json!({ "reached": { "seen": "x" }, "asked": 2, "rounds": [round()] });
    assert_eq!(Decision::of(&checks(facts.as_object().unwrap())), Decision::Unknown);
}

#[test]
fn a_half_open_client_counts_where_it_was_asked_for() {
    let facts = json!({ "reached": { "seen": "x" }, "asked": 1, "half_open": true, "rounds": [round()] });
    assert_eq!(Decision::of(&checks(facts.as_object().unwrap())), Decision::Unknown);
    let seen = Round { half_open: Some(Waited { ms: 31_000, came: true }), ..round() };
    let facts = json!({ "reached": { "seen": "x" }, "asked": 1, "half_open": true, "rounds": [seen] });
    assert_eq!(Decision::of(&checks(facts.as_object().unwrap())), Decision::Passed);
}
