//! Backups of a server's data directory, and what is done with one on a new server.

use serde::{Deserialize, Serialize};

use crate::hash::PayloadHash;
use crate::ids::{LaneId, StreamId};
use crate::matrix::Part;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Copying {
    /// The server is stopped in good order, and started again afterwards.
    Cold,
    /// The server runs. The logs come last, once so many further events were acknowledged.
    Hot { after: u64 },
}

/// What is done to the copy of a backup before a server starts on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Damage {
    /// The log ends within the last event that was acknowledged before the backup began.
    TornTail,
    /// The last file of the log is away.
    MissingSegment,
    /// The files are those of an older backup.
    OlderCopy { of: String },
}

impl Damage {
    /// What is shown where a damage is found, or where an undamaged backup is whole.
    pub fn shows(damage: Option<&Damage>, hot: bool) -> Part {
        match damage {
            None if hot => Part::RestoredHot,
            None => Part::RestoredCold,
            Some(Damage::TornTail) => Part::TornTailNamed,
            Some(Damage::MissingSegment) => Part::MissingSegmentNamed,
            Some(Damage::OlderCopy { .. }) => Part::OlderCopyNamed,
        }
    }
}

/// A new server starts on a copy of a backup, beside the lane's own. Its streams are read from the start; then a copy
/// of each client comes back to it with the cursors that the client has; then events are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The only lane where it is done; `None` is each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    pub backup: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
    /// Known-bad: the damage is done after the files were compared, and the judge does not know of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_silence: bool,
    /// Known-bad: the events are written before the clients come back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub writers_first: bool,
    pub next: Vec<NextEvent>,
}

/// An event that is written to the new server. Its seq follows from what the backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextEvent {
    pub stream: StreamId,
    pub key: String,
    pub payload: String,
    pub hash: PayloadHash,
}

impl Restore {
    pub fn is_on(&self, lane: LaneId) -> bool {
        self.lane.is_none_or(|only| only == lane)
    }

    /// The damage that the judge is to find.
    pub fn told(&self) -> Option<&Damage> {
        self.damage.as_ref().filter(|_| !self.in_silence)
    }
}
