//! What a program that stands in the place of a client does and says: [`Record::Program`](super::Record::Program).
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use crate::hash::PayloadHash;
use crate::ids::{Seq, StreamId};

/// A word of the program, or what the driver saw of it. A word is recorded before whatever the program sends after it,
/// and a delivery before whatever the program says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub enum Word {
    /// It was started, with the same data directory as before.
    Started,
    /// It begins to connect.
    Attempted {
        /// How long after the end of its last connection, in microseconds; `None` of the first since it was started or
        /// told to open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_us: Option<u64>,
    },
    Applied {
        stream: StreamId,
        seq: Seq,
        /// Of what it applied, where it tells that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<PayloadHash>,
    },
    /// It had applied the event before, and dropped it.
    Duplicate { stream: StreamId, seq: Seq },
    /// It gave up its cursor, and starts the stream anew.
    Rebootstrap { stream: StreamId, reason: String },
    /// It stored a cursor where it survives a crash.
    Checkpoint { stream: StreamId, seq: Seq },
    /// It closed its connection as it was told.
    Closed,
    /// It made no attempt to reconnect, for longer than any back-off after a good connection.
    Away,
    /// It had time enough, and answered that it has handled everything that it received.
    Handled,
}

impl Word {
    /// The stream that it is about, where it is about one.
    pub fn stream(&self) -> Option<&StreamId> {
        match self {
            Word::Applied { stream, .. }
            | Word::Duplicate { stream, .. }
            | Word::Rebootstrap { stream, .. }
            | Word::Checkpoint { stream, .. } => Some(stream),
            Word::Started | Word::Attempted { .. } | Word::Closed | Word::Away | Word::Handled => None,
        }
    }
}
