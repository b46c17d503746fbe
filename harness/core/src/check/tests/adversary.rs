//! Single defects that are easy to miss, and honest behaviour that is easy to take for one.

use super::notation::World;
use super::{check, clean, principal, reports};
use crate::history::Record;

#[test]
fn a_dropped_repeat_of_what_lies_below_a_resumes_cursor_is_no_finding() {
    clean(
        "retain a 3; pub a1..3; c1 sub a; c1 a1..3; c1 crash; c1 sub a from 3; pub a4; c1 a4; planned again c1; \
         fires again c1; legacy: c1 a3 a4",
    );
}

#[test]
fn a_replay_that_ends_before_what_was_acknowledged_is_a_gap_though_a_later_one_is_whole() {
    let text = "pub a1..4; c1 sub a; candidate: c1 a1..4; legacy: c1 a1..3; legacy: c1 cut; legacy: c1 sub a from 3; \
                legacy: c1 a4";
    principal(text, &["legacy gap/replay-cut-short c1 a4"]);
}

#[test]
fn a_replay_that_comes_after_its_reply_is_a_gap() {
    let text = "pub a1..3; candidate: c1 sub a; candidate: c1 a1..3; legacy: c1 ask a; legacy: c1 ok a head 3; \
                legacy: c1 a1..3";
    principal(text, &["legacy gap/replay-cut-short c1 a1..3"]);
}

#[test]
fn a_bootstrap_that_is_accepted_and_given_nothing_is_a_gap() {
    let text =
        "retain a 2; pub a1..5; c1 sub a; candidate: c1 a4..5; legacy: c1 cut; legacy: c1 sub a; legacy: c1 a4..5";
    principal(text, &["legacy gap/replay-cut-short c1 a4..5"]);
}

#[test]
fn a_replay_that_a_cut_ends_before_its_reply_is_no_finding() {
    clean("pub a1..4; c1 ask a; c1 a1..2; c1 cut; c1 sub a from 2; c1 a3..4");
}

#[test]
fn what_is_published_while_a_replay_runs_may_come_after_its_reply_or_before() {
    clean("pub a1..3; c1 ask a; pub a4 open; c1 a1..3; c1 ok a head 3; c1 a4; ack a4");
    clean("pub a1..3; c1 ask a; pub a4 open; c1 a1..4; ack a4; pub a5; c1 a5; c1 ok a head 4");
}

#[test]
fn a_lane_that_never_sends_its_second_copies_has_a_gap() {
    check("gap", "pub a1..3; c1 sub a; legacy: c1 a1u a2u a3u; candidate: c1 a1..3", &["legacy copy-missing c1 a1..3"]);
    check("gap", "pub a1..3; c1 sub a; legacy: c1 a1f a2f a3f; candidate: c1 a1..3", &["legacy copy-missing c1 a1..3"]);
}

#[test]
fn a_snapshot_that_misses_rows_in_the_middle_is_a_gap() {
    let text = "pub a1..6; c1 sub a; legacy: c1 a1..6; candidate: c1 a1..2 a5..6; candidate: c1 cut; \
                candidate: c1 sub a from 2; candidate: c1 a3..6";
    principal(text, &["candidate gap/skipped c1 a3..4"]);
}

#[test]
fn a_bootstrap_out_of_order_at_its_start_is_nonmonotonic_though_the_floor_was_rising() {
    let before = "retain a 3; pub a1..6; pub a7 open; c1 ask a; candidate: c1 a4..7; candidate: c1 ok a head 7";
    principal(
        &format!("{before}; legacy: c1 a5 a4 a5..7; legacy: c1 ok a head 7; ack a7"),
        &["legacy nonmonotonic/delivered-after-a-later-one c1 a4"],
    );
}

#[test]
fn a_bootstrap_while_the_floor_rises_may_begin_at_either_floor() {
    let before = "retain a 3; pub a1..6; pub a7 open; c1 ask a; candidate: c1 a4..7";
    clean(&format!("{before}; legacy: c1 a5..7; c1 ok a head 7; ack a7"));
}

