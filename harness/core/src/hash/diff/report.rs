//! What a comparison of two vectors found, as data and for the terminal.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use super::value::ValueDivergence;
use crate::hash::canonical::Elided;
use crate::hash::payload::PayloadHash;
use crate::hash::vector::Event;
use crate::ids::{ClientId, Seq, StreamId};
use crate::text::visible;

const STREAMS_SHOWN: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DivergenceKind {
    MissingInA,
    MissingInB,
    HashMismatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub missing_in_a: u64,
    pub missing_in_b: u64,
    pub hash_mismatch: u64,
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.missing_in_a + self.missing_in_b + self.hash_mismatch
    }

    fn add(&mut self, kind: DivergenceKind) {
        *match kind {
            DivergenceKind::MissingInA => &mut self.missing_in_a,
            DivergenceKind::MissingInB => &mut self.missing_in_b,
            DivergenceKind::HashMismatch => &mut self.hash_mismatch,
        } += 1;
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamCounts {
    pub stream: StreamId,
    pub differing: Counts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSide {
    pub hash: PayloadHash,
    pub line: u64,
    /// What the kept payload hashes to, where that is not what the vector states: the file was edited.
    pub payload_hash: Option<PayloadHash>,
}

impl EventSide {
    pub(super) fn of(event: &Event<'_>) -> Self {
        Self { hash: event.hash, line: event.line, payload_hash: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    pub kind: DivergenceKind,
    pub stream: StreamId,
    pub client: ClientId,
    pub seq: Seq,
    pub a: Option<EventSide>,
    pub b: Option<EventSide>,
    /// The first value that differs, where both vectors keep the payload.
    pub value: Option<ValueDivergence>,
}

impl Divergence {
    pub(super) fn at(kind: DivergenceKind, event: &Event<'_>, a: Option<EventSide>, b: Option<EventSide>) -> Self {
        let stream = StreamId::new(event.stream);
        Self { kind, stream, client: ClientId::new(event.client), seq: Seq(event.seq), a, b, value: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffReport {
    pub a: String,
    pub b: String,
    pub events_a: u64,
    pub events_b: u64,
    pub equal: u64,
    pub differing: Counts,
    /// The same by stream, in order; streams that are equal are left out.
    pub streams: Vec<StreamCounts>,
    /// The first event that differs, in order of stream, client and seq.
    pub first: Option<Divergence>,
}

impl DiffReport {
    pub(super) fn new(a: &str, b: &str) -> Self {
        Self {
            a: a.to_owned(),
            b: b.to_owned(),
            events_a: 0,
            events_b: 0,
            equal: 0,
            differing: Counts::default(),
            streams: Vec::new(),
            first: None,
        }
    }

    pub fn is_equal(&self) -> bool {
        self.differing.total() == 0
    }

    /// Counts an event that differs. Returns whether it is the first.
    pub(super) fn count(&mut self, kind: DivergenceKind, stream: &str) -> bool {
        self.differing.add(kind);
        // Streams come in order, so that the one that is counted is the last or a new one.
        if self.streams.last().is_none_or(|last| last.stream.as_str() != stream) {
            self.streams.push(StreamCounts { stream: StreamId::new(stream), differing: Counts::default() });
        }
        if let Some(last) = self.streams.last_mut() {
            last.differing.add(kind);
        }
        self.first.is_none()
    }

    fn write_first(&self, first: &Divergence, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first: {}: stream {}", self.words(first.kind), Elided(first.stream.as_str()))?;
        write!(f, ", client {}, seq {}", Elided(first.client.as_str()), first.seq)?;
        match &first.value {
            Some(value) if value.pointer.is_empty() => f.write_str(", the payload as a whole")?,
            Some(value) => {
                f.write_str(", path ")?;
                f.write_str(&visible(&value.pointer))?;
            }
            None => {}
        }
        f.write_str("\n")?;
        let values = first.value.as_ref().map(ValueDivergence::excerpts);
        let (value_a, value_b) = values.map_or((None, None), |(a, b)| (Some(a), Some(b)));
        let width = self.a.chars().count().max(self.b.chars().count());
        for (name, side, value) in [(&self.a, &first.a, value_a), (&self.b, &first.b, value_b)] {
            write!(f, "  {name:width$}  ")?;
            if let Some(value) = &value {
                f.write_str(&visible(value))?;
                write!(f, "\n  {:width$}  ", "")?;
            }
            let Some(side) = side else {
                f.write_str("(no such event)\n")?;
                continue;
            };
            writeln!(f, "{} (line {})", side.hash, side.line)?;
            if let Some(hash) = side.payload_hash {
                writeln!(f, "  {:width$}  but its payload hashes to {hash}: the file was edited", "")?;
            }
        }
        if first.kind == DivergenceKind::HashMismatch && first.value.is_none() {
            f.write_str("  (the values are not known: not both vectors keep this payload)\n")?;
        }
        Ok(())
    }

    fn write_streams(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by stream:\n")?;
        for StreamCounts { stream, differing } in self.streams.iter().take(STREAMS_SHOWN) {
            write!(f, "  {}: ", Elided(stream.as_str()))?;
            self.write_counts(differing, f)?;
            f.write_str("\n")?;
        }
        match self.streams.len().saturating_sub(STREAMS_SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more streams"),
        }
    }

    /// A kind, with the name of the vector that lacks the event.
    fn words(&self, kind: DivergenceKind) -> String {
        match kind {
            DivergenceKind::MissingInA => format!("missing in {}", self.a),
            DivergenceKind::MissingInB => format!("missing in {}", self.b),
            DivergenceKind::HashMismatch => "hash mismatch".to_owned(),
        }
    }

    fn write_counts(&self, counts: &Counts, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (DivergenceKind::HashMismatch, counts.hash_mismatch),
            (DivergenceKind::MissingInA, counts.missing_in_a),
            (DivergenceKind::MissingInB, counts.missing_in_b),
        ];
        let mut separator = "";
        for (kind, count) in all.into_iter().filter(|(_, count)| *count > 0) {
            write!(f, "{separator}{count} {}", self.words(kind))?;
            separator = ", ";
        }
        Ok(())
    }
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = &self.first else {
            return writeln!(f, "equal: {} in {}, the same in {}", Events(self.equal), self.a, self.b);
        };
        let verb = if self.differing.total() == 1 { "differs" } else { "differ" };
        write!(f, "{} {verb} (", Events(self.differing.total()))?;
        self.write_counts(&self.differing, f)?;
        writeln!(f, "), {} equal; {} has {}, {} has {}", self.equal, self.a, self.events_a, self.b, self.events_b)?;
        self.write_first(first, f)?;
        self.write_streams(f)
    }
}

/// A number of events, in words that agree with it.
struct Events(u64);

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} event{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}
