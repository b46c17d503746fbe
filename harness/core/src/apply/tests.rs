#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn offer(applier: &mut Applier, seq: u64) -> Verdict {
    applier.offer(&"a".into(), Seq(seq), || Ok::<(), ()>(()))
}

fn at(cursor: u64) -> Applier {
    Applier::resume(&[(StreamId::from("a"), Cursor(cursor))].into())
}

#[test]
fn the_next_event_is_applied_and_an_older_one_is_a_duplicate() {
    let mut applier = at(4);
    assert_eq!(offer(&mut applier, 5), Verdict::Applied);
    assert_eq!(offer(&mut applier, 5), Verdict::Duplicate);
    assert_eq!(offer(&mut applier, 1), Verdict::Duplicate);
    assert_eq!(applier.cursor(&"a".into()), Some(Cursor(5)));
}

#[test]
fn an_event_that_skips_one_is_out_of_order_and_moves_nothing() {
    let mut applier = at(4);
    assert_eq!(offer(&mut applier, 6), Verdict::OutOfOrder);
    assert_eq!(applier.cursor(&"a".into()), Some(Cursor(4)));
}

#[test]
fn a_delta_before_any_snapshot_or_checkpoint_asks_for_one() {
    assert_eq!(offer(&mut Applier::default(), 1), Verdict::SnapshotRequired);
}

#[test]
fn a_bootstrap_starts_where_the_lane_starts() {
    let mut applier = Applier::default();
    applier.begin_bootstrap(&"a".into());
    assert_eq!(offer(&mut applier, 31), Verdict::Applied);
    assert_eq!(offer(&mut applier, 33), Verdict::OutOfOrder);
}

#[test]
fn a_bootstrap_of_an_empty_stream_expects_the_first_event() {
    let mut applier = Applier::default();
    applier.begin_bootstrap(&"a".into());
    applier.replay_complete(&"a".into());
    assert_eq!(offer(&mut applier, 2), Verdict::OutOfOrder);
    assert_eq!(offer(&mut applier, 1), Verdict::Applied);
}

#[test]
fn an_apply_that_fails_leaves_the_watermark() {
    let mut applier = at(4);
    assert_eq!(applier.offer(&"a".into(), Seq(5), || Err(())), Verdict::Failed);
    assert_eq!(offer(&mut applier, 5), Verdict::Applied);
}

#[test]
fn a_rewound_stream_has_no_cursor() {
    let mut applier = at(4);
    applier.rewind(&"a".into());
    assert!(applier.cursors().is_empty());
}

proptest! {
    #[test]
    fn whatever_arrives_is_applied_once_and_in_order(seqs in prop::collection::vec(1u64..20, 0..200)) {
        let mut applier = at(0);
        let mut applied = Vec::new();
        for seq in seqs {
            if offer(&mut applier, seq) == Verdict::Applied {
                applied.push(seq);
            }
        }
        prop_assert_eq!(&applied, &(1..=applied.len() as u64).collect::<Vec<_>>());
    }
}
