//! What rows say beside the events in them, and whether that fits what is known of the same rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cutover_core::history::{Contradiction, Via};
use cutover_core::ids::StreamId;

use super::incoming::Incoming;
use super::rows::EventRow;
use crate::lane::names::Names;

/// 2020 and 2100, in microseconds since 1970.
const PLAUSIBLE: std::ops::Range<i64> = 1_577_836_800_000_000..4_102_444_800_000_000;

/// A server may take the times of calls in another order than it commits them, in microseconds.
const OUT_OF_ORDER: i64 = 2_000_000;

/// A rule that a row breaks: its stream and event, and what it said.
pub(super) type Wrong = (StreamId, u64, Contradiction, String);

/// The commit time of each event, as it first came to any client of the lane.
pub(super) type Times = Arc<Mutex<BTreeMap<(StreamId, u64), i64>>>;

#[derive(Debug)]
pub(super) struct Known {
    names: Arc<Names>,
    times: Times,
    /// Whether events have a hash.
    hashes: bool,
    /// The head and the oldest event of each stream whose row is subscribed.
    streams: BTreeMap<StreamId, (u64, Option<u64>)>,
}

impl Known {
    pub(super) fn new(names: Arc<Names>, times: Times) -> Known {
        Known { names, times, hashes: true, streams: BTreeMap::new() }
    }

    pub(super) fn with_hashes(self, hashes: bool) -> Known {
        Known { hashes, ..self }
    }

    /// The row of this stream does not come any more.
    pub(super) fn forget(&mut self, stream: &StreamId) {
        self.streams.remove(stream);
    }

    /// Reads a message with rows.
    pub(super) fn read(&mut self, incoming: &Incoming) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for row in &incoming.streams {
            let Some(stream) = self.names.stream_of_id(&row.stream_id) else { continue };
            let before = self.streams.insert(stream.clone(), (row.head_seq, row.oldest_seq));
            if let Some((head, _)) = before.filter(|(head, _)| row.head_seq < *head) {
                wrong.push((stream, head, Contradiction::RowHead, format!("head {}", row.head_seq)));
            }
        }
        let events: Vec<(StreamId, &EventRow)> = self.named(incoming.events.iter().flatten());
        for (stream, row) in &events {
            wrong.extend(self.columns(stream, row));
        }
        if incoming.kind.via() == Via::Transaction {
            wrong.extend(self.heads(&events));
            for (stream, row) in self.named(incoming.deleted.iter()) {
                let again = events.iter().find(|(other, event)| *other == stream && event.seq == row.seq);
                wrong.extend(self.deleted(stream, row, again.map(|(_, event)| *event)));
            }
        }
        wrong
    }

    fn named<'r>(&self, rows: impl Iterator<Item = &'r EventRow>) -> Vec<(StreamId, &'r EventRow)> {
        rows.filter_map(|row| Some((self.names.stream_of_id(&row.stream_id)?, row))).collect()
    }

    fn columns(&self, stream: &StreamId, row: &EventRow) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut add = |what, said: String| wrong.push((stream.clone(), row.seq, what, said));
        if row.confirmed_read == Some(false) {
            add(Contradiction::ConfirmedRead, "false".to_owned());
        }
        if row.payload_hash.is_empty() && self.hashes {
            add(Contradiction::HashMissing, "no hash".to_owned());
        }
        if let Some(said) = row.committed_at.and_then(|time| self.time(stream, row.seq, time)) {
            add(Contradiction::CommittedAt, said);
        }
        wrong
    }

    /// What is wrong with a commit time, in microseconds since 1970.
    fn time(&self, stream: &StreamId, seq: u64, time: i64) -> Option<String> {
        if !PLAUSIBLE.contains(&time) {
            return Some(format!("{time} us since 1970"));
        }
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *times.entry((stream.clone(), seq)).or_insert(time);
        if first != time {
            return Some(format!("{time} us, and {first} us before"));
        }
        let earlier = times.range((stream.clone(), 0)..(stream.clone(), seq)).next_back()?;
        (*earlier.1 > time + OUT_OF_ORDER).then(|| format!("{time} us, and {} us of event {}", earlier.1, earlier.0.1))
    }

    /// Whether the row of each stream has the head that its newest event gives it.
    fn heads(&self, events: &[(StreamId, &EventRow)]) -> Vec<Wrong> {
        let mut newest: BTreeMap<&StreamId, u64> = BTreeMap::new();
        for (stream, row) in events {
            let seq = newest.entry(stream).or_default();
            *seq = row.seq.max(*seq);
        }
        let wrong = newest.into_iter().filter_map(|(stream, seq)| {
            let (head, _) = self.streams.get(stream).filter(|(head, _)| *head != seq)?;
            Some((stream.clone(), seq, Contradiction::RowHead, format!("head {head}")))
        });
        wrong.collect()
    }

    fn deleted(&self, stream: StreamId, row: &EventRow, again: Option<&EventRow>) -> Option<Wrong> {
        if let Some(again) = again {
            let columns = [
                ("idempotency_key", row.idempotency_key != again.idempotency_key),
                ("payload_hash", row.payload_hash != again.payload_hash),
                ("payload", row.payload != again.payload),
                ("committed_at", row.committed_at != again.committed_at),
                ("confirmed_read", row.confirmed_read != again.confirmed_read),
            ];
            let changed: Vec<&str> =
                columns.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
            let said = format!("another {}", changed.join(", "));
            return Some((stream, row.seq, Contradiction::RowRewritten, said));
        }
        let (_, oldest) = *self.streams.get(&stream)?;
        let oldest = oldest.filter(|oldest| row.seq >= *oldest)?;
        Some((stream, row.seq, Contradiction::RowDeleted, format!("deleted, and the oldest event is {oldest}")))
    }
}

#[cfg(test)]
mod tests;
