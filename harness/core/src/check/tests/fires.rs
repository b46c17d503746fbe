//! Each checker once where it fires and once where it is silent.

use super::check;

#[test]
fn lost_write_fires_on_an_acknowledged_event_that_never_arrives() {
    check(
        "lost-write",
        "pub a1..3; c1 sub a; legacy: c1 a1 a2; candidate: c1 a1..3",
        &["legacy never-delivered c1 a3"],
    );
}

#[test]
fn lost_write_tells_a_range_as_one() {
    check(
        "lost-write",
        "pub a1..6; c1 sub a; c1 a1 a5; legacy: c1 a2..4; legacy: c1 a6",
        &["candidate never-delivered c1 a2..4", "candidate never-delivered c1 a6"],
    );
}

#[test]
fn lost_write_is_silent_on_what_retention_pruned_before_a_bootstrap() {
    check("lost-write", "retain a 2; pub a1..5; c1 sub a; c1 a4 a5", &[]);
}

#[test]
fn lost_write_is_silent_on_what_a_given_cursor_excuses() {
    check("lost-write", "pub a1..5; c1 cursor a 3; c1 sub a from 3; c1 a4 a5", &[]);
}

#[test]
fn lost_write_is_not_appeased_by_a_cursor_that_nobody_gave() {
    check(
        "lost-write",
        "pub a1..2; c1 sub a from 1; c1 a2",
        &["legacy never-delivered c1 a1", "candidate never-delivered c1 a1"],
    );
}

#[test]
fn lost_write_owes_nothing_to_a_client_that_left() {
    check("lost-write", "pub a1; c1 sub a; c1 a1; c1 leave; pub a2", &[]);
}

#[test]
fn lost_write_fires_on_a_conflict_that_was_acknowledged_and_not_written() {
    check(
        "lost-write",
        "pub a1; c1 sub a; c1 a1; legacy: conflict a1 = 1; candidate: conflict a1",
        &["legacy another-payload-acknowledged a1"],
    );
}

#[test]
fn duplicate_apply_fires_where_a_seq_is_applied_twice() {
    check("duplicate-apply", "pub a1; c1 sub a; c1 a1; candidate: c1 a1!", &["candidate applied-twice c1 a1"]);
}

#[test]
fn duplicate_apply_is_silent_after_a_rewind() {
    check("duplicate-apply", "pub a1..2; c1 sub a; c1 a1..2; c1 rewind a; c1 sub a; c1 a1..2", &[]);
}

#[test]
fn duplicate_apply_is_silent_where_a_dead_client_starts_from_an_older_checkpoint() {
    check("duplicate-apply", "pub a1..3; c1 sub a; c1 a1..3; c1 crash; c1 sub a from 1; c1 a2..3", &[]);
}

#[test]
fn duplicate_apply_fires_where_an_event_stands_twice_in_the_stream() {
    check("duplicate-apply", "pub a1; c1 sub a; c1 a1; legacy: c1 a2=a1", &["legacy appended-twice a2"]);
}

#[test]
fn duplicate_apply_fires_where_a_repeated_publish_gets_a_seq_of_its_own() {
    check(
        "duplicate-apply",
        "pub a1; c1 sub a; c1 a1; legacy: again a1 = 2; legacy: c1 a2=a1; candidate: again a1",
        &["legacy repeated-publish-appended a2", "legacy appended-twice a2"],
    );
}

#[test]
fn duplicate_apply_fires_where_a_repeated_publish_is_taken_for_new() {
    check(
        "duplicate-apply",
        "pub a1; c1 sub a; c1 a1; legacy: again a1 new; candidate: again a1",
        &["legacy repeated-publish-taken-for-new a1"],
    );
}

#[test]
fn nonmonotonic_fires_on_two_events_that_changed_places() {
    check(
        "nonmonotonic",
        "pub a1..3; c1 sub a; legacy: c1 a1..3; candidate: c1 a1 a3 a2",
        &["candidate delivered-after-a-later-one c1 a2"],
    );
}

#[test]
fn nonmonotonic_sees_each_kind_of_copy_alone() {
    check("nonmonotonic", "pub a1..2; c1 sub a; legacy: c1 a1u a2u a1f a2f; candidate: c1 a1..2", &[]);
    check(
        "nonmonotonic",
        "pub a1..2; c1 sub a; legacy: c1 a1u a2u a2f a1f; candidate: c1 a1..2",
        &["legacy delivered-after-a-later-one c1 a1"],
    );
}

#[test]
fn nonmonotonic_is_silent_on_repeats() {
    check("nonmonotonic", "pub a1..3; c1 sub a; c1 a1..3 a2 a1..3", &[]);
}

