//! Faults, addressed by logical position and never by time, so that two different protocols suffer the same injury at
//! the same point.

use serde::{Deserialize, Serialize};

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
