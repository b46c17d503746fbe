//! One stream, as both lanes deliver it.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Lags, Quantiles};
use crate::hash::PayloadHash;
use crate::ids::{LaneId, Seq};

/// An event that a client applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    pub seq: Seq,
    pub hash: PayloadHash,
    /// When it was applied, in microseconds from the begin.
    pub at_us: u64,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    lanes: [Side; 2],
    compared: u64,
    /// The first seq and the last one that were compared.
    range: Option<(Seq, Seq)>,
    /// By how much the candidate was later, and by how much the legacy lane was.
    later: [Lags; 2],
}

#[derive(Debug, Default)]
pub(super) struct Side {
    /// The last event that was applied.
    last: Option<Seq>,
    applied: u64,
    pub(super) duplicates: u64,
    pub(super) lost: u64,
    pub(super) rebootstraps: u64,
    /// Events before the first one that was compared: only this lane still has them.
    earlier: u64,
    /// Events behind it that the other lane never came to, or went past.
    uncompared: u64,
    waiting: VecDeque<Applied>,
    /// Over seq and hash of each event that was compared.
    digest: Sha256,
}

/// What was seen of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSeen {
    /// How many events both lanes delivered.
    pub compared: u64,
    /// The first of them, and the last; `None` where there are none.
    pub range: Option<(Seq, Seq)>,
    pub legacy: LaneSeen,
    pub candidate: LaneSeen,
    /// By how much the candidate was later, of the events that came later on it; in microseconds.
    pub candidate_later_us: Quantiles,
    /// By how much the legacy lane was later.
    pub legacy_later_us: Quantiles,
}

/// What was seen of a stream on one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSeen {
    /// The last event that was applied.
    pub last: Option<Seq>,
    /// How many events were applied.
    pub applied: u64,
    /// How many came once more.
    pub duplicates: u64,
    /// How many were never delivered.
    pub lost: u64,
    /// How often the client had to begin again with what is retained.
    pub rebootstraps: u64,
    /// How many events came before the first one that was compared: only this lane still had them.
    pub earlier: u64,
    /// How many events behind it have no event of the other lane to be compared with.
    pub uncompared: u64,
    /// How many wait for the other lane.
    pub waiting: u64,
    /// `sha256:` over the lines `SEQ HASH` of all events that were compared.
    pub digest: String,
}

impl StreamSeen {
    /// What was seen of it on a lane.
    pub fn of(&self, lane: LaneId) -> &LaneSeen {
        match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        }
    }
}

fn index(lane: LaneId) -> usize {
    usize::from(lane == LaneId::Candidate)
}

impl Stream {
    pub(super) fn lane(&mut self, lane: LaneId) -> &mut Side {
        &mut self.lanes[index(lane)]
    }

    /// Takes an event, and compares it where the other lane has it. Returns both hashes where they differ: that of the
    /// legacy lane first.
    pub(super) fn applied(
        &mut self,
        lane: LaneId,
        event: Applied,
        most_waiting: usize,
    ) -> Option<(PayloadHash, PayloadHash)> {
        let (own, other) = (index(lane), index(lane.other()));
        if self.lanes[own].last.is_some_and(|last| event.seq <= last) {
            // A client that began again applies what it had applied before.
            self.lanes[own].duplicates += 1;
            return None;
        }
        self.lanes[own].last = Some(event.seq);
        self.lanes[own].applied += 1;
        // What the other lane applied before this event, this lane has gone past.
        while self.lanes[other].waiting.front().is_some_and(|first| first.seq < event.seq) {
            self.lanes[other].waiting.pop_front();
            self.not_compared(other);
        }
        let fits = self.lanes[other].waiting.front().is_some_and(|first| first.seq == event.seq);
        let counterpart = if fits { self.lanes[other].waiting.pop_front() } else { None };
        let Some(counterpart) = counterpart else {
            // The other lane is past it already, or has yet to come to it.
            if self.lanes[other].last.is_some_and(|last| last >= event.seq) {
                match self.range {
                    Some((first, _)) if event.seq >= first => self.lanes[own].uncompared += 1,
                    _ => self.lanes[own].earlier += 1,
                }
                return None;
            }
            self.lanes[own].waiting.push_back(event);
            if self.lanes[own].waiting.len() > most_waiting {
                self.lanes[own].waiting.pop_front();
                self.lanes[own].uncompared += 1;
            }
            return None;
        };
        self.compared += 1;
        let first = self.range.map_or(event.seq, |(first, _)| first);
        self.range = Some((first, event.seq));
        self.later[own].add(event.at_us.saturating_sub(counterpart.at_us));
        for (side, event) in [(own, event), (other, counterpart)] {
            self.lanes[side].digest.update(format!("{} {}\n", event.seq, event.hash));
        }
        let (legacy, candidate) = match lane {
            LaneId::Legacy => (event.hash, counterpart.hash),
            LaneId::Candidate => (counterpart.hash, event.hash),
        };
        (legacy != candidate).then_some((legacy, candidate))
    }

    fn not_compared(&mut self, side: usize) {
        match self.range {
            Some(_) => self.lanes[side].uncompared += 1,
            None => self.lanes[side].earlier += 1,
        }
    }

    /// A lane goes on at `next`. Returns the first seq that it left out, and how many.
    pub(super) fn skip(&mut self, lane: LaneId, next: Seq) -> Option<(Seq, u64)> {
        let after = self.lanes[index(lane)].last.map_or(1, |last| last.0 + 1);
        let count = next.0.checked_sub(after).filter(|count| *count > 0)?;
        Some((Seq(after), count))
    }

    pub(super) fn is_level(&self) -> bool {
        self.lanes.iter().all(|side| side.waiting.is_empty())
    }

    pub(super) fn waiting_for(&self, lane: LaneId) -> u64 {
        self.lanes[index(lane.other())].waiting.len() as u64
    }

    pub(super) fn oldest_waiting_for(&self, lane: LaneId) -> Option<u64> {
        self.lanes[index(lane.other())].waiting.front().map(|event| event.at_us)
    }

    pub(super) fn seen(&self) -> StreamSeen {
        let [legacy, candidate] = &self.lanes;
        let [legacy_later, candidate_later] = &self.later;
        StreamSeen {
            compared: self.compared,
            range: self.range,
            legacy: legacy.seen(),
            candidate: candidate.seen(),
            candidate_later_us: candidate_later.quantiles(),
            legacy_later_us: legacy_later.quantiles(),
        }
    }
}

impl Side {
    fn seen(&self) -> LaneSeen {
        let digest: String = self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        LaneSeen {
            last: self.last,
            applied: self.applied,
            duplicates: self.duplicates,
            lost: self.lost,
            rebootstraps: self.rebootstraps,
            earlier: self.earlier,
            uncompared: self.uncompared,
            waiting: self.waiting.len() as u64,
            digest: format!("sha256:{digest}"),
        }
    }
}
