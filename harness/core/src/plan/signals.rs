//! Signals that a lane tells who listens, and keeps nowhere: presence, progress.

use serde::{Deserialize, Serialize};

/// What three listeners of a step `signals` heard, by the numbers of the signals. Half of the signals is sent before
/// one of them leaves and another one comes, and half after that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Heard {
    pub stayed: Vec<u64>,
    pub left: Vec<u64>,
    pub returned: Vec<u64>,
}

impl Heard {
    /// What listeners must hear where each half has so many signals.
    pub fn of(count: u64) -> Heard {
        let (first, second) = (1..=count, count + 1..=2 * count);
        Heard { stayed: (1..=2 * count).collect(), left: first.collect(), returned: second.collect() }
    }

    /// The same numbers, the same text.
    pub fn to_json(&self) -> String {
        // Lists of numbers are always serialized.
        serde_json::to_string(self).unwrap_or_default()
    }
}
