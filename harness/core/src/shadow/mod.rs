//! Compares what two live lanes deliver of the same streams, event by event as they come, with bounded memory.
//!
//! Each lane applies the events of a stream in order. What one lane has applied and the other has not yet is kept until
//! the other lane comes to it. An event that cannot be compared is counted, so that a comparison shows how much it saw.

#![allow(missing_docs, reason = "the names say it")]

mod followed;
mod lags;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use followed::{Followed, LaneFollowed, Modules};
pub use lags::{Lags, Quantiles};
use stream::Stream;
pub use stream::{Applied, LaneSeen, StreamSeen};

use crate::hash::PayloadHash;
use crate::ids::{Cursor, LaneId, Seq, StreamId};

/// So many divergences are kept with their details. All are counted.
pub const MOST_KEPT: usize = 200;

/// So many events of a stream wait for the other lane. Beyond that, the oldest are given up, and counted.
pub const MOST_WAITING: usize = 20_000;

/// What differs between the lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Divergence {
    /// Another payload at the same seq.
    Payload {
        stream: StreamId,
        seq: Seq,
        /// The hash of what the legacy lane delivered.
        legacy: PayloadHash,
        /// The hash of what the candidate delivered.
        candidate: PayloadHash,
    },
    /// A lane went on behind an event that it did not deliver, also when it was asked again.
    Lost {
        stream: StreamId,
        /// The first seq that is missing.
        seq: Seq,
        /// How many are missing.
        count: u64,
        lane: LaneId,
    },
    /// A lane went on behind an event on one connection, and delivered it only when it was asked again.
    Skipped {
        stream: StreamId,
        /// The event that was owed.
        seq: Seq,
        /// The event that came in its place.
        came: Seq,
        lane: LaneId,
    },
    /// A lane's head is below what the lane itself delivered before: it has another history.
    Back {
        stream: StreamId,
        /// What the client had applied.
        cursor: Cursor,
        /// The head now; 0 where the lane does not say.
        head: Seq,
        lane: LaneId,
    },
    /// A lane delivered an event with a hash that is not the payload's.
    Hash { stream: StreamId, seq: Seq, lane: LaneId },
}

/// A divergence, and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diverged {
    /// RFC 3339, in UTC; empty until it is stamped.
    pub at: String,
    #[serde(flatten)]
    pub what: Divergence,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Divergence::Payload { stream, seq, legacy, candidate } => {
                write!(f, "seq {seq} of {stream} is {legacy} on the legacy lane and {candidate} on the candidate")
            }
            Divergence::Lost { stream, seq, count, lane } => {
                let events = format!("{count} events of {stream} from seq {seq}");
                write!(f, "the {lane} lane went past {events}, also when asked again")
            }
            Divergence::Skipped { stream, seq, came, lane } => {
                let instead = format!("seq {came} of {stream} came where seq {seq} was owed");
                write!(f, "{instead}, on one connection to the {lane} lane")
            }
            Divergence::Back { stream, cursor, head, lane } => {
                write!(f, "the {lane} lane delivered seq {cursor} of {stream}, and now has its head at {head}")
            }
            Divergence::Hash { stream, seq, lane } => {
                let event = format!("seq {seq} of {stream}");
                write!(f, "the {lane} lane declares another hash of {event} than that of its payload")
            }
        }?;
        if self.at.is_empty() { Ok(()) } else { write!(f, ", seen at {}", self.at) }
    }
}

/// The comparison of all streams.
#[derive(Debug)]
pub struct Shadow {
    streams: BTreeMap<StreamId, Stream>,
    kept: Vec<Diverged>,
    diverged: u64,
    most_waiting: usize,
}

/// What was compared until now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Each stream.
    pub streams: BTreeMap<StreamId, StreamSeen>,
    /// The first divergences, at most [`MOST_KEPT`].
    pub divergences: Vec<Diverged>,
    /// How many divergences there were.
    pub diverged: u64,
}

impl Shadow {
    /// A comparison of these streams.
    pub fn new(streams: impl IntoIterator<Item = StreamId>) -> Shadow {
        let streams = streams.into_iter().map(|stream| (stream, Stream::default())).collect();
        Shadow { streams, kept: Vec::new(), diverged: 0, most_waiting: MOST_WAITING }
    }

