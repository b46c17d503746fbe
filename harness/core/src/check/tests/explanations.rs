//! One root, one principal finding; and no explanation hides what it has nothing to do with.

use super::{explained, finding, principal};
use crate::check::explain::explain;
use crate::check::{Report, Verdict};

#[test]
fn an_event_that_is_dropped_for_good_is_a_lost_write_and_nothing_else() {
    principal(
        "pub a1..4; c1 sub a; candidate: c1 a1..4; legacy: c1 a1..2 a4; legacy: c1 sub a from 2; legacy: c1 a4; \
         legacy: c1 stuck a; legacy: timeout",
        &["legacy lost-write/never-delivered c1 a3"],
    );
}

#[test]
fn an_event_that_is_dropped_once_is_a_gap() {
    principal(
        "pub a1..4; c1 sub a; candidate: c1 a1..4; legacy: c1 a1..2 a4; legacy: c1 cut; legacy: c1 sub a from 2; \
         legacy: c1 a3..4",
        &["legacy gap/skipped c1 a3"],
    );
}

#[test]
fn a_swap_is_nonmonotonic_and_nothing_else() {
    principal(
        "pub a1..3; c1 sub a; legacy: c1 a1..3; candidate: c1 a1 a3 a2; candidate: c1 cut; \
         candidate: c1 sub a from 2; candidate: c1 a3",
        &["candidate nonmonotonic/delivered-after-a-later-one c1 a2"],
    );
}

#[test]
fn a_changed_payload_is_a_hash_mismatch_and_nothing_else() {
    principal(
        "pub a1..2; c1 sub a; legacy: c1 a1 a2=*; candidate: c1 a1..2",
        &["legacy hash-mismatch/not-what-was-published c1 a2"],
    );
}

#[test]
fn a_stale_cursor_that_is_accepted_explains_the_gap_and_the_loss_that_follow() {
    principal(
        "retain a 2; pub a1..6; c1 cursor a 1; c1 ask a from 1; candidate: c1 refused a floor; candidate: c1 rewind a; \
         candidate: c1 sub a; candidate: c1 a5..6; legacy: c1 a5..6; legacy: c1 ok a; legacy: c1 stuck a",
        &["legacy stale-cursor/stale-accepted c1 a2..4"],
    );
}

#[test]
fn a_duplicate_append_explains_the_seqs_that_it_shifts() {
    principal(
        "pub a1; c1 sub a; c1 a1; legacy: again a1 = 2; legacy: c1 a2=a1; candidate: again a1; candidate: pub a2..3; \
         candidate: c1 a2..3; legacy: pub a2 = 3; legacy: pub a3 = 4; legacy: c1 a3=a2 a4=a3",
        &["legacy duplicate-apply/repeated-publish-appended a2", "legacy duplicate-apply/appended-twice a2"],
    );
}

#[test]
fn a_silent_duplicate_append_is_a_duplicate_and_no_phantom() {
    let found = explained(
        "pub a1; c1 sub a; c1 a1; legacy: c1 a2=a1; candidate: pub a2; candidate: c1 a2; legacy: pub a2 = 3; legacy: c1 a3=a2",
    );
    assert_eq!(found.checkers().into_iter().collect::<Vec<_>>(), ["duplicate-apply"]);
}

#[test]
fn a_stream_that_a_restart_forgot_is_observed_then_lost_and_nothing_else() {
    let found = explained(
        "pub a1..3; c1 sub a; c1 a1..3; kill; start; c1 cut; legacy: c1 ask a from 3; legacy: c1 ok a head 0; \
         candidate: c1 sub a from 3; candidate: pub a4..5; candidate: c1 a4..5; legacy: c1 rewind a; legacy: c1 sub a; \
         legacy: pub a4 = 1; legacy: pub a5 = 2; legacy: c1 a1=a4 a2=a5; legacy: timeout",
    );
    assert_eq!(found.checkers().into_iter().collect::<Vec<_>>(), ["observed-then-lost"]);
    assert!(!found.consequences.is_empty());
}

#[test]
fn an_acknowledged_conflict_is_a_lost_write_and_nothing_else() {
    principal(
        "pub a1; c1 sub a; c1 a1; legacy: conflict a1 = 1; candidate: conflict a1",
        &["legacy lost-write/another-payload-acknowledged a1"],
    );
}

#[test]
fn a_refused_publish_explains_that_only_the_other_lane_delivered_it() {
    principal(
        "c1 sub a; legacy: pub a1 refused internal; candidate: pub a1; candidate: c1 a1",
        &["legacy wrong-answer/refused a1"],
    );
}

#[test]
fn an_event_under_a_foreign_stream_is_wrong_stream_and_nothing_else() {
    principal(
        "pub a1..3; pub b1; c1 sub a; c1 sub b; candidate: c1 a1..3 b1; legacy: c1 b1 a1 a2=b1 a2 a3",
        &["legacy wrong-stream/another-streams-event c1 a2"],
    );
}

