#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::finding::Finding;

fn reasons(events: &[(u64, u64)], range: (u64, u64)) -> Vec<(&'static str, u64, u64)> {
    let mut found = Vec::new();
    let mut add = |finding: Finding| {
        let (first, last) = (finding.seq.unwrap().0, finding.last_seq().unwrap().0);
        found.push((finding.reason.word, first, last));
    };
    judge_events(events, range, |reason| Finding::new(NAME, reason), &mut add);
    found
}

#[test]
fn every_event_from_the_oldest_to_the_head_has_one_row() {
    assert_eq!(reasons(&[(3, 9)], (3, 9)), []);
    assert_eq!(reasons(&[], (10, 9)), []);
    assert_eq!(reasons(&[], (3, 9)), [("not-stored", 3, 9)]);
    assert_eq!(reasons(&[(3, 4), (7, 8)], (3, 9)), [("not-stored", 5, 6), ("not-stored", 9, 9)]);
    assert_eq!(reasons(&[(3, 5), (5, 9)], (3, 9)), [("stored-twice", 5, 5)]);
    assert_eq!(reasons(&[(1, 9)], (3, 9)), [("stored-out-of-range", 1, 2)]);
    assert_eq!(reasons(&[(3, 11)], (3, 9)), [("stored-out-of-range", 10, 11)]);
}

#[test]
fn a_checkpoint_goes_forward_only_and_not_beyond_the_head() {
    assert_eq!(answer(None, (4, 4), 4), None);
    assert_eq!(answer(None, (5, 5), 4), Some("checkpoint_beyond_head"));
    assert_eq!(answer(Some((4, 4)), (4, 4), 4), None);
    assert_eq!(answer(Some((4, 4)), (3, 9), 4), Some("checkpoint_conflict"));
    assert_eq!(answer(Some((4, 4)), (4, 9), 9), Some("checkpoint_conflict"));
    assert_eq!(answer(Some((4, 4)), (5, 3), 9), Some("checkpoint_conflict"));
    assert_eq!(answer(Some((4, 4)), (5, 4), 9), None);
}

#[test]
fn after_a_kill_a_checkpoint_may_be_any_that_was_kept_before() {
    let (key, done) = (("phone", 0), Completion::Ok { outcome: crate::history::Outcome::Done });
    let mut checkpoints = Checkpoints::default();
    assert_eq!(checkpoints.answered(key, (2, 2), &done, &(9..=9)), Ok(()));
    assert_eq!(checkpoints.answered(key, (5, 5), &done, &(9..=9)), Ok(()));
    assert_eq!(checkpoints.answered(key, (3, 3), &done, &(9..=9)), Err("checkpoint_conflict".to_owned()));
    checkpoints.kept(key, (5, 5));
    checkpoints.forget_what_may_be_lost();
    assert_eq!(checkpoints.of(key), [None, Some((2, 2)), Some((3, 3)), Some((5, 5))].into());
    assert_eq!(checkpoints.answered(key, (4, 4), &done, &(9..=9)), Ok(()));
}
