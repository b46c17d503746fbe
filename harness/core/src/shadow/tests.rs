#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::hash::payload_hash;
use LaneId::{Candidate, Legacy};

fn stream() -> StreamId {
    StreamId::new("run:a:events")
}

fn hash(seq: u64) -> PayloadHash {
    payload_hash(seq.to_string().as_bytes()).unwrap()
}

/// Applies events in this order: `l3` is event 3 on the legacy lane, `c3x` is another payload on the candidate.
fn shadow(order: &str) -> Shadow {
    let mut shadow = Shadow::new([stream()]);
    for (at_us, word) in order.split_whitespace().enumerate() {
        let lane = if word.starts_with('l') { Legacy } else { Candidate };
        let seq: u64 = word.trim_matches(|letter: char| letter.is_alphabetic()).parse().unwrap();
        let payload = if word.ends_with('x') { hash(seq + 1_000_000) } else { hash(seq) };
        shadow.applied(lane, &stream(), Seq(seq), payload, at_us as u64);
    }
    shadow
}

fn seen(order: &str) -> StreamSeen {
    shadow(order).seen().streams.remove(&stream()).unwrap()
}

#[test]
fn lanes_that_deliver_the_same_are_level_with_equal_digests() {
    let shadow = shadow("l1 c1 c2 c3 l2 l3");
    assert!(shadow.is_level());
    let seen = &shadow.seen().streams[&stream()];
    assert_eq!((seen.compared, seen.range), (3, Some((Seq(1), Seq(3)))));
    assert_eq!(seen.legacy.digest, seen.candidate.digest);
    assert_eq!(shadow.seen().diverged, 0);
}

#[test]
fn another_payload_is_a_divergence_and_shows_in_the_digest() {
    let found = shadow("l1 c1 c2x l2 l3 c3").seen();
    let Divergence::Payload { seq, candidate, .. } = &found.divergences[0].what else { panic!("{found:?}") };
    assert_eq!((*seq, *candidate, found.diverged), (Seq(2), hash(1_000_002), 1));
    let seen = &found.streams[&stream()];
    assert_ne!(seen.legacy.digest, seen.candidate.digest);
}

#[test]
fn a_divergence_says_when_it_was_seen() {
    let mut shadow = shadow("l1 c1x");
    shadow.stamp(|| "2026-03-01T10:00:00.000Z".to_owned());
    shadow.applied(Legacy, &stream(), Seq(2), hash(2), 9);
    shadow.applied(Candidate, &stream(), Seq(2), hash(3), 9);
    shadow.stamp(|| "2026-03-01T11:00:00.000Z".to_owned());
    let seen: Vec<String> = shadow.seen().divergences.iter().map(ToString::to_string).collect();
    assert!(seen[0].starts_with("seq 1 of run:a:events is sha256:"), "{}", seen[0]);
    assert!(seen[0].ends_with("seen at 2026-03-01T10:00:00.000Z"), "{}", seen[0]);
    assert!(seen[1].ends_with("seen at 2026-03-01T11:00:00.000Z"), "{}", seen[1]);
}

#[test]
fn what_only_one_lane_retains_is_counted_and_not_compared() {
    let seen = seen("l1 l2 l3 c3 l4 c4");
    assert_eq!((seen.compared, seen.range, seen.legacy.earlier), (2, Some((Seq(3), Seq(4))), 2));
    assert_eq!(seen.legacy.uncompared, 0);
    let other = self::seen("c3 l1 l2 l3");
    assert_eq!((other.compared, other.legacy.earlier), (1, 2));
}

#[test]
fn an_event_that_a_lane_went_past_is_lost() {
    let mut shadow = shadow("l1 c1 l2 l3");
    shadow.lost(Candidate, &stream(), Seq(3));
    shadow.applied(Candidate, &stream(), Seq(3), hash(3), 9);
    let seen = shadow.seen();
    let lost = Divergence::Lost { stream: stream(), seq: Seq(2), count: 1, lane: Candidate };
    assert_eq!(seen.divergences, [Diverged { at: String::new(), what: lost }]);
    assert_eq!(seen.streams[&stream()].candidate.lost, 1);
    assert_eq!(seen.streams[&stream()].legacy.uncompared, 1);
    assert!(shadow.is_level());
}