#[test]
fn a_loss_explains_nothing_of_another_client_stream_or_lane() {
    principal(
        "pub a1..2; pub b1..2; c1 sub a; c1 sub b; c2 sub a; c2 a1..2; c1 b1..2; candidate: c1 a1..2; legacy: c1 a1; \
         legacy: c2 mark a 1; legacy: c1 mark b 1; candidate: c1 mark a 1",
        &[
            "legacy lost-write/never-delivered c1 a2",
            "legacy convergence/behind-head c1 b2",
            "legacy convergence/behind-head c2 a2",
            "candidate convergence/behind-head c1 a2",
        ],
    );
}

#[test]
fn an_accepted_stale_cursor_does_not_hide_a_loss_above_the_floor() {
    principal(
        "retain a 2; pub a1..6; c1 cursor a 1; c1 ask a from 1; candidate: c1 refused a floor; candidate: c1 rewind a; \
         candidate: c1 sub a; candidate: c1 a5..6; legacy: c1 a5; legacy: c1 ok a",
        &["legacy stale-cursor/stale-accepted c1 a2..4", "legacy lost-write/never-delivered c1 a6"],
    );
}

#[test]
fn what_nobody_knows_never_explains_what_is_wrong() {
    let found = explained("c1 sub a; legacy: pub a1 info; candidate: pub a1; candidate: c1 a1; c1 mark a 0");
    let wrong: Vec<String> = found.principal.iter().map(super::short).collect();
    assert!(wrong.contains(&"candidate convergence/behind-head c1 a1".to_owned()), "{wrong:?}");
    assert!(wrong.contains(&"legacy wrong-answer/never-answered a1".to_owned()), "{wrong:?}");
}

#[test]
fn a_driver_that_gave_up_is_no_finding_of_its_own_where_something_is_wrong_on_its_lane() {
    let found =
        explained("pub a1..2; c1 sub a; candidate: c1 a1..2; legacy: c1 a1; legacy: timeout; candidate: timeout");
    let principal: Vec<String> = found.principal.iter().map(super::short).collect();
    assert_eq!(principal, ["legacy lost-write/never-delivered c1 a2", "candidate vacuity/timed-out"]);
}

#[test]
fn a_hole_in_the_seqs_that_a_lane_assigns_is_a_wrong_answer_and_nothing_else() {
    principal(
        "pub a1; c1 sub a; c1 a1; candidate: pub a2..3; candidate: c1 a2..3; legacy: pub a2 = 3; legacy: pub a3 = 4; \
         legacy: c1 a3=a2 a4=a3; legacy: c1 stuck a",
        &["legacy wrong-answer/acknowledged-at-another-seq a2"],
    );
}

#[test]
fn an_event_that_comes_under_another_seq_is_a_hash_mismatch_and_nothing_else() {
    principal(
        "pub a1..4; c1 sub a; candidate: c1 a1..4; legacy: c1 a1..2 a2=a3 a4; legacy: c1 cut; legacy: c1 sub a from 2; \
         legacy: c1 a4; legacy: c1 stuck a; legacy: timeout",
        &["legacy hash-mismatch/not-what-was-published c1 a2"],
    );
}

#[test]
fn a_lane_that_never_prunes_is_found_on_its_own_and_the_other_is_not_blamed() {
    principal(
        "retain a 2; pub a1..5; c1 sub a; legacy: c1 a1..5; candidate: c1 a4..5",
        &["legacy stale-cursor/pruned-delivered c1 a1..3"],
    );
}

#[test]
fn a_floor_that_is_off_by_one_is_a_stale_cursor_and_nothing_else() {
    principal(
        "at-least deliveries 2; retain a 2; pub a1..6; c1 cursor a 3; c1 ask a from 3; candidate: c1 refused a floor; \
         candidate: c1 rewind a; candidate: c1 sub a; candidate: c1 a5..6; legacy: c1 a5..6; legacy: c1 ok a head 6; \
         legacy: c1 cut; legacy: c1 sub a from 3; legacy: c1 a5..6; legacy: c1 stuck a; legacy: timeout",
        &["legacy stale-cursor/stale-accepted c1 a4"],
    );
}

#[test]
fn a_batch_that_an_event_is_missing_from_fits_no_longer_what_is_said_of_it() {
    let text = "pub a1..3; c1 sub a; candidate: c1 a1..3; legacy: c1 a1 a2; legacy: c1 contradicts a 2 never-complete";
    principal(text, &["legacy lost-write/never-delivered c1 a3"]);
}

#[test]
fn a_warning_is_kept_apart_and_neither_explains_nor_is_explained() {
    let lost = |verdict| {
        let found = finding("lost-write", "never-delivered").with(verdict);
        found.on(crate::ids::LaneId::Legacy).of_event(1)
    };
    let mut report = Report::new("lost-write");
    report.push(lost(Verdict::Valid));
    assert_eq!(report.verdict, Verdict::Valid);
    report.push(lost(Verdict::Invalid));
    let explained = explain(&[report]);
    assert_eq!((explained.warnings.len(), explained.principal.len()), (1, 1));
    assert!(explained.consequences.is_empty());
    assert_eq!(super::worst(&explained), Verdict::Invalid);
    assert_eq!(explained.principal[0].verdict, Verdict::Invalid);
}
