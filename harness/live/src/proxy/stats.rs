//! What a proxy has seen, in numbers.

#![allow(missing_docs, reason = "the names say it")]

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::frame::Direction;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    pub received: u64,
    pub bytes: u64,
    /// Messages read: WebSocket messages, control frames, HTTP messages that are no upgrade.
    pub frames: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyStats {
    pub to_lane: Flow,
    pub to_client: Flow,
    pub connections: u64,
    pub ended: u64,
    pub unreachable: u64,
    pub last_unreachable: Option<String>,
    /// How often a connection, or one direction of it, was unreadable and was relayed byte by byte.
    pub raw_fallbacks: u64,
    /// Messages that passed unread because they were longer than the limit.
    pub too_big: u64,
    /// Connections that ended because the proxy crashed. Any number but 0 makes a run worthless.
    pub crashed: u64,
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Flow) {
        self.received += other.received;
        self.bytes += other.bytes;
        self.frames += other.frames;
    }
}

impl AddAssign for ProxyStats {
    fn add_assign(&mut self, other: ProxyStats) {
        self.to_lane += other.to_lane;
        self.to_client += other.to_client;
        self.connections += other.connections;
        self.ended += other.ended;
        self.unreachable += other.unreachable;
        self.last_unreachable = other.last_unreachable.or(self.last_unreachable.take());
        self.raw_fallbacks += other.raw_fallbacks;
        self.too_big += other.too_big;
        self.crashed += other.crashed;
    }
}

#[derive(Debug, Default)]
pub(super) struct Stats {
    /// Of each direction, counted with every read, write and message.
    flows: [[AtomicU64; 3]; 2],
    others: Mutex<ProxyStats>,
}

impl Stats {
    fn add(&self, direction: Direction, which: usize, more: u64) {
        self.flows[direction as usize][which].fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn received(&self, direction: Direction, bytes: usize) {
        self.add(direction, 0, bytes as u64);
    }

    pub(super) fn wrote(&self, direction: Direction, bytes: usize) {
        self.add(direction, 1, bytes as u64);
    }

    pub(super) fn read_frames(&self, direction: Direction, frames: u64) {
        self.add(direction, 2, frames);
    }

    pub(super) fn others(&self) -> MutexGuard<'_, ProxyStats> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unreachable(&self, why: String) {
        let mut others = self.others();
        others.unreachable += 1;
        others.last_unreachable = Some(why);
    }

    pub(super) fn snapshot(&self) -> ProxyStats {
        let flow = |direction: Direction| {
            let [received, bytes, frames] = &self.flows[direction as usize];
            let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            Flow { received: get(received), bytes: get(bytes), frames: get(frames) }
        };
        let (to_lane, to_client) = (flow(Direction::Upstream), flow(Direction::Downstream));
        ProxyStats { to_lane, to_client, ..self.others().clone() }
    }
}
