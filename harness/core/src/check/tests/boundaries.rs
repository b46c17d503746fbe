//! The stale check at its exact boundaries, and what may be in flight around it.

use super::{check, clean};

/// Runs the same answer on both lanes; a client that is refused bootstraps again.
fn resume(policy: &str, cursor: u64, answer: &str, expected: &[&str]) {
    let text = format!(
        "{policy}; pub a1..10; c1 cursor a {cursor}; c1 ask a from {cursor}; candidate: {answer}; legacy: {answer}; \
         c1 rewind a; c1 sub a"
    );
    let both: Vec<String> = ["legacy", "candidate"]
        .iter()
        .flat_map(|lane| expected.iter().map(move |line| format!("{lane} {line} c1")))
        .collect();
    let world = super::World::read(&text).unwrap();
    let report = super::reports(&world).into_iter().find(|report| report.checker == "stale-cursor").unwrap();
    let found: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{} {} {}", finding.lane.unwrap(), finding.reason, finding.client.as_ref().unwrap()))
        .collect();
    assert_eq!(found, both, "{text}");
}

#[test]
fn a_cursor_at_the_floor_is_accepted_and_one_below_is_refused() {
    resume("retain a 4", 6, "c1 ok a", &[]);
    resume("retain a 4", 5, "c1 ok a", &["stale-accepted"]);
    resume("retain a 4", 5, "c1 refused a floor cursor=5 floor=6 head=10 lag=5", &[]);
    resume("retain a 4", 6, "c1 refused a floor", &["refused-without-cause"]);
}

#[test]
fn a_lag_of_the_budget_is_accepted_and_one_more_is_refused() {
    resume("budget a 4", 6, "c1 ok a", &[]);
    resume("budget a 4", 5, "c1 ok a", &["stale-accepted"]);
    resume("budget a 4", 5, "c1 refused a budget cursor=5 floor=0 head=10 lag=5 budget=4", &[]);
    resume("budget a 4", 6, "c1 refused a budget", &["refused-without-cause"]);
}

#[test]
fn the_floor_is_checked_before_the_budget() {
    resume("retain a 4; budget a 2", 5, "c1 refused a floor", &[]);
    resume("retain a 4; budget a 2", 5, "c1 refused a budget", &["wrong-reason"]);
    resume("retain a 4; budget a 2", 6, "c1 refused a budget", &[]);
    resume("retain a 4; budget a 2", 6, "c1 refused a floor", &["wrong-reason"]);
}

#[test]
fn the_numbers_of_a_refusal_are_checked() {
    for wrong in ["cursor=4", "floor=5", "head=11", "lag=4"] {
        resume("retain a 4", 5, &format!("c1 refused a floor {wrong}"), &["wrong-fields"]);
    }
    resume("budget a 4", 5, "c1 refused a budget budget=5", &["wrong-fields"]);
}

#[test]
fn a_refusal_for_another_reason_is_a_finding() {
    resume("retain a 4", 8, "c1 refused a forbidden_topic", &["refused-otherwise"]);
}

#[test]
fn a_sibling_of_a_stale_stream_is_refused_with_it_and_that_is_right() {
    clean(
        "retain a 2; pub a1..6; pub b1; c1 cursor a 1; c1 cursor b 0; c1 ask a from 1; c1 ask b from 0; \
         c1 refused a floor cursor=1 floor=4; c1 refused b by a floor; c1 rewind a; c1 sub a; c1 a5..6; \
         c1 sub b from 0; c1 b1",
    );
}

#[test]
fn a_stale_sibling_that_is_not_named_is_a_finding() {
    let text = "retain a 2; retain b 1; pub a1..6; pub b1..5; c1 ask a from 1; c1 ask b from 1; c1 refused a floor; \
                c1 refused b by a floor; c1 rewind a; c1 sub a; c1 a5..6; c1 rewind b; c1 sub b; c1 b5";
    check("stale-cursor", text, &["legacy not-listed c1 b2..5", "candidate not-listed c1 b2..5"]);
}

#[test]
fn a_refused_bootstrap_is_a_finding() {
    let text = "pub a1; c1 ask a; c1 refused a floor; c1 rewind a; c1 sub a; c1 a1";
    check("stale-cursor", text, &["legacy bootstrap-refused c1 a1", "candidate bootstrap-refused c1 a1"]);
}

#[test]
fn a_refused_client_has_to_bootstrap_anew() {
    let text = "retain a 1; pub a1..3; c1 cursor a 1; c1 ask a from 1; c1 refused a floor; legacy: c1 rewind a; \
                legacy: c1 sub a; legacy: c1 a3";
    check("stale-cursor", text, &["candidate no-rebootstrap c1 a2..3"]);
}

#[test]
fn what_is_in_flight_allows_either_answer() {
    let before = "retain a 4; pub a1..9; c1 cursor a 5; pub a10 open; c1 ask a from 5";
    clean(&format!("{before}; c1 a6..9; c1 ok a; ack a10; c1 a10"));
    clean(&format!("{before}; c1 refused a floor; ack a10; c1 rewind a; c1 sub a; c1 a7..10"));
}

#[test]
fn a_floor_never_goes_back_when_retention_grows() {
    let text = "retain a 2; pub a1..6; policy a retain 5; c1 cursor a 3; c1 ask a from 3";
    check(
        "stale-cursor",
        &format!("{text}; c1 ok a; c1 rewind a"),
        &["legacy stale-accepted c1 a4", "candidate stale-accepted c1 a4"],
    );
    check("stale-cursor", &format!("{text}; c1 refused a floor floor=4; c1 rewind a; c1 sub a; c1 a5..6"), &[]);
}

#[test]
fn the_cursor_that_counts_is_the_one_that_the_lane_saw() {
    let resumes = "planned rewrite c1; retain a 4; pub a1..10; c1 cursor a 8; c1 ask a from 8; c1 rewrote a 8 to 5";
    check("stale-cursor", &format!("{resumes}; c1 refused a floor cursor=5; c1 rewind a; c1 sub a; c1 a7..10"), &[]);
    check(
        "stale-cursor",
        &format!("{resumes}; c1 a9..10; c1 ok a"),
        &["legacy stale-accepted c1 a6", "candidate stale-accepted c1 a6"],
    );
}
