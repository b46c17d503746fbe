//! Toxics: what is done to a connection's bytes, in the words and with the meaning of Toxiproxy 2.x.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, FaultId, LaneId};

/// Which way bytes or messages go. Toxiproxy calls it a toxic's `stream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the lane.
    Upstream,
    /// From the lane to the client.
    Downstream,
}

impl Direction {
    /// Toxiproxy's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Upstream => "upstream",
            Direction::Downstream => "downstream",
        }
    }
}

/// A byte toxic that the plan arms on each connection of a client: from the beginning, or from the step that puts it on,
/// until a step takes it off or the heal phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedToxic {
    /// Its name in the ledger and in findings.
    pub id: FaultId,
    /// The lane that it strikes, or each lane where `None`.
    pub lane: Option<LaneId>,
    /// The client whose connections it strikes, or [`super::WRITER`].
    pub client: ClientId,
    /// Which way.
    pub stream: Direction,
    /// The chance that a connection gets it, from 0 to 1; drawn for each connection from the plan's seed.
    pub toxicity: f64,
    /// What it does.
    pub toxic: ByteToxic,
}

impl PlannedToxic {
    /// Whether the toxic is armed on a lane.
    pub fn strikes(&self, lane: LaneId) -> bool {
        self.lane.is_none_or(|only| only == lane)
    }
}

/// What a toxic does to bytes. Attributes have Toxiproxy's names and units; what is left out is 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "attributes", rename_all = "snake_case")]
pub enum ByteToxic {
    /// Delays what passes, without holding up what comes behind it any longer.
    Latency {
        /// Milliseconds.
        #[serde(default)]
        latency: i64,
        /// Milliseconds, more or less.
        #[serde(default)]
        jitter: i64,
    },
    /// Limits the rate.
    Bandwidth {
        /// Kilobytes (1000 bytes) a second; with 0 nothing passes.
        #[serde(default)]
        rate: i64,
    },
    /// Delays the end of the connection.
    SlowClose {
        /// Milliseconds.
        #[serde(default)]
        delay: i64,
    },
    /// Lets nothing pass, and ends the connection after a while.
    Timeout {
        /// Milliseconds since data came last; with 0 the connection stays until the toxic is removed.
        #[serde(default)]
        timeout: i64,
    },
    /// Ends the connection with RST.
    ResetPeer {
        /// Milliseconds after the first data, or the end, in the toxic's direction; with 0 at once.
        #[serde(default)]
        timeout: i64,
    },
    /// Cuts data into small pieces.
    Slicer {
        /// Bytes of a piece.
        #[serde(default)]
        average_size: i64,
        /// Bytes, more or less; below the average.
        #[serde(default)]
        size_variation: i64,
        /// Microseconds between two pieces.
        #[serde(default)]
        delay: i64,
    },
    /// Ends the connection once so much has passed.
    LimitData {
        /// Bytes.
        #[serde(default)]
        bytes: i64,
    },
}

impl ByteToxic {
    /// Toxiproxy's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            ByteToxic::Latency { .. } => "latency",
            ByteToxic::Bandwidth { .. } => "bandwidth",
            ByteToxic::SlowClose { .. } => "slow_close",
            ByteToxic::Timeout { .. } => "timeout",
            ByteToxic::ResetPeer { .. } => "reset_peer",
            ByteToxic::Slicer { .. } => "slicer",
            ByteToxic::LimitData { .. } => "limit_data",
        }
    }
}