#[test]
fn a_resume_whose_cursor_the_floor_passes_while_it_is_judged_is_no_gap() {
    clean(
        "retain a 3; pub a1..6; c1 cursor a 3; pub a7 open; c1 ask a from 3; legacy: c1 a4..7; candidate: c1 a5..7; \
         c1 ok a head 7; ack a7; candidate: c1 cut; candidate: c1 ask a from 3; candidate: c1 refused a floor cursor=3; \
         candidate: c1 rewind a; candidate: c1 sub a; candidate: c1 a5..7",
    );
}

#[test]
fn a_head_that_is_misreported_is_a_finding_both_ways() {
    for (head, seqs) in [(5, "a4..5"), (2, "a3")] {
        let text = format!("pub a1..3; c1 ask a; c1 a1..3; candidate: c1 ok a head 3; legacy: c1 ok a head {head}");
        principal(&text, &[&format!("legacy convergence/wrong-head c1 {seqs}")]);
    }
}

#[test]
fn a_head_within_what_is_in_flight_is_no_finding() {
    clean("pub a1..3; pub a4 open; c1 ask a; c1 a1..3; c1 ok a head 3; c1 a4; ack a4");
    clean("pub a1..3; pub a4 open; c1 ask a; c1 a1..4; c1 ok a head 4; ack a4");
}

#[test]
fn a_lane_may_name_a_cursor_beyond_the_head_as_it_was_sent() {
    let text = "pub a1..3; c1 cursor a 6; c1 ask a from 6; legacy: c1 ok a head 6; candidate: c1 ok a head 3; c1 rewind a; \
                c1 cut; c1 sub a; c1 a1..3";
    clean(text);
}

#[test]
fn a_client_that_ends_beyond_the_head_did_not_converge() {
    let text = "pub a1..3; c1 cursor a 6; c1 ask a from 6; candidate: c1 ok a head 3; candidate: c1 rewind a; \
                candidate: c1 cut; candidate: c1 sub a; candidate: c1 a1..3; legacy: c1 ok a";
    principal(text, &["legacy convergence/ahead-of-head c1 a4..6"]);
}

#[test]
fn a_new_publish_that_is_taken_for_a_repeated_one_is_a_wrong_answer() {
    principal(
        "c1 sub a; legacy: pub a1 known; candidate: pub a1; c1 a1",
        &["legacy wrong-answer/taken-for-a-repeat a1"],
    );
}

#[test]
fn a_publish_whose_answer_got_lost_may_be_taken_for_a_repeat_when_it_is_sent_again() {
    clean(
        "c1 sub a; pub a1 info; pub a1 known; c1 a1; kill; start; c1 cut; c1 sub a from 1; pub a2 info; pub a2 known; c1 a2",
    );
}

#[test]
fn a_refused_subscription_that_is_given_events_all_the_same_is_a_finding() {
    let text = "retain a 2; pub a1..6; c1 cursor a 1; c1 ask a from 1; legacy: c1 a5..6; c1 refused a floor cursor=1; \
                c1 rewind a; c1 sub a; c1 a5..6";
    check("stale-cursor", text, &["legacy delivered-though-refused c1 a2..6"]);
}

#[test]
fn a_refusal_with_the_right_code_and_wrong_fields_is_a_finding() {
    let text = "retain a 2; pub a1..6; c1 cursor a 1; c1 ask a from 1; candidate: c1 refused a floor cursor=1 floor=4 head=6 lag=5; \
                legacy: c1 refused a floor cursor=1 floor=4 head=6 lag=4; c1 rewind a; c1 sub a; c1 a5..6";
    principal(text, &["legacy stale-cursor/wrong-fields c1 a2..6"]);
}

#[test]
fn a_duplicate_with_another_payload_is_found_in_the_same_subscription_and_in_a_later_one() {
    principal(
        "pub a1..2; c1 sub a; c1 a1..2; legacy: c1 a1=a2",
        &["legacy hash-mismatch/not-what-was-published c1 a1"],
    );
    principal(
        "pub a1..2; c1 sub a; c1 a1..2; c1 cut; c1 sub a from 2; legacy: c1 a2=*",
        &["legacy hash-mismatch/not-what-was-published c1 a2"],
    );
}