#[test]
fn an_event_that_comes_only_when_it_is_asked_for_again_was_skipped() {
    let mut shadow = shadow("l1 c1 l2 l3");
    shadow.skipped(Candidate, &stream(), Seq(3));
    shadow.applied(Candidate, &stream(), Seq(2), hash(2), 9);
    shadow.applied(Candidate, &stream(), Seq(3), hash(3), 10);
    let seen = shadow.seen();
    let skipped = Divergence::Skipped { stream: stream(), seq: Seq(2), came: Seq(3), lane: Candidate };
    assert_eq!(seen.divergences.iter().map(|diverged| &diverged.what).collect::<Vec<_>>(), [&skipped]);
    assert_eq!((seen.streams[&stream()].compared, seen.streams[&stream()].candidate.lost), (3, 0));
}

#[test]
fn a_lane_that_stays_behind_is_told_by_events_and_by_time() {
    let shadow = shadow("l1 c1 l2 l3");
    assert!(!shadow.is_level());
    assert_eq!((shadow.waiting_for(Candidate), shadow.waiting_for(Legacy)), (2, 0));
    assert_eq!((shadow.behind_us(Candidate, 102), shadow.behind_us(Legacy, 102)), (100, 0));
}

#[test]
fn memory_is_bounded_where_one_lane_stands_still() {
    let mut shadow = Shadow::new([stream()]);
    shadow.most_waiting = 10;
    for seq in 1..=100 {
        shadow.applied(Legacy, &stream(), Seq(seq), hash(seq), seq);
    }
    let seen = &shadow.seen().streams[&stream()];
    assert_eq!((seen.legacy.waiting, seen.legacy.uncompared), (10, 90));
}

#[test]
fn divergences_beyond_those_that_are_kept_are_counted() {
    let mut shadow = Shadow::new([stream()]);
    for seq in 1..=300 {
        shadow.applied(Legacy, &stream(), Seq(seq), hash(seq), seq);
        shadow.applied(Candidate, &stream(), Seq(seq), hash(seq + 1), seq);
    }
    let seen = shadow.seen();
    assert_eq!((seen.divergences.len(), seen.diverged), (MOST_KEPT, 300));
}

#[test]
fn another_stream_is_not_counted() {
    let mut shadow = shadow("");
    shadow.applied(Legacy, &StreamId::new("other"), Seq(1), hash(1), 0);
    shadow.lost(Legacy, &StreamId::new("other"), Seq(9));
    shadow.declared_otherwise(Legacy, &StreamId::new("other"), Seq(9));
    assert_eq!(shadow.seen().diverged, 0);
}

proptest! {
    /// Whatever the order in which the events of two equal lanes come, all are compared and none differs.
    #[test]
    fn equal_lanes_never_diverge(turns in prop::collection::vec(any::<bool>(), 0..200)) {
        let mut shadow = Shadow::new([stream()]);
        let mut next = [1_u64, 1];
        let most = turns.iter().filter(|turn| **turn).count().max(turns.iter().filter(|turn| !**turn).count()) as u64;
        let rest = [true, false].into_iter().flat_map(|lane| std::iter::repeat_n(lane, turns.len()));
        for (at, turn) in turns.iter().copied().chain(rest).enumerate() {
            let (lane, side) = if turn { (Legacy, 0) } else { (Candidate, 1) };
            if next[side] <= most {
                shadow.applied(lane, &stream(), Seq(next[side]), hash(next[side]), at as u64);
                next[side] += 1;
            }
        }
        let seen = shadow.seen();
        prop_assert!(shadow.is_level());
        prop_assert_eq!(seen.diverged, 0);
        prop_assert_eq!(seen.streams[&stream()].compared, most);
    }

    #[test]
    fn a_quantile_is_at_most_a_quarter_above_the_true_one(
        mut times in prop::collection::vec(0..10_000_000_u64, 1..300),
    ) {
        let mut lags = Lags::default();
        times.iter().for_each(|time| lags.add(*time));
        times.sort_unstable();
        let quantiles = lags.quantiles();
        for (percent, found) in [(50, quantiles.p50), (95, quantiles.p95), (99, quantiles.p99)] {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            let exact = times[rank - 1];
            prop_assert!(found >= exact && found <= exact + exact / 4 + 1, "p{}: {} and {}", percent, found, exact);
        }
        prop_assert_eq!(quantiles.most, *times.last().unwrap());
    }
}
