//! How a client applies a delivery, and the checkpoint that it keeps.
//!
//! Both lanes use the same code, so that a difference between two clients is a difference between what the lanes
//! delivered (contract, "Applying, on the client").

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
    /// Continues from a checkpoint. A stream that it does not name has to be bootstrapped.
    pub fn resume(checkpoint: &BTreeMap<StreamId, Cursor>) -> Applier {
        let streams = checkpoint.iter().map(|(stream, cursor)| (stream.clone(), Position::At(*cursor))).collect();
        Applier { streams }
    }

    /// How far a stream is applied, or `None` where it has to be bootstrapped.
    pub fn cursor(&self, stream: &StreamId) -> Option<Cursor> {
        match self.streams.get(stream) {
            Some(Position::At(cursor)) => Some(*cursor),
            _ => None,
        }
    }

    /// A bootstrap of a stream was requested. It starts with the first event that arrives.
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
mod tests;
