//! The outbound queue of a channel: the topics that wait to be drained, and how often it overflowed.

use std::collections::{BTreeSet, VecDeque};

/// Topics in the order in which they became due, each at most once, and no more than the limit.
#[derive(Debug)]
pub(super) struct OutboundQueue {
    waiting: VecDeque<String>,
    limit: usize,
    /// Topics that came while the queue was full. They are queued as soon as there is room.
    turned_away: BTreeSet<String>,
    strikes: u32,
    max_strikes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow {
    pub(super) queue_depth: usize,
    pub(super) is_last: bool,
}

impl OutboundQueue {
    pub(super) fn new(limit: usize, max_strikes: u32) -> Self {
        Self { waiting: VecDeque::new(), limit, turned_away: BTreeSet::new(), strikes: 0, max_strikes }
    }

    pub(super) fn push(&mut self, topic: String) -> Result<(), Overflow> {
        if self.waiting.contains(&topic) {
            return Ok(());
        }
        if self.is_full() {
            self.turned_away.insert(topic);
            self.strikes += 1;
            return Err(Overflow { queue_depth: self.limit + 1, is_last: self.strikes >= self.max_strikes });
        }
        self.turned_away.remove(&topic);
        self.waiting.push_back(topic);
        Ok(())
    }

    pub(super) fn requeue(&mut self, topic: String) {
        if self.is_full() {
            self.turned_away.insert(topic);
        } else if !self.waiting.contains(&topic) {
            self.waiting.push_back(topic);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.limit
    }

    /// Takes the topic that waits longest; a topic that was turned away gets its place.
    pub(super) fn pop(&mut self) -> Option<String> {
        let topic = self.waiting.pop_front();
        if !self.is_full()
            && let Some(next) = self.turned_away.pop_first()
        {
            self.waiting.push_back(next);
        }
        topic
    }

    pub(super) fn remove(&mut self, topic: &str) {
        self.waiting.retain(|waiting| waiting != topic);
        self.turned_away.remove(topic);
    }
}

#[cfg(test)]
mod tests;
