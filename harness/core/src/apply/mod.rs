//! The apply engine: what a client makes of a delivery, and the checkpoint that it keeps.
//!
//! One engine serves both lanes, so that a difference between what two clients ended with is a difference between what
//! two lanes delivered. Pure: it says what to do and remembers how far it came (contract, "Applying, on the client").

use std::collections::BTreeMap;

use crate::history::Verdict;
use crate::ids::{Cursor, Seq, StreamId};

/// A client's position in each of its streams.
#[derive(Debug, Clone, Default)]
pub struct Applier {
    streams: BTreeMap<StreamId, Position>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Nothing is known of the stream: a delta can't be placed.
    Unknown,
    /// A bootstrap is under way: the first event, whichever it is, is the start.
    Bootstrapping,
    /// Everything up to here is applied.
    At(Cursor),
}

impl Applier {
    /// An engine that goes on from a checkpoint. A stream that it does not name has to be bootstrapped.
    pub fn resume(checkpoint: &BTreeMap<StreamId, Cursor>) -> Applier {
        let streams = checkpoint
            .iter()
            .map(|(stream, cursor)| (stream.clone(), Position::At(*cursor)))
            .collect();
        Applier { streams }
    }

    /// How far a stream is applied, or `None` where it has to be bootstrapped.
    pub fn cursor(&self, stream: &StreamId) -> Option<Cursor> {
        match self.streams.get(stream) {
            Some(Position::At(cursor)) => Some(*cursor),
            _ => None,
        }
    }

    /// A bootstrap of a stream was asked for: what comes first is where it starts.
    pub fn begin_bootstrap(&mut self, stream: &StreamId) {
        self.streams.insert(stream.clone(), Position::Bootstrapping);
    }

    /// The lane answered that the replay is complete. A bootstrap that brought nothing starts an empty stream.
    pub fn replay_complete(&mut self, stream: &StreamId) {
        if self.streams.get(stream) == Some(&Position::Bootstrapping) {
            self.streams.insert(stream.clone(), Position::At(Cursor(0)));
        }
    }

    /// Offers an event. `apply` is called for the next one only; where it fails, the watermark stays, so that the event
    /// is asked for again.
    pub fn offer<E>(&mut self, stream: &StreamId, seq: Seq, apply: impl FnOnce() -> Result<(), E>) -> Verdict {
        let verdict = match self.streams.get(stream).copied().unwrap_or(Position::Unknown) {
            Position::Unknown => return Verdict::SnapshotRequired,
            Position::Bootstrapping => Verdict::Applied,
            Position::At(cursor) if seq.0 <= cursor.0 => return Verdict::Duplicate,
            Position::At(cursor) if seq == cursor.next() => Verdict::Applied,
            Position::At(_) => return Verdict::OutOfOrder,
        };
        if apply().is_err() {
            return Verdict::Failed;
        }
        self.streams.insert(stream.clone(), Position::At(Cursor::from(seq)));
        verdict
    }

    /// Gives up the cursor of a stream; the next subscription bootstraps it.
    pub fn rewind(&mut self, stream: &StreamId) {
        self.streams.insert(stream.clone(), Position::Unknown);
    }

    /// Overwrites the cursor of a stream.
    pub fn set_cursor(&mut self, stream: &StreamId, cursor: Cursor) {
        self.streams.insert(stream.clone(), Position::At(cursor));
    }

    /// How far each stream is applied.
    pub fn cursors(&self) -> BTreeMap<StreamId, Cursor> {
        let cursors = self.streams.iter().filter_map(|(stream, position)| match position {
            Position::At(cursor) => Some((stream.clone(), *cursor)),
            Position::Unknown | Position::Bootstrapping => None,
        });
        cursors.collect()
    }
}

#[cfg(test)]
mod tests {
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
}
