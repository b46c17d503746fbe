//! When a fault strikes: its position, held against each frame.

use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{Position, Times};

use super::Seen;
use super::pick::Picker;
use crate::frame::{Direction, FrameTag};

/// A position, and whether it still counts.
#[derive(Debug, Clone)]
pub struct Trigger {
    at: Position,
    times: Times,
    spent: bool,
    /// Where the position is a pick.
    picker: Option<Picker>,
}

impl Trigger {
    /// A trigger that was not reached yet.
    pub fn new(at: Position, times: Times) -> Trigger {
        let picker = match &at {
            Position::Message(pick) => Some(Picker::new(pick.clone())),
            _ => None,
        };
        Trigger { at, times, spent: false, picker }
    }

    /// Whether the frame is at the position and the fault is to strike. `true` spends a trigger that strikes once.
    pub fn reached(&mut self, seen: &Seen<'_>) -> bool {
        let reached = self.holds(seen);
        if reached {
            self.spend(seen);
        }
        reached
    }

    /// Whether the frame is at the position and the fault may strike; counts the frame where frames are counted, so that
    /// this is to be asked once for each.
    pub fn holds(&mut self, seen: &Seen<'_>) -> bool {
        match &mut self.picker {
            Some(picker) => picker.holds(seen),
            None => !self.spent && self.matches(seen),
        }
    }

    /// The fault strikes at this frame.
    pub fn spend(&mut self, seen: &Seen<'_>) {
        match &mut self.picker {
            Some(picker) => picker.spend(seen.conn, self.times),
            None => self.spent = self.times == Times::Once,
        }
    }

    /// Whether the fault strikes once.
    pub fn strikes_once(&self) -> bool {
        self.times == Times::Once
    }

    /// Keeps nothing more of a connection that has ended.
    pub fn forget(&mut self, conn: u32) {
        if let Some(picker) = &mut self.picker {
            picker.forget(conn);
        }
    }

    /// Of a frame at the position, the events that the position means.
    pub fn events(&self, seen: &Seen<'_>) -> Vec<(StreamId, Option<Seq>)> {
        match (&self.at, &self.picker) {
            (Position::Delivery { stream, seq }, _) => vec![(stream.clone(), Some(*seq))],
            (_, Some(picker)) => picker.events(seen),
            _ => Vec::new(),
        }
    }

    /// How many connections are being counted.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.picker.as_ref().map_or(0, Picker::kept)
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
