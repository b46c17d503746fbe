//! Tests of the checker.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use crate::check::earned;
use crate::check::tests::notation::World;
use crate::check::tests::{check, principal};
use crate::ids::LaneId;
use crate::matrix::Part;

/// One client reads nothing while an event is published, and another one gets it at once.
const STALLED: &str = "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c1 reads nothing; pub a2; c2 a2; ";

fn parts(world: &str, lane: LaneId) -> BTreeSet<Part> {
    let mut world = World::read(world).unwrap();
    let history = world.lane_mut(lane).clone();
    let mut parts = earned(&world.plan, &history);
    parts.retain(|part| crate::matrix::row("slow-consumer").unwrap().parts.contains(part));
    parts
}

fn strikes(actions: &[&str]) -> String {
    actions.iter().map(|action| format!("legacy: c1 struck {action} a depth=65 limit=64 wait=2000; ")).collect()
}

/// What comes of these strikes, and of what follows them, where both lanes deliver everything in the end.
fn struck(actions: &[&str], then: &str) -> String {
    format!("{STALLED}c1 reads; {}{then}; legacy: c1 sub a from 1; c1 a2", strikes(actions))
}

#[test]
fn two_throttles_and_a_disconnect_before_the_end_are_right_and_show_the_row() {
    let world = struck(&["throttle", "throttle", "disconnect"], "legacy: c1 ends phx_error");
    check("slow-consumer", &world, &[]);
    let (legacy, candidate) = (parts(&world, LaneId::Legacy), parts(&world, LaneId::Candidate));
    let all = [Part::SlowThrottled, Part::SlowDropped, Part::SlowRecovered, Part::OthersOnTime];
    assert_eq!(legacy, all.into());
    assert_eq!(candidate, [Part::OthersOnTime].into());
}

#[test]
fn a_client_that_dies_while_it_reads_nothing_recovers_by_a_replay_and_is_not_dropped() {
    let world = format!("{STALLED}c1 crash; c1 reads; c1 sub a from 1; c1 a2");
    assert_eq!(parts(&world, LaneId::Candidate), [Part::SlowRecovered, Part::OthersOnTime].into());
}

#[test]
fn a_connection_that_ends_with_its_server_is_not_dropped() {
    let world = format!("{STALLED}kill; c1 cut; c2 cut; start; c1 reads; c1 sub a from 1; c1 a2; c2 sub a from 2");
    assert!(!parts(&world, LaneId::Candidate).contains(&Part::SlowDropped));
}

#[test]
fn others_that_get_an_event_after_the_spell_alone_are_not_on_time() {
    let world = "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c1 reads nothing; pub a2; c1 reads; c1 a2; c2 a2";
    assert!(parts(world, LaneId::Legacy).is_empty());
}

#[test]
fn strikes_out_of_order_are_found() {
    let wrong = ["legacy strikes-out-of-order c1"];
    for (actions, then) in [
        (&["disconnect"][..], "legacy: c1 ends phx_error"),
        (&["throttle", "disconnect"][..], "legacy: c1 ends phx_error"),
        (&["throttle", "throttle", "throttle"][..], "legacy: c1 leave"),
        (&["throttle", "throttle", "disconnect", "throttle"][..], "legacy: c1 ends phx_error"),
        (&["throttle"][..], "legacy: c1 ends phx_error"),
        (&["slower"][..], "legacy: c1 leave"),
    ] {
        check("slow-consumer", &struck(actions, then), &wrong);
    }
}

#[test]
fn one_throttle_is_right_where_the_client_goes_by_itself() {
    check("slow-consumer", &struck(&["throttle"], "legacy: c1 leave"), &[]);
}

#[test]
fn a_channel_that_goes_on_behind_a_disconnect_is_found() {
    let strikes = strikes(&["throttle", "throttle", "disconnect"]);
    let world = format!("{STALLED}c1 reads; {strikes}c1 a2");
    check("slow-consumer", &world, &["legacy went-on c1"]);
}

#[test]
fn each_field_of_a_strike_is_compared_with_the_contract_where_it_is_told() {
    for (fields, right) in [
        ("a depth=65 limit=64 wait=2000", true),
        ("a depth=64", true),
        ("a", true),
        ("z depth=65 limit=64", false),
        ("a depth=66 limit=64", false),
        ("a depth=0 limit=64", false),
        ("a limit=63", false),
        ("a wait=1999", false),
    ] {
        let world = format!(
            "{STALLED}c1 reads; legacy: c1 struck throttle {fields}; legacy: c1 leave; \
                             legacy: c1 sub a from 1; c1 a2"
        );
        let wrong = ["legacy wrong-fields c1"];
        check("slow-consumer", &world, if right { &[] } else { &wrong });
    }
}

#[test]
fn what_a_slow_client_misses_without_being_told_is_lost_in_silence() {
    let skipped = "c1 reads; pub a3; c2 a3; legacy: c1 a3; legacy: c1 leave; legacy: c1 sub a from 1; c1 a2 a3";
    let asked = "c1 reads; legacy: c1 overdue a 2; legacy: c1 leave; legacy: c1 sub a from 1; c1 a2";
    for then in [skipped, asked] {
        // `gap` finds it too, and follows from it.
        principal(&format!("{STALLED}{then}"), &["legacy slow-consumer/lost-in-silence c1 a2"]);
    }
}

#[test]
fn what_is_missed_behind_a_strike_was_not_lost_in_silence() {
    let then = "c1 reads; legacy: c1 struck throttle a; pub a3; c2 a3; legacy: c1 a3; legacy: c1 leave; \
                legacy: c1 sub a from 1; c1 a2 a3";
    check("slow-consumer", &format!("{STALLED}{then}"), &[]);
}

#[test]
fn what_another_client_has_to_ask_for_while_one_reads_nothing_was_kept_from_it() {
    let world = "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c1 reads nothing; pub a2; candidate: c2 a2; \
                 legacy: c2 overdue a 2; legacy: c2 leave; legacy: c2 sub a from 1; legacy: c2 a2; c1 reads; c1 a2";
    principal(world, &["legacy slow-consumer/others-slowed c2 a2"]);
}

#[test]
fn what_comes_to_another_client_once_the_spell_is_over_was_kept_from_it() {
    let world = "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c1 reads nothing; pub a2..3; candidate: c2 a2 a3; \
                 legacy: timeout; c1 reads; legacy: c2 a2 a3; c1 a2 a3";
    principal(world, &["legacy slow-consumer/others-slowed c2 a2..3"]);
}

#[test]
fn what_never_comes_to_another_client_is_another_finding() {
    let world = "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c1 reads nothing; pub a2; candidate: c2 a2; \
                 legacy: timeout; c1 reads; c1 a2";
    check("slow-consumer", world, &[]);
}

#[test]
fn a_publish_that_is_not_answered_until_the_spell_is_over_is_found() {
    let world = "pub a1; c1 sub a; c1 a1; c1 reads nothing; legacy: pub b1 info; candidate: pub b1; legacy: timeout; \
                 c1 reads; pub a2; c1 a2";
    check("slow-consumer", world, &["legacy writer-slowed c1"]);
}
