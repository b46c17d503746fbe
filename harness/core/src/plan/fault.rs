//! Faults, addressed by logical position and never by time, so that two different protocols suffer the same injury at
//! the same point.

use serde::{Deserialize, Serialize};

use super::Direction;
use crate::ids::{ClientId, Cursor, FaultId, LaneId, OpId, Seq, StreamId};

/// A fault that the plan arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// Its name in the ledger and in findings.
    pub id: FaultId,
    /// The lane that it strikes, or each lane where `None`.
    pub lane: Option<LaneId>,
    /// The client whose connection it strikes, or [`super::WRITER`].
    pub client: ClientId,
    /// Where it strikes.
    pub at: Position,
    /// What it does.
    pub kind: FaultKind,
    /// How often.
    pub times: Times,
}

impl PlannedFault {
    /// Whether the fault is armed on a lane.
    pub fn strikes(&self, lane: LaneId) -> bool {
        self.lane.is_none_or(|only| only == lane)
    }
}

/// A logical position on one client's traffic with a lane. Counts run on through reconnects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case")]
pub enum Position {
    /// The first frame to the client that carries this event (each such frame, where the fault strikes always).
    Delivery {
        /// The stream.
        stream: StreamId,
        /// The event.
        seq: Seq,
    },
    /// The nth resume that the client asks for, the first subscribe included.
    Resume {
        /// From 1.
        nth: u32,
    },
    /// The lane's answer to the nth resume.
    ResumeReply {
        /// From 1.
        nth: u32,
    },
    /// The nth answer to a heartbeat.
    HeartbeatReply {
        /// From 1.
        nth: u32,
    },
    /// The lane's answer to the writer's operation.
    Ack {
        /// The operation.
        op: OpId,
    },
    /// A message picked by what it is and carries.
    Message(Pick),
}

/// Picks messages: all that is named must hold. What is named by nothing is every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// Which way the message goes.
    pub direction: Direction,
    /// What sort of message it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// The lane's own name for the message: a Phoenix event (`sync:frame`, `phx_reply`), or the name of a SpacetimeDB
    /// message (`TransactionUpdate`) or of the reducer that it calls or reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// A stream that the message delivers, asks for or publishes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// A seq that it delivers (of `stream`, where one is named).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// What has to be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Predicate>,
    /// The nth message of those for which all else holds, from 1; any of them where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Over what `nth` counts.
    pub per: Scope,
}

impl Pick {
    /// Every message of a direction, each connection counted on its own.
    pub fn any(direction: Direction) -> Pick {
        Pick {
            direction,
            kind: None,
            event: None,
            stream: None,
            seq: None,
            payload: None,
            nth: None,
            per: Scope::Connection,
        }
    }
}

/// A sort of message, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// The client joins (Phoenix), or the lane greets (SpacetimeDB).
    Join,
    /// The client asks for streams from its cursors.
    Resume,
    /// The lane's answer to a resume.
    ResumeReply,
    /// The lane delivers events.
    Delivery,
    /// A publish.
    Publish,
    /// The lane's answer to a publish.
    Ack,
    /// The client asks whether the lane is alive: a heartbeat of the protocol, or a WebSocket ping.
    Heartbeat,
    /// The answer to that: a reply, or a WebSocket pong.
    HeartbeatReply,
    /// A close frame.
    Close,
    /// Anything else.
    Other,
}

impl MessageKind {
    /// Every sort with its word in scenarios, in the API and in the ledger; in the order of the sorts.
    pub const WORDS: [(&'static str, MessageKind); 10] = [
        ("join", MessageKind::Join),
        ("resume", MessageKind::Resume),
        ("resume-reply", MessageKind::ResumeReply),
        ("delivery", MessageKind::Delivery),
        ("publish", MessageKind::Publish),
        ("ack", MessageKind::Ack),
        ("heartbeat", MessageKind::Heartbeat),
        ("heartbeat-reply", MessageKind::HeartbeatReply),
        ("close", MessageKind::Close),
        ("other", MessageKind::Other),
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        MessageKind::WORDS[self as usize].0
    }
}

/// Over what a pick's `nth` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Each connection on its own.
    #[default]
    Connection,
    /// All connections of the proxy: the count runs on through reconnects.
    Proxy,
}

