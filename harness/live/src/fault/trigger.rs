//! When a fault fires: its position, held against each frame.

#![allow(missing_docs, reason = "the names say it")]

use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{Position, Times};

use super::Seen;
use super::filter::Matcher;
use crate::frame::{Direction, FrameTag};

#[derive(Debug, Clone)]
pub struct Trigger {
    at: Position,
    times: Times,
    spent: bool,
    matcher: Option<Matcher>,
}

impl Trigger {
    pub fn new(at: Position, times: Times) -> Trigger {
        let matcher = match &at {
            Position::Message(filter) => Some(Matcher::new(filter.clone())),
            _ => None,
        };
        Trigger { at, times, spent: false, matcher }
    }

    /// Whether the frame is at the position and the fault has to fire. `true` spends a trigger that fires once.
    pub fn reached(&mut self, seen: &Seen<'_>) -> bool {
        let reached = self.holds(seen);
        if reached {
            self.spend(seen);
        }
        reached
    }

    /// Whether the frame is at the position and the fault may fire. Counts the frame: call it once for each.
    pub fn holds(&mut self, seen: &Seen<'_>) -> bool {
        match &mut self.matcher {
            Some(matcher) => matcher.holds(seen),
            None => !self.spent && self.matches(seen),
        }
    }

    pub fn spend(&mut self, seen: &Seen<'_>) {
        match &mut self.matcher {
            Some(matcher) => matcher.spend(seen.conn, self.times),
            None => self.spent = self.times == Times::Once,
        }
    }

    pub fn fires_once(&self) -> bool {
        self.times == Times::Once
    }

    pub fn forget(&mut self, conn: u32) {
        if let Some(matcher) = &mut self.matcher {
            matcher.forget(conn);
        }
    }

    /// Of a frame at the position, the events that the position means.
    pub fn events(&self, seen: &Seen<'_>) -> Vec<(StreamId, Option<Seq>)> {
        match (&self.at, &self.matcher) {
            (Position::Delivery { stream, seq }, _) => vec![(stream.clone(), Some(*seq))],
            (_, Some(matcher)) => matcher.events(seen),
            _ => Vec::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.matcher.as_ref().map_or(0, Matcher::kept)
    }

    fn matches(&self, seen: &Seen<'_>) -> bool {
        let to_client = seen.view.frame().direction == Direction::Downstream;
        match (&self.at, seen.view.tag()) {
            (Position::Delivery { stream, seq }, FrameTag::Delivery { events, .. }) => {
                to_client && events.iter().any(|(s, q)| s == stream && q == seq)
            }
            (Position::Resume { nth }, FrameTag::Resume { opens: true, .. }) => !to_client && seen.nth == *nth,
            (Position::ResumeReply { nth }, FrameTag::ResumeReply) => to_client && seen.nth == *nth,
            (Position::HeartbeatReply { nth }, FrameTag::HeartbeatReply) => to_client && seen.nth == *nth,
            (Position::Ack { op }, FrameTag::Ack) => to_client && seen.op == Some(*op),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
