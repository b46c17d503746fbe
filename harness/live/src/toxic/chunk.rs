//! What moves between stages: chunks, and the inbox that each stage takes them from.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Ending;

/// The most bytes of a chunk, as in Toxiproxy.
pub(super) const CHUNK: usize = 32 * 1024;

/// The most bytes that an inbox takes, however many chunks it may hold.
pub(super) const INBOX_BYTES: usize = 16 * 1024 * 1024;

/// The longest wait. Attributes are 64-bit numbers, and no clock reaches their end.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

#[derive(Debug)]
pub(super) struct Chunk {
    /// The bytes; never none.
    pub data: Bytes,
    /// When they were read from the source, and the latency added since. Latency counts from here, so that time in
    /// other stages counts towards it, but the latencies of two toxics add up.
    pub stamp: Instant,
    pub came: Instant,
}

impl Chunk {
    pub fn split(mut self, bytes: usize) -> (Chunk, Option<Chunk>) {
        let data = self.data.split_to(bytes);
        let (stamp, came) = (self.stamp, self.came);
        (Chunk { data, stamp, came }, Some(self).filter(|rest| !rest.data.is_empty()))
    }
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<Chunk>,
    bytes: usize,
    end: Option<Ending>,
}

impl Inbox {
    /// Adds a chunk behind the others, also where there is no room.
    pub fn put(&mut self, mut chunk: Chunk, now: Instant) {
        chunk.came = now;
        self.bytes += chunk.data.len();
        self.queue.push_back(chunk);
    }

    pub fn finish(&mut self, ending: Ending) {
        self.end.get_or_insert(ending);
    }

    pub fn take(&mut self) -> Option<Chunk> {
        let chunk = self.queue.pop_front()?;
        self.bytes -= chunk.data.len();
        Some(chunk)
    }

    pub fn end(&self) -> Option<Ending> {
        self.end.filter(|_| self.queue.is_empty())
    }

    pub fn is_finished(&self) -> bool {
        self.end.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn has_room(&self, chunks: usize) -> bool {
        self.queue.len() < chunks && self.bytes < INBOX_BYTES
    }

    pub fn append(&mut self, other: Inbox, now: Instant) {
        for chunk in other.queue {
            self.put(chunk, now);
        }
        if let Some(ending) = other.end {
            self.finish(ending);
        }
    }
}

/// A number of milliseconds as a duration; below 0 is none.
pub(super) fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// The time so much later, as far as clocks go.
pub(super) fn later(at: Instant, by: Duration) -> Instant {
    at.checked_add(by.min(LONGEST)).unwrap_or(at)
}