/// A condition on what a message carries. A message that carries no JSON meets none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// Where to look: a JSON Pointer (RFC 6901) into the payload of a delivered or published event, or else into the
    /// message.
    pub pointer: String,
    /// What has to be there, as JSON text, compared in canonical form; anything where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum FaultKind {
    /// Ends the connection.
    Cut {
        /// How it ends.
        how: Cut,
        /// Whether the frame at the position still gets through.
        when: When,
    },
    /// Delivers the frame again.
    Repeat {
        /// How many more times.
        more: u8,
    },
    /// Delays the frame, and all behind it.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Holds the frame, and all behind it.
    Hold {
        /// Until when.
        until: Release,
    },
    /// Rewrites the cursor of a resume on its way to the lane.
    RewriteCursor {
        /// The stream whose cursor is rewritten.
        stream: StreamId,
        /// The cursor that the lane sees.
        to: Cursor,
    },
    /// Loses the message.
    Drop,
    /// Holds the message back until others have passed it.
    Reorder {
        /// How many messages of its direction pass it, at the most.
        behind: u8,
        /// Milliseconds after which it goes on in any case.
        within_ms: u64,
    },
    /// Cuts the message into fragments (RFC 6455, 5.4).
    Split {
        /// How many frames; fewer where the message is shorter than that.
        frames: u16,
    },
    /// Puts the message, and those that follow it, into as few frames and writes as can be: fragments become one frame,
    /// and several messages leave in one write.
    Merge {
        /// How many messages leave together, this one included.
        messages: u8,
        /// Milliseconds after which what there is leaves in any case.
        within_ms: u64,
    },
    /// Lets what the client has asked for be answered, then closes: what a server does that drains before a restart.
    Drain {
        /// The close code, 1012 (service restart) most often.
        code: u16,
        /// Milliseconds after which the connection is closed in any case.
        within_ms: u64,
    },
    /// A planted defect: what a broken lane would do. Only in known-bad scenarios.
    Mutate {
        /// Which.
        mutation: Mutation,
    },
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Cut {
    /// A WebSocket close frame with this code, then FIN (RFC 6455, 7.4).
    Close {
        /// The code.
        code: u16,
    },
    /// FIN without a close frame.
    Drop,
    /// A TCP RST.
    Reset,
    /// Nothing moves any more and nobody is told.
    Silence,
}

/// On which side of the frame a cut falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The frame is lost.
    Before,
    /// The frame gets through.
    After,
}

/// What releases a held frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "kebab-case")]
pub enum Release {
    /// The writer's operation was acknowledged.
    Acked {
        /// The operation.
        op: OpId,
    },
    /// The heal phase began.
    Heal,
}

/// Defects that the proxy can plant in what a lane delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mutation", rename_all = "kebab-case")]
pub enum Mutation {
    /// The event is taken out of every frame that carries it.
    DropEvent,
    /// The frame that carries the event changes places with the next delivering frame.
    SwapWithNext,
    /// The frame that carries the event is sent again, as a lane does that repeats itself.
    Flood {
        /// How many more times.
        more: u8,
    },
    /// The event's payload is another one, and the declared hash agrees with it.
    ReplacePayload {
        /// The other payload's JSON text.
        payload: String,
    },
    /// The event also arrives under another stream.
    Misdeliver {
        /// The stream under which it arrives.
        stream: StreamId,
        /// The seq under which it arrives.
        seq: Seq,
    },
    /// A value in the message is another one.
    SetJson {
        /// Where: a JSON Pointer (RFC 6901) into the payload of a delivered or published event, or else into the message.
        pointer: String,
        /// The other value's JSON text.
        value: String,
    },
    /// A column of the event's row, or the field of that name in its Phoenix form, has another value.
    SetColumn {
        /// The column.
        column: String,
        /// The other value's JSON text.
        value: String,
    },
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    /// The first time that the position is reached.
    Once,
    /// Every time.
    Always,
}

#[cfg(test)]
mod tests;
