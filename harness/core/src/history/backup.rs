//! What a backup holds, and what a new server made of it.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hash::PayloadHash;
use crate::ids::{ClientId, Cursor, Seq, StreamId};

/// A copy of a server's data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    pub backup: String,
    /// The acknowledged heads when it began. All of these events were on disk then.
    pub begun: BTreeMap<StreamId, Seq>,
    /// The acknowledged heads when it was whole.
    pub ended: BTreeMap<StreamId, Seq>,
    /// Sorted by path.
    pub files: Vec<BackupFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A file that is not as the backup's list has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiffers {
    pub path: String,
    pub bytes: u64,
    /// How many bytes it has now; `None` where it is missing.
    pub now: Option<u64>,
}

/// What a new server on the files of a backup shows to a client that reads from the start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restored {
    pub backup: String,
    /// The files that differ from the backup's list.
    pub files: Vec<FileDiffers>,
    /// Why nothing could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    pub streams: Vec<Replayed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    pub stream: StreamId,
    /// The seqs of the events that have the planned payload, as unbroken ranges.
    pub events: Vec<(u64, u64)>,
    /// Events with another payload than the planned one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(u64, Option<PayloadHash>)>,
}

impl Restored {
    /// The greatest seq that it has of a stream; 0 where it has none.
    pub fn head_of(&self, stream: &StreamId) -> u64 {
        self.streams.iter().find(|replayed| replayed.stream == *stream).map_or(0, Replayed::head)
    }
}

impl Replayed {
    pub fn head(&self) -> u64 {
        let ranges = self.events.iter().map(|(_, last)| *last);
        ranges.chain(self.other.iter().map(|(seq, _)| *seq)).max().unwrap_or(0)
    }

    /// The first seq up to its head that it does not have.
    pub fn gap(&self) -> Option<u64> {
        let has = |seq: u64| {
            self.events.iter().any(|(first, last)| (*first..=*last).contains(&seq))
                || self.other.iter().any(|(other, _)| *other == seq)
        };
        (1..=self.head()).find(|seq| !has(*seq))
    }
}

/// What became of the clients that came back to the new server, and of the events that were written there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rejoined {
    pub backup: String,
    /// The seq of each event of the plan's list; `None` where it was not acknowledged.
    pub written: Vec<Option<Seq>>,
    pub clients: Vec<Returned>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    pub client: ClientId,
    pub stream: StreamId,
    /// The cursor with which it came.
    pub from: Cursor,
    /// Whether it gave that cursor up, since the lane told it to.
    pub told: bool,
    /// The seqs of the events that it was given there and that the server holds, as unbroken ranges.
    pub given: Vec<(u64, u64)>,
    /// What it was given beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(u64, Option<PayloadHash>)>,
    pub ended: Cursor,
}

/// The unbroken ranges of seqs.
pub fn ranges(seqs: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    let sorted: std::collections::BTreeSet<u64> = seqs.into_iter().collect();
    for seq in sorted {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seq) => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}