#[test]
fn the_payload_of_a_refused_publish_must_not_show_up() {
    let found = super::explained("pub a1; c1 sub a; c1 a1; conflict a1; legacy: c1 a2=*");
    assert_eq!(found.checkers().into_iter().collect::<Vec<_>>(), ["phantom"]);
}

#[test]
fn a_live_event_ahead_of_the_replay_it_belongs_behind_is_nonmonotonic() {
    principal(
        "pub a1..3; c1 ask a; pub a4; candidate: c1 a1..4; legacy: c1 a4 a1..3 a4; c1 ok a head 4",
        &[
            "legacy nonmonotonic/delivered-after-a-later-one c1 a1",
            "legacy nonmonotonic/delivered-after-a-later-one c1 a2",
            "legacy nonmonotonic/delivered-after-a-later-one c1 a3",
        ],
    );
}

#[test]
fn a_bootstrap_on_the_connection_that_was_refused_is_no_finding() {
    clean(
        "retain a 3; pub a1..6; c1 cursor a 1; c1 ask a from 1; c1 refused a floor cursor=1 floor=3 head=6; c1 rewind a; \
         c1 ask a; c1 a4..6; c1 ok a head 6; pub a7; c1 a7",
    );
}

#[test]
fn a_policy_that_changes_while_a_client_is_away_is_no_finding() {
    clean(
        "retain a 9; budget a 9; pub a1..4; c1 sub a; c1 a1..4; c1 cut; pub a5..8; policy a retain 2; policy a budget 1; \
         c1 ask a from 4; c1 refused a floor cursor=4 floor=6 head=8 lag=4; c1 rewind a; c1 ask a; c1 a7..8; c1 ok a head 8; \
         policy a budget 9; policy a retain 9; c1 cut; pub a9..12; c1 ask a from 8; c1 a9..12; c1 ok a head 12",
    );
}

#[test]
fn a_cursor_rewritten_once_to_the_future_is_no_finding_once_the_client_has_come_back() {
    clean(
        "planned rewrite c1; pub a1..5; c1 sub a; c1 a1..5; c1 cut; pub a6..7; c1 ask a from 5; c1 rewrote a 5 to 9; \
         c1 ok a head 9; pub a8..10; c1 a10; c1 cut; c1 ask a from 5; c1 a6..10; c1 ok a head 10",
    );
}

#[test]
fn a_client_that_dies_between_delivery_and_checkpoint_is_delivered_again() {
    clean(
        "pub a1..4; c1 sub a; c1 a1..4; c1 crash; c1 ask a from 2; c1 a3..4; c1 ok a head 4; pub a5; c1 a5; \
         planned again c1; fires again c1; c1 a4..5",
    );
}

#[test]
fn an_event_below_a_cursor_that_a_fault_moved_up_is_not_owed_live() {
    check(
        "gap",
        "planned rewrite c1; c1 cursor a 0; c1 ask a from 0; c1 rewrote a 0 to 9; c1 ok a head 9; pub a1; \
         c1 overdue a 1; c1 cut; c1 sub a from 0; c1 a1",
        &[],
    );
}

#[test]
fn phantom_is_silent_on_an_event_that_any_of_two_publishes_sent_together_may_have_written() {
    let mut world = World::read("c1 sub a; pub a1; again a1; c1 a1").unwrap();
    for history in [&mut world.legacy, &mut world.candidate] {
        let is_first = |record: &Record| {
            let op = match record {
                Record::Invoke { op, .. } | Record::Complete { op, .. } => Some(op.0),
                _ => None,
            };
            op == Some(1)
        };
        let late: Vec<Record> = history.records.extract_if(.., |record| is_first(record)).collect();
        let drain = history.records.iter().position(|record| matches!(record, Record::Phase { .. })).unwrap();
        history.records.splice(drain..drain, late);
    }
    let found = reports(&world);
    assert!(found.iter().filter(|report| report.checker == "phantom").all(|report| report.findings.is_empty()));
}