#[test]
fn gap_fires_on_a_skip_within_a_subscription() {
    let text = "pub a1..4; c1 sub a; legacy: c1 a1..4; candidate: c1 a1 a2 a4; candidate: c1 sub a from 2; candidate: c1 a3 a4";
    check("gap", text, &["candidate skipped c1 a3"]);
}

#[test]
fn gap_fires_where_a_bootstrap_begins_too_high() {
    check(
        "gap",
        "retain a 3; pub a1..5; c1 sub a; legacy: c1 a3..5; candidate: c1 a4..5",
        &["candidate skipped-at-start c1 a3"],
    );
}

#[test]
fn gap_fires_where_one_copy_is_missing() {
    check("gap", "pub a1..3; c1 sub a; legacy: c1 a1 a2u a3; candidate: c1 a1..3", &["legacy copy-missing c1 a2"]);
    check("gap", "pub a1..2; c1 sub a; legacy: c1 a1 a2u; candidate: c1 a1..2", &["legacy copy-missing c1 a2"]);
}

#[test]
fn gap_is_silent_where_the_connection_ended_between_two_copies() {
    let text = "pub a1..2; c1 sub a; legacy: c1 a1 a2u; legacy: c1 cut; legacy: c1 sub a from 2; candidate: c1 a1..2";
    check("gap", text, &[]);
}

#[test]
fn gap_fires_where_a_live_event_comes_only_when_the_client_asks_again() {
    check(
        "gap",
        "c1 sub a; pub a1..2; c1 a1; legacy: c1 overdue a 2; legacy: c1 leave; legacy: c1 sub a from 1; c1 a2",
        &["legacy not-live c1 a2"],
    );
}

#[test]
fn gap_is_silent_where_a_fault_lost_what_the_client_asks_for_again() {
    check(
        "gap",
        "planned lost c1 drop; c1 sub a; pub a1..2; c1 a1; legacy: fires lost c1; legacy: c1 overdue a 2; \
         legacy: c1 leave; legacy: c1 sub a from 1; c1 a2",
        &[],
    );
}

#[test]
fn gap_is_silent_where_a_client_asks_again_for_what_was_not_acknowledged() {
    check(
        "gap",
        "c1 sub a; pub a1; pub a2 open; c1 a1; legacy: c1 overdue a 2; legacy: c1 leave; legacy: c1 sub a from 1; c1 a2",
        &[],
    );
}

#[test]
fn gap_follows_the_cursor_that_the_lane_saw() {
    let text = "planned rewrite c1; pub a1..5; c1 ask a; c1 a1..2; c1 cut; c1 sub a from 2; c1 rewrote a 2 to 4; c1 a5; \
                c1 cut; c1 sub a from 2; c1 a3..5";
    check("gap", text, &[]);
}

#[test]
fn unseen_fires_on_the_lane_that_did_not_deliver() {
    check(
        "unseen",
        "pub a1..2; c1 sub a; legacy: c1 a1..2; candidate: c1 a1",
        &["candidate delivered-on-one-lane-only c1 a2"],
    );
}

#[test]
fn unseen_is_silent_where_one_lane_pruned_before_a_bootstrap() {
    let text = "retain a 2; legacy: c1 sub a; pub a1; legacy: c1 a1; pub a2..4; legacy: c1 a2..4; \
                candidate: c1 sub a; candidate: c1 a3..4";
    check("unseen", text, &[]);
}

#[test]
fn unseen_is_unknown_where_nobody_knows_whether_the_event_was_written() {
    check(
        "unseen",
        "c1 sub a; legacy: pub a1; legacy: c1 a1; candidate: pub a1 info",
        &["candidate perhaps-never-written c1 a1"],
    );
}

#[test]
fn hash_mismatch_fires_on_another_payload() {
    check(
        "hash-mismatch",
        "pub a1; c1 sub a; legacy: c1 a1=*; candidate: c1 a1",
        &["legacy not-what-was-published c1 a1"],
    );
}

#[test]
fn hash_mismatch_names_the_path() {
    let found = super::explained("pub a1; c1 sub a; legacy: c1 a1=*; candidate: c1 a1");
    assert_eq!(found.principal[0].witness.path.as_deref(), Some("/event"));
    assert_eq!(found.principal[0].witness.got.as_deref(), Some("\"nobody's\""));
}

#[test]
fn hash_mismatch_fires_on_a_payload_without_canonical_form_and_on_a_wrong_declaration() {
    check(
        "hash-mismatch",
        "pub a1..2; c1 sub a; legacy: c1 a1=? a2~; candidate: c1 a1..2",
        &["legacy not-canonical c1 a1", "legacy declared-otherwise c1 a2"],
    );
}

