//! What following two lanes came to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Seen;
use crate::ids::LaneId;

/// What was seen of both lanes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// For how long they were followed.
    pub ran_ms: u64,
    /// How each lane served its client.
    pub lanes: BTreeMap<LaneId, LaneFollowed>,
    /// What was compared.
    pub seen: Seen,
    /// What the candidate ran.
    #[serde(default)]
    pub modules: Modules,
}

/// The digest of the candidate's module, where it shows one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modules {
    pub begin: Option<String>,
    pub end: Option<String>,
}

/// How one lane served its client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LaneFollowed {
    /// What serves, by its own word.
    pub version: String,
    /// How many connections came to follow their streams.
    pub connections: u64,
    /// How many could not be opened.
    pub failed_opens: u64,
    /// How many of those were refused for good: a token that is not accepted, or a stream that is not granted.
    pub refused: u64,
    /// Whether there is a connection.
    pub connected: bool,
    /// How long there was none, after the first one ended.
    pub down_ms: u64,
    /// The longest time without one.
    pub longest_down_ms: u64,
    /// The longest time from the begin of a connection until its streams were replayed.
    pub longest_open_ms: u64,
    /// Why the last connection ended, or could not be opened.
    pub last_end: Option<String>,
    /// Messages that break a rule about their fields, or that cannot be read.
    pub odd: u64,
    /// What the first of them said.
    pub first_odd: Option<String>,
    /// How many events of the other lane wait for this one.
    pub waiting: u64,
    /// How long the oldest of them has waited.
    pub behind_ms: u64,
}
