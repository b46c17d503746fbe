//! Tests of the checker: each rule once where it fires, and next to it what a right client may do.

use crate::check::tests::{check, principal};

fn on_candidate(text: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|reason| format!("candidate {reason}")).collect();
    let stand_in = ["candidate stand-in c1"].into_iter().chain(expected.iter().map(String::as_str));
    check("client", text, &stand_in.collect::<Vec<_>>());
}

#[test]
fn a_program_that_does_what_a_client_does_gives_no_finding() {
    on_candidate(
        "pub a1..6; c1 sub a; c1 a1..6; candidate: c1 says applied a1..6; candidate: c1 says stored a6; \
         candidate: c1 says handled",
        &[],
    );
    on_candidate(
        "retain a 2; pub a1..5; c1 sub a; c1 a4 a5; candidate: c1 says applied a4 a5; candidate: c1 says handled",
        &[],
    );
}

#[test]
fn the_lane_is_not_charged_with_what_a_program_does() {
    let loses = "pub a1..3; c1 sub a; c1 a1..3; candidate: c1 says applied a1 a3; candidate: c1 says handled";
    principal(loses, &["candidate client/lost c1 a2"]);
}

#[test]
fn an_event_that_is_passed_over_is_lost() {
    let text = "pub a1..3; c1 sub a; c1 a1..3; candidate: c1 says applied";
    on_candidate(&format!("{text} a1 a3"), &["lost c1 a2"]);
    on_candidate(&format!("{text} a2 a3"), &["lost c1 a1"]);
    on_candidate(&format!("{text} a1 a2; candidate: c1 says handled"), &["lost c1 a3"]);
    // It may still be busy with it.
    on_candidate(&format!("{text} a1 a2"), &[]);
}

#[test]
fn an_event_that_is_called_a_duplicate_and_never_applied_is_lost() {
    let text = "pub a1..3; c1 sub a; c1 a1..3; candidate: c1 says applied a1; candidate: c1 says duplicate a2";
    on_candidate(&format!("{text}; candidate: c1 says applied a3"), &["lost c1 a2"]);
}

#[test]
fn an_event_is_applied_once_unless_a_crash_takes_it_back() {
    let text = "pub a1..4; c1 sub a; c1 a1..4; candidate: c1 says applied a1..4";
    on_candidate(&format!("{text}; candidate: c1 says applied a3"), &["applied-twice c1 a3"]);
    let again = "c1 crash; c1 sub a from 2; c1 a3 a4; candidate: c1 says applied a3 a4";
    let crash = "candidate: c1 says stored a2; candidate: c1 says started";
    on_candidate(&format!("{text}; {crash}; {again}"), &[]);
    let anew = "candidate: c1 says anew a; c1 rewind a; c1 cut; c1 sub a; c1 a1..4; candidate: c1 says applied a1..4";
    on_candidate(&format!("{text}; {anew}"), &[]);
}

#[test]
fn events_are_applied_in_their_order() {
    let text = "pub a1..4; c1 sub a; c1 a1..4; candidate: c1 says applied a1";
    on_candidate(&format!("{text} a3 a2 a4"), &["out-of-order c1 a2"]);
    // The one before it was lost on the way.
    on_candidate("pub a1..3; c1 sub a; c1 a1 a3; candidate: c1 says applied a1 a3", &["out-of-order c1 a3"]);
}

#[test]
fn what_is_applied_is_what_came() {
    let text = "pub a1..2; c1 sub a; c1 a1";
    on_candidate(&format!("{text}; candidate: c1 says applied a1=*"), &["wrong-hash c1 a1"]);
    on_candidate(&format!("{text}; candidate: c1 says applied a1=?"), &[]);
    on_candidate(&format!("{text}; candidate: c1 says applied a1 a2"), &["not-received c1 a2"]);
}

#[test]
fn a_checkpoint_is_stored_after_the_apply() {
    let text = "pub a1..2; c1 sub a; c1 a1 a2; candidate: c1 says applied a1";
    on_candidate(&format!("{text}; candidate: c1 says stored a2"), &["stored-before-applied c1 a2"]);
}

#[test]
fn a_program_resumes_from_its_checkpoint_or_from_what_it_applied() {
    let text = "pub a1..6; c1 sub a; c1 a1..6; candidate: c1 says applied a1..6; candidate: c1 says stored a4; c1 cut";
    for (cursor, expected) in [("3", "cursor-behind c1 a4"), ("7", "cursor-ahead c1 a7")] {
        on_candidate(&format!("{text}; c1 sub a from {cursor}"), &[expected]);
    }
    for cursor in ["4", "5", "6"] {
        on_candidate(&format!("{text}; c1 sub a from {cursor}"), &[]);
    }
    on_candidate(&format!("{text}; c1 sub a"), &["cursor-behind c1 a4"]);
}

