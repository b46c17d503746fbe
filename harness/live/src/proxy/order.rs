//! The order in which messages of one direction leave: which are kept back, which go behind others, which leave
//! together. It has no I/O: it says what to write now, and when to ask again.

use std::collections::{BTreeSet, VecDeque};

use bytes::{Bytes, BytesMut};
use cutover_core::ids::{Seq, StreamId};
use tokio::time::Instant;

use crate::frame::FrameTag;

/// The most messages that are kept back at a time. Beyond that, all of them leave.
const KEPT_MAX: usize = 64;

/// The most bytes that are kept back at a time. Beyond that, all of them leave.
const KEPT_MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Now,
    /// Behind the next delivery of its stream.
    AfterNextDelivery,
    /// Once this many messages have passed it, or at this time.
    Behind(u8, Instant),
    /// In one write with those that follow it, this many in all, or as many as came until this time.
    Together(u8, Instant),
}

#[derive(Debug, Default)]
pub(super) struct Order {
    kept: Option<Kept>,
    behind: VecDeque<Behind>,
    together: Option<Together>,
}

#[derive(Debug, Default)]
struct Kept {
    events: BTreeSet<(StreamId, Seq)>,
    raws: Vec<Bytes>,
}

#[derive(Debug)]
struct Behind {
    raw: Bytes,
    passes: u8,
    until: Instant,
}

#[derive(Debug)]
struct Together {
    bytes: BytesMut,
    more: u8,
    until: Instant,
}

impl Order {
    pub(super) fn keeps(&self) -> bool {
        self.kept.is_some() || !self.behind.is_empty() || self.together.is_some()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let behind = self.behind.iter().map(|behind| behind.until);
        behind.chain(self.together.as_ref().map(|together| together.until)).min()
    }

    /// Takes a message. Gives what to write now, each in a write of its own.
    pub(super) fn put(&mut self, tag: &FrameTag, raw: Bytes, way: Way) -> Vec<Bytes> {
        let mut out = Vec::new();
        match way {
            Way::AfterNextDelivery => self.keep(tag, raw),
            Way::Behind(passes, until) if passes > 0 => self.behind.push_back(Behind { raw, passes, until }),
            Way::Together(messages, until) if messages > 1 && self.together.is_none() => {
                self.together = Some(Together { bytes: BytesMut::from(&raw[..]), more: messages - 1, until });
            }
            _ => self.pass(tag, raw, &mut out),
        }
        if self.is_full() {
            out.extend(self.release());
        }
        out
    }

    pub(super) fn expire(&mut self, now: Instant) -> Vec<Bytes> {
        let mut out = Vec::new();
        self.leave(|behind| behind.until <= now, &mut out);
        if self.together.as_ref().is_some_and(|together| together.until <= now) {
            self.part(&mut out);
        }
        out
    }

    pub(super) fn release(&mut self) -> Vec<Bytes> {
        let mut out = Vec::new();
        self.part(&mut out);
        out.extend(self.kept.take().map(|kept| kept.raws).unwrap_or_default());
        out.extend(self.behind.drain(..).map(|behind| behind.raw));
        out
    }

    fn is_full(&self) -> bool {
        let kept = self.kept.iter().flat_map(|kept| &kept.raws);
        let raws = kept.chain(self.behind.iter().map(|behind| &behind.raw));
        let (count, bytes) = raws.fold((0, 0), |(count, bytes), raw| (count + 1, bytes + raw.len()));
        let together = self.together.as_ref().map_or(0, |together| together.bytes.len());
        count > KEPT_MAX || bytes + together > KEPT_MAX_BYTES
    }

    fn keep(&mut self, tag: &FrameTag, raw: Bytes) {
        let kept = self.kept.get_or_insert_default();
        kept.events.extend(events(tag).iter().cloned());
        kept.raws.push(raw);
    }

    /// A message that passes. A copy of a kept delivery is kept with it. The next delivery of the same stream passes,
    /// and the kept ones follow it.
    fn pass(&mut self, tag: &FrameTag, raw: Bytes, out: &mut Vec<Bytes>) {
        let events = events(tag);
        let mut releases = false;
        if let Some(kept) = &mut self.kept {
            if !events.is_empty() && events.iter().all(|event| kept.events.contains(event)) {
                kept.raws.push(raw);
                return;
            }
            let kept_stream = |stream: &StreamId| kept.events.iter().any(|(kept, _)| kept == stream);
            releases = events.iter().any(|event| kept_stream(&event.0));
        }
        self.emit(raw, out);
        if releases {
            for raw in self.kept.take().map(|kept| kept.raws).unwrap_or_default() {
                self.emit(raw, out);
            }
        }
        for behind in &mut self.behind {
            behind.passes -= 1;
        }
        self.leave(|behind| behind.passes == 0, out);
    }

    fn leave(&mut self, due: impl FnMut(&Behind) -> bool, out: &mut Vec<Bytes>) {
        let (gone, left): (VecDeque<Behind>, _) = std::mem::take(&mut self.behind).into_iter().partition(due);
        self.behind = left;
        for behind in gone {
            self.emit(behind.raw, out);
        }
    }

    fn emit(&mut self, raw: Bytes, out: &mut Vec<Bytes>) {
        let Some(together) = &mut self.together else {
            return out.push(raw);
        };
        together.bytes.extend_from_slice(&raw);
        together.more -= 1;
        if together.more == 0 {
            self.part(out);
        }
    }

    fn part(&mut self, out: &mut Vec<Bytes>) {
        out.extend(self.together.take().map(|together| together.bytes.freeze()));
    }
}

fn events(tag: &FrameTag) -> &[(StreamId, Seq)] {
    match tag {
        FrameTag::Delivery { events, .. } => events,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