#[test]
fn hash_mismatch_is_silent_where_payloads_are_what_was_published() {
    check("hash-mismatch", super::HONEST, &[]);
}

#[test]
fn phantom_fires_on_what_nobody_published() {
    check("phantom", "pub a1; c1 sub a; c1 a1; legacy: c1 a2=*", &["legacy never-published c1 a2"]);
}

#[test]
fn phantom_fires_on_what_came_before_it_was_published() {
    check("phantom", "c1 sub a; candidate: c1 a1; pub a1; legacy: c1 a1", &["candidate before-published c1 a1"]);
}

#[test]
fn phantom_is_silent_on_an_event_whose_answer_got_lost() {
    check("phantom", "c1 sub a; pub a1 info; c1 a1", &[]);
    check("phantom", "c1 sub a; pub a1 open; c1 a1; ack a1", &[]);
}

#[test]
fn wrong_stream_fires_on_another_streams_event() {
    check(
        "wrong-stream",
        "pub a1; pub b1..2; c1 sub a; c1 a1; c1 sub b; c1 b1..2; legacy: c1 a2=b2",
        &["legacy another-streams-event c1 a2"],
    );
}

#[test]
fn wrong_stream_fires_on_a_stream_that_nobody_asked_for() {
    check(
        "wrong-stream",
        "pub a1; pub b1; c1 sub a; c1 a1; c2 sub b; c2 b1; candidate: c1 b1",
        &["candidate not-subscribed c1 b1"],
    );
}

#[test]
fn wrong_stream_is_silent_on_two_streams_kept_apart() {
    check("wrong-stream", "pub a1; pub b1; c1 sub a; c1 sub b; c1 a1 b1", &[]);
}

#[test]
fn convergence_fires_on_a_client_behind_the_head() {
    check("convergence", "pub a1..3; c1 sub a; c1 a1..3; legacy: c1 mark a 2", &["legacy behind-head c1 a3"]);
}

#[test]
fn convergence_fires_on_a_client_that_is_stuck() {
    check(
        "convergence",
        "pub a1..2; c1 sub a; candidate: c1 a1..2; legacy: c1 a1; legacy: c1 stuck a",
        &["legacy stuck c1 a2"],
    );
}

#[test]
fn convergence_is_silent_where_every_client_reached_every_head() {
    check("convergence", super::HONEST, &[]);
}

#[test]
fn observed_then_lost_fires_where_a_restart_forgets_a_stream() {
    let text = "pub a1..3; c1 sub a; c1 a1..3; kill; start; c1 cut; legacy: c1 ask a from 3; legacy: c1 ok a head 0; \
                candidate: c1 sub a from 3; candidate: pub a4; candidate: c1 a4; legacy: c1 rewind a; \
                legacy: c1 sub a; legacy: pub a4 = 1; legacy: c1 a1=a4";
    check(
        "observed-then-lost",
        text,
        &["legacy head-went-back c1 a1..3", "legacy never-delivered-again c1 a2..3", "legacy seq-reused a1"],
    );
}

#[test]
fn observed_then_lost_is_silent_where_a_restart_forgets_nothing() {
    check(
        "observed-then-lost",
        "pub a1..3; c1 sub a; c1 a1..3; kill; start; c1 cut; c1 ask a from 3; c1 ok a head 3",
        &[],
    );
}

#[test]
fn wrong_answer_fires_on_a_refused_publish_and_on_a_shifted_one() {
    check(
        "wrong-answer",
        "c1 sub a; legacy: pub a1 refused internal; candidate: pub a1; candidate: c1 a1",
        &["legacy refused a1"],
    );
    check(
        "wrong-answer",
        "pub a1; c1 sub a; legacy: pub a2 = 3; legacy: pub a3 = 4; candidate: pub a2..3",
        &["legacy acknowledged-at-another-seq a2"],
    );
}

#[test]
fn wrong_answer_fires_on_another_code_and_is_unknown_without_an_answer() {
    check(
        "wrong-answer",
        "pub a1; conflict a1 refused sequence_conflict",
        &["legacy refused-with-another-code ", "candidate refused-with-another-code "].map(|line| line.trim_end()).map(
            |line| match line {
                "legacy refused-with-another-code" => "legacy refused-with-another-code a",
                _ => "candidate refused-with-another-code a",
            },
        ),
    );
    check("wrong-answer", "legacy: pub a1 info; candidate: pub a1", &["legacy never-answered a1"]);
}

#[test]
fn wrong_answer_is_silent_where_a_lost_answer_comes_on_the_retry() {
    check("wrong-answer", "pub a1 info; pub a1; again a1; conflict a1", &[]);
}

