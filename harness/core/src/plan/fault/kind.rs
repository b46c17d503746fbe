//! What the plan says of each fault.
#![allow(missing_docs, reason = "the names say it, and the file of each fault explains its values")]

use serde::{Deserialize, Serialize};

use crate::ids::{Cursor, OpId, Seq, StreamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum FaultKind {
    Cut { how: Cut, when: When },
    Repeat { more: u8 },
    Delay { ms: u64 },
    Hold { until: Release },
    RewriteCursor { stream: StreamId, to: Cursor },
    Drop,
    Reorder { behind: u8, within_ms: u64 },
    Split { frames: u16 },
    Merge { messages: u8, within_ms: u64 },
    Drain { code: u16, within_ms: u64 },
    Mutate { mutation: Mutation },
}

/// A planted defect: what a broken lane would do. Only in known-bad scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mutation", rename_all = "kebab-case")]
pub enum Mutation {
    DropEvent,
    SwapWithNext,
    Flood { more: u8 },
    ReplacePayload { payload: String },
    Misdeliver { stream: StreamId, seq: Seq },
    SetJson { pointer: String, value: String },
    SetColumn { column: String, value: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Cut {
    /// A WebSocket close frame with this code, then FIN (RFC 6455, 7.4).
    Close { code: u16 },
    /// FIN without a close frame.
    Drop,
    /// A TCP RST.
    Reset,
    /// Nothing moves any more, and neither side is informed.
    Silence,
}

/// On which side of the message a cut falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The message is lost.
    Before,
    /// The message is delivered.
    After,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "kebab-case")]
pub enum Release {
    Acked { op: OpId },
    Heal,
}
