//! What a proxy has seen, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::frame::Direction;

/// Numbers of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Bytes read.
    pub received: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Messages read: WebSocket messages, control frames, HTTP messages that are no upgrade.
    pub frames: u64,
}

/// What a proxy has seen so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyStats {
    /// From the client to the lane.
    pub to_lane: Flow,
    /// From the lane to the client.
    pub to_client: Flow,
    /// Connections accepted.
    pub connections: u64,
    /// Connections that have ended.
    pub ended: u64,
    /// Connections for which the lane could not be reached.
    pub unreachable: u64,
    /// What was seen when that happened last.
    pub last_unreachable: Option<String>,
    /// How often a connection, or one direction of it, could not be read and was relayed byte by byte.
    pub raw_fallbacks: u64,
    /// What was seen at the last fallback.
    pub last_fallback: Option<String>,
    /// Messages that passed unread because they were longer than the limit.
    pub too_big: u64,
    /// Connections that ended in a fault of the proxy itself. Anything but 0 makes a run worthless.
    pub crashed: u64,
}

/// The numbers while they are counted.
#[derive(Debug, Default)]
pub(super) struct Stats {
    received: [AtomicU64; 2],
    bytes: [AtomicU64; 2],
    frames: [AtomicU64; 2],
    pub(super) connections: AtomicU64,
    pub(super) ended: AtomicU64,
    unreachable: AtomicU64,
    raw_fallbacks: AtomicU64,
    pub(super) too_big: AtomicU64,
    pub(super) crashed: AtomicU64,
    last_unreachable: Mutex<Option<String>>,
    last_fallback: Mutex<Option<String>>,
}

fn index(direction: Direction) -> usize {
    match direction {
        Direction::ToLane => 0,
        Direction::ToClient => 1,
    }
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Stats {
    pub(super) fn received(&self, direction: Direction, bytes: usize) {
        self.received[index(direction)].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self, direction: Direction, bytes: usize) {
        self.bytes[index(direction)].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn read_frames(&self, direction: Direction, frames: u64) {
        self.frames[index(direction)].fetch_add(frames, Ordering::Relaxed);
    }

    pub(super) fn unreachable(&self, why: String) {
        count(&self.unreachable);
        *self.last_unreachable.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn fell_back(&self, why: &str) {
        count(&self.raw_fallbacks);
        *self.last_fallback.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    pub(super) fn snapshot(&self) -> ProxyStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let text = |text: &Mutex<Option<String>>| text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let flow = |direction| Flow {
            received: get(&self.received[index(direction)]),
            bytes: get(&self.bytes[index(direction)]),
            frames: get(&self.frames[index(direction)]),
        };
        ProxyStats {
            to_lane: flow(Direction::ToLane),
            to_client: flow(Direction::ToClient),
            connections: get(&self.connections),
            ended: get(&self.ended),
            unreachable: get(&self.unreachable),
            last_unreachable: text(&self.last_unreachable),
            raw_fallbacks: get(&self.raw_fallbacks),
            last_fallback: text(&self.last_fallback),
            too_big: get(&self.too_big),
            crashed: get(&self.crashed),
        }
    }
}
