//! Which traffic the armed faults need. All other traffic passes unread, as if nothing were armed.

use cutover_core::plan::{FaultKind, MessageFilter, MessageKind, PlannedFault, Position};

use crate::frame::Direction;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interest(u8);

const FRAMES: u8 = 1;
/// HTTP messages of any sort.
const HTTP: u8 = 2;
/// A publish over HTTP, or the answer to one.
const WRITES: u8 = 4;
/// How far the bits of the direction to the client are shifted.
const TO_CLIENT: u8 = 4;

impl Interest {
    pub(super) fn of(fault: &PlannedFault) -> Interest {
        let (mut up, mut down) = match &fault.at {
            Position::Delivery { .. } | Position::HeartbeatReply { .. } => (0, FRAMES),
            Position::Resume { .. } => (FRAMES, 0),
            // A reply belongs to the resume that it answers, so both are counted.
            Position::ResumeReply { .. } => (FRAMES, FRAMES),
            Position::Ack { .. } => (0, FRAMES | WRITES),
            Position::Message(filter) => match filter.direction {
                Direction::Upstream => (matched(filter), 0),
                Direction::Downstream => (0, matched(filter)),
            },
        };
        if matches!(fault.kind, FaultKind::Drain { .. }) {
            // It waits for answers, so that it needs the requests too.
            (up, down) = (up | down, up | down);
        }
        Interest(up | down << TO_CLIENT)
    }

    /// What an observer needs, beside what faults do.
    pub(super) fn observed(self) -> Interest {
        Interest(self.0 | FRAMES | FRAMES << TO_CLIENT)
    }

    pub(super) fn and(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    pub(super) fn from_bits(bits: u8) -> Interest {
        Interest(bits)
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn any(self) -> bool {
        self.0 != 0
    }

    pub(super) fn goes(self, direction: Direction) -> bool {
        self.has(direction, FRAMES | HTTP | WRITES)
    }

    pub(super) fn frames(self, direction: Direction) -> bool {
        self.has(direction, FRAMES)
    }

    /// Whether an HTTP message of this direction may have to be read.
    pub(super) fn http(self, direction: Direction) -> bool {
        self.has(direction, HTTP | WRITES)
    }

    /// Whether HTTP messages have to be read that are no publish and answer none.
    pub(super) fn any_http(self, direction: Direction) -> bool {
        self.has(direction, HTTP)
    }

    fn has(self, direction: Direction, bits: u8) -> bool {
        let shift = match direction {
            Direction::Upstream => 0,
            Direction::Downstream => TO_CLIENT,
        };
        self.0 >> shift & bits != 0
    }
}

/// The traffic that a filter can match. Over HTTP there is nothing with a seq, and only a publish names a stream.
fn matched(filter: &MessageFilter) -> u8 {
    let http = match filter.kind {
        _ if filter.seq.is_some() => 0,
        None if filter.stream.is_some() => WRITES,
        None | Some(MessageKind::Other) => HTTP,
        Some(MessageKind::Publish | MessageKind::Ack) => WRITES,
        Some(_) => 0,
    };
    FRAMES | http
}

#[cfg(test)]
mod tests;
