//! The history: what every client of one lane asked and saw, in the order in which it was recorded.
//!
//! Append-only. Wall-clock times are kept apart from it (`times` beside each file), so that nothing that is digested or
//! judged depends on them. Durations that are to be judged are records. Streams and seqs are the plan's logical ones,
//! whatever the lane called them on the wire.
#![allow(missing_docs, reason = "the names say it")]

mod backup;
mod connection;
mod contradiction;
pub mod file;
mod operation;
mod program;
mod record;
mod relay;
mod server;
mod stored;
pub mod valid;

pub use backup::{Backup, BackupFile, FileDiffers, Rejoined, Replayed, Restored, Returned, ranges};
pub use connection::{Closed, SlowNotice, Spoken, Via};
pub use contradiction::Contradiction;
pub use operation::{Completion, Differs, Outcome, Refusal, Snapshot, StaleStream, UNSAID};
pub use program::Word;
pub use record::{Fire, Minting, Phase, Record, RewindReason, Rewrote, Timed, Verdict};
pub use relay::{Arrival, OutboxRow, RelayAnswer};
pub use server::{KillWait, Process};
pub use stored::{Stored, StoredCheckpoint};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, Seed};

pub const HISTORY_SCHEMA: &str = "cutover.history/1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub schema: String,
    pub scenario: String,
    pub seed: Seed,
    pub lane: LaneId,
    /// `sha256:` of the plan's serialized bytes.
    pub plan_digest: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub header: Header,
    /// What happened, in order. A record's index here is how witnesses name it.
    pub records: Vec<Record>,
}

impl History {
    pub fn spoken(&self) -> BTreeSet<String> {
        let spoken = self.records.iter().filter_map(|record| match record {
            Record::Opened { spoken, .. } => spoken.as_ref(),
            _ => None,
        });
        spoken.map(Spoken::to_string).collect()
    }
}