#[test]
fn what_follows_a_message_that_a_fault_lost_is_the_networks_doing_and_what_came_before_is_not() {
    let lost =
        "planned lost c1 drop; pub a1..3; c1 sub a; c1 a1; fires lost c1; c1 a3; c1 cut; c1 sub a from 1; c1 a2..3";
    check("gap", lost, &[]);
    check("gap", &lost.replace(" drop", ""), &["legacy skipped c1 a2", "candidate skipped c1 a2"]);
    let before = lost.replace("c1 a1; fires lost c1; c1 a3", "c1 a1; c1 a3; fires lost c1");
    check("gap", &before, &["legacy skipped c1 a2", "candidate skipped c1 a2"]);
    let others = lost.replace("fires lost c1", "fires lost c2");
    check("gap", &others, &["legacy skipped c1 a2", "candidate skipped c1 a2"]);
}

#[test]
fn what_is_late_behind_a_fault_is_no_defect_of_the_lane_as_long_as_it_comes() {
    let late = "planned late c1 drop; pub a1..3; c1 sub a; c1 a1; fires late c1; c1 a3; c1 a2; c1 a3";
    check("nonmonotonic", late, &[]);
    let lane = late.replace("; fires late c1", "");
    check(
        "nonmonotonic",
        &lane,
        &["legacy delivered-after-a-later-one c1 a2", "candidate delivered-after-a-later-one c1 a2"],
    );
    let never = "planned lost c1 drop; pub a1..3; c1 sub a; c1 a1; fires lost c1; c1 a3; c1 mark a 3";
    check("lost-write", never, &["legacy never-delivered c1 a2", "candidate never-delivered c1 a2"]);
}

#[test]
fn vacuity_fires_on_a_toxic_that_never_struck() {
    check(
        "vacuity",
        "toxic slow c1 100; pub a1; c1 sub a; c1 a1; legacy: fires slow c1",
        &["candidate toxic-did-not-strike c1"],
    );
}

#[test]
fn of_toxics_that_are_drawn_one_connection_of_an_entry_is_enough() {
    let some =
        "toxic slow.c1 c1 50; toxic slow.c2 c2 50; pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; legacy: fires slow.c2 c2";
    check("vacuity", some, &["candidate toxic-did-not-strike c1"]);
}

#[test]
fn vacuity_fires_on_a_fault_that_never_fired_and_on_too_little() {
    check(
        "vacuity",
        "planned cut-3 c1; at-least deliveries 2; pub a1; c1 sub a; c1 a1; legacy: fires cut-3 c1",
        &["legacy vacuous", "candidate fault-did-not-fire c1", "candidate vacuous"],
    );
}

#[test]
fn vacuity_fires_on_an_interrupted_history_and_on_a_driver_that_gave_up() {
    check(
        "vacuity",
        "pub a1; c1 sub a; c1 a1; legacy: interrupted; candidate: timeout",
        &["legacy interrupted", "candidate timed-out"],
    );
}

#[test]
fn vacuity_is_silent_where_everything_planned_happened() {
    check(
        "vacuity",
        "planned cut-3 c1; at-least faults 1; at-least resumes 1; pub a1; c1 sub a; c1 a1; fires cut-3 c1; \
                      c1 cut; c1 sub a from 1",
        &[],
    );
}

#[test]
fn phantom_fires_on_a_second_event_under_a_seq_that_has_its_own() {
    let text = "pub a1..3; c1 sub a; candidate: c1 a1..3; legacy: c1 a1 a2=* a2 a3";
    check("phantom", text, &["legacy never-published c1 a2"]);
    check("hash-mismatch", text, &[]);
}

#[test]
fn stale_cursor_fires_where_a_bootstrap_is_given_what_was_pruned() {
    check(
        "stale-cursor",
        "retain a 2; pub a1..5; c1 sub a; legacy: c1 a1..5; candidate: c1 a4..5",
        &["legacy pruned-delivered c1 a1..3"],
    );
}

#[test]
fn contradiction_fires_once_for_each_rule_that_a_message_breaks() {
    check(
        "contradiction",
        "pub a1..3; c1 sub a; c1 a1..3; legacy: c1 contradicts a 2 frame-seq; legacy: c1 contradicts a 3 frame-seq; \
         legacy: c1 contradicts a 3 never-complete",
        &["legacy frame-seq c1 a2", "legacy never-complete c1 a3"],
    );
}

#[test]
fn contradiction_is_silent_where_nothing_was_noted() {
    check("contradiction", "pub a1..3; c1 sub a; c1 a1..3", &[]);
}
