//! Equal payloads of several events, and texts that are no payload.

use super::{check, clean, principal};

#[test]
fn events_with_equal_payloads_are_events_of_their_own() {
    clean("pub s1..3; pub t1..2; c1 sub s; c1 s1..3; c1 sub t; c1 t1..2; again s2; conflict t1");
}

#[test]
fn one_of_several_equal_events_can_be_lost() {
    principal(
        "pub s1..3; c1 sub s; legacy: c1 s1..3; candidate: c1 s1..2",
        &["candidate lost-write/never-delivered c1 s3"],
    );
}

#[test]
fn a_payload_that_turned_into_one_that_several_events_have_is_no_event_of_another_stream() {
    principal(
        "pub s1..2; pub a1; c1 sub s; c1 s1..2; c1 sub a; legacy: c1 a1; candidate: c1 a1=s1",
        &["candidate hash-mismatch/not-what-was-published c1 a1"],
    );
}

#[test]
fn a_payload_that_only_one_event_has_is_that_events() {
    principal(
        "pub a1; pub s1..2; c1 sub a; c1 a1; c1 sub s; legacy: c1 s1..2; candidate: c1 s1=a1; candidate: c1 s2",
        &["candidate wrong-stream/another-streams-event c1 s1", "candidate lost-write/never-delivered c1 s1"],
    );
}

#[test]
fn wrong_answer_is_silent_where_a_text_that_is_no_payload_is_refused() {
    clean("invalid a1; pub a1; invalid a2; c1 sub a; c1 a1");
}

#[test]
fn wrong_answer_fires_where_a_text_that_is_no_payload_is_taken() {
    check(
        "wrong-answer",
        "pub a1; legacy: invalid a2; candidate: invalid a2 = 2",
        &["candidate accepted-an-invalid-payload a2"],
    );
    check(
        "wrong-answer",
        "pub a1; legacy: invalid a2 refused internal; candidate: invalid a2",
        &["legacy refused-with-another-code a"],
    );
}