    /// An event that a lane's client applied, `at_us` microseconds after the begin. Events of a stream come in order.
    pub fn applied(&mut self, lane: LaneId, stream: &StreamId, seq: Seq, hash: PayloadHash, at_us: u64) {
        let most = self.most_waiting;
        let Some(compared) = self.streams.get_mut(stream) else { return };
        if let Some((legacy, candidate)) = compared.applied(lane, Applied { seq, hash, at_us }, most) {
            self.diverged(Divergence::Payload { stream: stream.clone(), seq, legacy, candidate });
        }
    }

    /// An event that came once more.
    pub fn duplicate(&mut self, lane: LaneId, stream: &StreamId) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.lane(lane).duplicates += 1;
        }
    }

    /// A lane goes on at `next`, and did not deliver what is before.
    pub fn lost(&mut self, lane: LaneId, stream: &StreamId, next: Seq) {
        let Some(compared) = self.streams.get_mut(stream) else { return };
        if let Some((seq, count)) = compared.skip(lane, next) {
            compared.lane(lane).lost += count;
            self.diverged(Divergence::Lost { stream: stream.clone(), seq, count, lane });
        }
    }

    /// An event came before one that was owed. The lane is asked again from there, so this is not yet a loss.
    pub fn skipped(&mut self, lane: LaneId, stream: &StreamId, came: Seq) {
        let Some(compared) = self.streams.get_mut(stream) else { return };
        if let Some((seq, _)) = compared.skip(lane, came) {
            self.diverged(Divergence::Skipped { stream: stream.clone(), seq, came, lane });
        }
    }

    /// A lane no longer has what the client would resume from: the client begins again with what is retained. What lies
    /// between can't be compared.
    pub fn rebootstrapped(&mut self, lane: LaneId, stream: &StreamId) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.lane(lane).rebootstraps += 1;
        }
    }

    /// A lane that has another history than the one that it delivered. The client begins again.
    pub fn went_back(&mut self, lane: LaneId, stream: &StreamId, cursor: Cursor, head: Seq) {
        if let Some(compared) = self.streams.get_mut(stream) {
            compared.lane(lane).rebootstraps += 1;
            self.diverged(Divergence::Back { stream: stream.clone(), cursor, head, lane });
        }
    }

    /// A delivery whose declared hash is not that of its payload.
    pub fn declared_otherwise(&mut self, lane: LaneId, stream: &StreamId, seq: Seq) {
        if self.streams.contains_key(stream) {
            self.diverged(Divergence::Hash { stream: stream.clone(), seq, lane });
        }
    }

    fn diverged(&mut self, divergence: Divergence) {
        self.diverged += 1;
        if self.kept.len() < MOST_KEPT {
            self.kept.push(Diverged { at: String::new(), what: divergence });
        }
    }

    /// Says when the divergences were seen that have come since the last call.
    pub fn stamp(&mut self, now: impl Fn() -> String) {
        for diverged in self.kept.iter_mut().rev().take_while(|diverged| diverged.at.is_empty()) {
            diverged.at = now();
        }
    }

    /// Whether each lane has applied what the other one has.
    pub fn is_level(&self) -> bool {
        self.streams.values().all(Stream::is_level)
    }

    /// How many events of all streams wait for this lane.
    pub fn waiting_for(&self, lane: LaneId) -> u64 {
        self.streams.values().map(|stream| stream.waiting_for(lane)).sum()
    }

    /// How long ago the oldest event came that waits for this lane, in microseconds.
    pub fn behind_us(&self, lane: LaneId, now_us: u64) -> u64 {
        let oldest = self.streams.values().filter_map(|stream| stream.oldest_waiting_for(lane)).min();
        oldest.map_or(0, |oldest| now_us.saturating_sub(oldest))
    }

    /// What was compared until now.
    pub fn seen(&self) -> Seen {
        Seen {
            streams: self.streams.iter().map(|(name, stream)| (name.clone(), stream.seen())).collect(),
            divergences: self.kept.clone(),
            diverged: self.diverged,
        }
    }
}
