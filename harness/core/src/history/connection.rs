//! What a connection speaks, which messages bring events on it, and how it ends.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Protocol, StreamId};
use crate::plan::{Compression, Habit};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The subprotocol that the server chose, or the serializer.
    pub protocol: String,
    /// The compression that was asked for, where there is one to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Whether the server withholds an event until it is on disk; `None` where the protocol has no such option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// Whether each event comes in one message, by the word of the lane's profile, and not in two.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
}

impl Spoken {
    /// Whether an event that came over the connection may be taken for one that is on disk. Where the protocol has no
    /// such option, it is what the lane's acknowledgement promises.
    pub fn may_be_confirmed(&self) -> bool {
        self.confirmed != Some(false)
    }
}

impl fmt::Display for Spoken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.protocol)?;
        match self.compression {
            None => {}
            Some(Compression::None) => out.write_str(", not compressed")?,
            Some(Compression::Gzip) => out.write_str(", gzip")?,
            Some(Compression::Brotli) => out.write_str(", brotli")?,
        }
        if self.once {
            out.write_str(", each event once")?;
        }
        match self.confirmed {
            None => Ok(()),
            Some(true) => out.write_str(", confirmed reads"),
            Some(false) => out.write_str(", reads not confirmed"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Closed {
    /// The client closed it.
    ByClient,
    /// The client died.
    Crashed,
    /// A close frame came, with this code.
    CloseFrame {
        /// The code; 1005 where the frame had none (RFC 6455, 7.1.5).
        code: u16,
    },
    /// The transport ended without a close frame.
    Lost { why: String },
    /// Nothing came within the heartbeat's bound.
    Silent,
    /// A limit of our own was reached. The lane did nothing wrong, and what it sent there did not arrive.
    OurLimit { what: String },
    /// The connection never opened.
    NotOpened { why: String },
    /// The channel was closed or crashed, the socket was not.
    Channel {
        /// `phx_close` or `phx_error`.
        event: String,
    },
}

/// The event by which a Phoenix server ends a channel for good.
const CHANNEL_CLOSED: &str = "phx_close";

impl Closed {
    /// Whether a client of this habit does not come back after such an end.
    pub fn keeps_away(&self, habit: &Habit) -> bool {
        match self {
            Closed::CloseFrame { code } => habit.stays_away_after == Some(*code),
            Closed::Channel { event } => event == CHANNEL_CLOSED,
            _ => false,
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::ByClient => f.write_str("closed by the client"),
            Closed::Crashed => f.write_str("the client died"),
            Closed::CloseFrame { code } => write!(f, "closed with {code}"),
            Closed::Lost { why } => write!(f, "lost ({why})"),
            Closed::Silent => f.write_str("silent"),
            Closed::NotOpened { why } => write!(f, "not opened ({why})"),
            Closed::Channel { event } => write!(f, "ended by {event}"),
            Closed::OurLimit { what } => write!(f, "ended by a limit of ours ({what})"),
        }
    }
}

/// In which of a lane's messages an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Phoenix `sync:update_batch`.
    UpdateBatch,
    /// Phoenix `sync:frame`, the second copy of every batch.
    Frame,
    /// SpacetimeDB's snapshot when a subscription is applied.
    Snapshot,
    /// A SpacetimeDB transaction update.
    Transaction,
}

impl Via {
    pub fn protocol(self) -> Protocol {
        match self {
            Via::UpdateBatch | Via::Frame => Protocol::Phoenix,
            Via::Snapshot | Via::Transaction => Protocol::Spacetime,
        }
    }
}

/// What a lane tells a client that reads too slowly. A field that it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SlowNotice {
    /// `throttle`, or `disconnect` for the last one.
    pub action: String,
    /// The topic as it stood on the wire.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// The stream of that topic, where the plan has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// How many topics wait, and how many may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect_after_ms: Option<u64>,
}