#[test]
fn a_program_may_have_stored_more_than_it_said_before_it_was_killed() {
    let text = "pub a1..6; c1 sub a; c1 a1..6; candidate: c1 says applied a1..4; candidate: c1 says stored a3; c1 crash; \
                candidate: c1 says started";
    on_candidate(&format!("{text}; c1 sub a from 6"), &[]);
    on_candidate(&format!("{text}; c1 sub a from 2"), &["cursor-behind c1 a3"]);
    on_candidate(&format!("{text}; c1 sub a from 7"), &["cursor-ahead c1 a7"]);
}

#[test]
fn waits_grow_from_reconnect_to_reconnect() {
    let text = "pub a1; c1 sub a; c1 a1; candidate: c1 says tried";
    let tried = |waits: &str, expected: &[&str]| on_candidate(&format!("{text} {waits}"), expected);
    tried("1 2 1 2 1", &["no-back-off c1"]);
    tried("40 40 40 40 40 40 40 40 40 40", &["no-growth c1"]);
    tried("10 50 100 150 200 250 500 1000 2000 5000 5000", &[]);
    tried("1000 1000 1000 1000 1000 1000 1000 1000 1000 1000", &[]);
    tried("1 2 1 2", &[]);
    let between = "candidate: c1 says tried 1 2 1; c1 cut; c1 sub a from 1; c1 ok a; candidate: c1 says tried 1 2 1";
    on_candidate(&format!("pub a1; c1 sub a; c1 a1; candidate: c1 says applied a1; {between}"), &[]);
}

#[test]
fn what_never_came_changes_nothing_of_what_is_due_next() {
    let text =
        "pub a1..3; c1 sub a; c1 a1; candidate: c1 says applied a1 a3; c1 a2 a3; candidate: c1 says applied a2 a3";
    on_candidate(text, &["not-received c1 a3"]);
}

#[test]
fn a_cursor_that_was_refused_twice_as_stale_is_given_up() {
    let text = "retain a 2; pub a1..3; c1 sub a; c1 a1..3; candidate: c1 says applied a1..3; c1 leave; pub a4..9";
    let refused = "c1 ask a from 3; c1 refused a floor cursor=3 floor=7 head=9; c1 cut";
    let again = format!("{text}; {refused}; {refused}; c1 ask a from 3");
    let world = |text: &str| crate::check::tests::notation::World::read(text).unwrap_or_else(|why| panic!("{why}"));
    let kept = |text: &str| {
        let world = world(text);
        let input = crate::check::CheckInput::new(&world.plan, &world.legacy, &world.candidate);
        let reports = crate::check::check_all(&input);
        reports.iter().flat_map(|report| &report.findings).filter(|it| it.reason.word == "kept-stale").count()
    };
    assert_eq!(kept(&again), 1);
    // The first refusal may not have reached it, and what it remembered is gone with a crash.
    assert_eq!(kept(&format!("{text}; {refused}; c1 ask a from 3")), 0);
    let restarted = "c1 crash; candidate: c1 says started";
    assert_eq!(kept(&format!("{text}; {refused}; {refused}; {restarted}; c1 ask a from 3")), 0);
    assert_eq!(kept(&format!("{text}; {refused}; c1 ask a from 2; c1 cut; {refused}; c1 ask a from 3")), 0);
}

#[test]
fn a_program_comes_back_when_it_lost_its_connection() {
    let text = "pub a1; c1 sub a; c1 a1; candidate: c1 says applied a1; candidate: c1 cut; candidate: c1 says away";
    principal(&format!("{text}; candidate: c1 gives-up"), &["candidate client/stayed-away c1"]);
}

#[test]
fn a_program_whose_wire_is_not_read_is_not_judged() {
    on_candidate("pub a1; c1 sub a; c1 a1; unread c1 deflate; candidate: c1 says applied a9", &["unread c1"]);
}

#[test]
fn no_word_makes_the_checker_fail() {
    let last = u64::MAX;
    let text = "pub a1..2; c1 sub a; c1 a1 a2; candidate: c1 says";
    for what in ["applied", "duplicate", "stored"] {
        let world =
            crate::check::tests::notation::World::read(&format!("{text} {what} a{last}; candidate: c1 says handled"));
        let world = world.unwrap_or_else(|why| panic!("{why}"));
        let input = crate::check::CheckInput::new(&world.plan, &world.legacy, &world.candidate);
        assert!(
            crate::check::check_all(&input)
                .iter()
                .all(|report| report.findings.iter().all(|it| it.reason.word != "checker-panicked"))
        );
    }
}
