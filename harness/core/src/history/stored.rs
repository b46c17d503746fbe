//! What a lane stores, read at a moment of rest: no operation of the stream's case is under way.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use super::operation::Differs;

/// A stream as its lane stores it. Of events that are stored as they were acknowledged, only their seqs are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    pub head: u64,
    /// The oldest event that is retained, as the lane names it; its successor where none is.
    pub oldest: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The seqs of the stored events, as unbroken ranges in their order; `None` where the lane does not show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<(u64, u64)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Vec<StoredCheckpoint>>,
    /// What does not fit what was acknowledged, with the seq of the event that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<(Option<u64>, Differs)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoredCheckpoint {
    pub client: String,
    pub seq: u64,
    pub durable_offset: u64,
}
