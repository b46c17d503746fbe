//! The order of first deliveries within one subscription: shared by `gap` and `nonmonotonic`.
//!
//! A lane that sends every event in two kinds of message has two tracks, each of which must be whole and in order; the
//! snapshot and the transactions of SpacetimeDB are one track. Repeats are at-least-once delivery and fine. Deliveries
//! that are no event of the stream at all (`phantom`, `wrong-stream`) don't count: other checkers report them.

use std::collections::BTreeMap;

use super::index::{Delivery, LaneIndex, Sub};
use crate::history::Via;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skip {
    pub first: u64,
    pub last: u64,
    pub at: usize,
    pub at_start: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    pub seq: u64,
    pub at: usize,
    pub skipped_at: usize,
}

#[derive(Debug, Default)]
pub(super) struct Track {
    next: Option<u64>,
    skips: BTreeMap<u64, Skip>,
    pub late: Vec<Late>,
    /// What came on a connection that already carried the stream, before the replay began: the former subscription's.
    early: Option<(u64, usize)>,
    start: Option<u64>,
    lowest: Option<(u64, usize)>,
    last_at: usize,
}

#[derive(Debug, Default)]
pub(super) struct Tracks {
    /// `sync:update_batch`, or SpacetimeDB's one track.
    pub first: Track,
    /// `sync:frame`.
    pub second: Track,
}

impl Tracks {
    pub fn of(lane: &LaneIndex<'_>, sub: &Sub<'_>) -> Tracks {
        let mut tracks = Tracks::default();
        for delivery in sub.deliveries.iter().map(|number| &lane.deliveries[*number]) {
            if !delivery.arrival.fills_its_seq() {
                continue;
            }
            let base = base_of(lane, sub, delivery);
            match delivery.via {
                Via::Frame => tracks.second.take(delivery, base, sub.fresh),
                Via::UpdateBatch | Via::Snapshot | Via::Transaction => tracks.first.take(delivery, base, sub.fresh),
            }
        }
        let base = base_of_sub(lane, sub, sub.ended);
        tracks.first.end(base);
        tracks.second.end(base);
        tracks
    }
}

/// The least and greatest seq after which the replay may begin.
fn base_of(lane: &LaneIndex<'_>, sub: &Sub<'_>, first: &Delivery) -> (u64, u64) {
    base_of_sub(lane, sub, first.at)
}

pub(super) fn base_of_sub(lane: &LaneIndex<'_>, sub: &Sub<'_>, until: usize) -> (u64, u64) {
    let floors = &lane.streams[sub.stream];
    let answered = sub.accepted_at().map_or(until, |at| at.min(until)).max(sub.at);
    let floor = (floors.floor_sure.before(sub.at), floors.floor_may.before(answered));
    match sub.saw {
        // A floor that was rising while the resume was judged may have passed the cursor before the replay was read.
        Some(cursor) if cursor >= floor.0 => (cursor, cursor.max(floor.1)),
        Some(cursor) => (cursor, cursor),
        None => floor,
    }
}

impl Track {
    fn take(&mut self, delivery: &Delivery, (least, greatest): (u64, u64), fresh: bool) {
        let seq = delivery.seq;
        let Some(next) = self.next else {
            if seq <= least {
                return;
            }
            if seq <= greatest.saturating_add(1) {
                self.begin(seq, delivery.at);
                self.lowest = Some((seq, delivery.at));
            } else if fresh {
                self.skips
                    .insert(greatest + 1, Skip { first: greatest + 1, last: seq - 1, at: delivery.at, at_start: true });
                self.begin(seq, delivery.at);
                self.start = Some(greatest + 1);
            } else {
                self.early.get_or_insert((seq, delivery.at));
            }
            return;
        };
        if seq >= next {
            if seq > next {
                self.skips.insert(next, Skip { first: next, last: seq - 1, at: delivery.at, at_start: false });
            }
            self.next = Some(seq.saturating_add(1));
            self.last_at = delivery.at;
        } else if let Some((lowest, begun_at)) = self.lowest.filter(|(lowest, _)| fresh && least < seq && seq < *lowest)
        {
            // Where the replay might have begun lower, what came first only now shows that it should have.
            self.late.push(Late { seq, at: delivery.at, skipped_at: begun_at });
            self.lowest = Some((seq.min(lowest), begun_at));
        } else {
            self.fill(seq, delivery.at);
        }
    }

    fn begin(&mut self, seq: u64, at: usize) {
        self.next = Some(seq.saturating_add(1));
        self.start = Some(seq);
        self.last_at = at;
    }

    /// A seq below the highest: late where it had been skipped, else a repeat.
    fn fill(&mut self, seq: u64, at: usize) {
        let Some(skip) = self.skip_over(seq) else { return };
        self.late.push(Late { seq, at, skipped_at: skip.at });
        self.skips.remove(&skip.first);
        if skip.first < seq {
            self.skips.insert(skip.first, Skip { last: seq - 1, ..skip });
        }
        if seq < skip.last {
            self.skips.insert(seq + 1, Skip { first: seq + 1, ..skip });
        }
    }

    fn end(&mut self, (_, greatest): (u64, u64)) {
        if let (None, Some((seq, at))) = (self.next, self.early) {
            self.skips.insert(greatest + 1, Skip { first: greatest + 1, last: seq - 1, at, at_start: true });
        }
    }

    pub fn skips(&self) -> impl Iterator<Item = Skip> + '_ {
        self.skips.values().copied()
    }

    /// The skip that a seq is part of: no two of them overlap.
    pub fn skip_over(&self, seq: u64) -> Option<Skip> {
        let (_, skip) = self.skips.range(..=seq).next_back()?;
        (seq <= skip.last).then_some(*skip)
    }

    /// The seq after the highest that came, where any did.
    pub fn next(&self) -> Option<u64> {
        self.next
    }

    /// The seq at which the subscription began, skipped or not.
    pub fn start(&self) -> Option<u64> {
        self.start
    }

    pub fn last_at(&self) -> usize {
        self.last_at
    }
}
