//! The evidence document, `evidence.json`: who ran what with what, what was judged of it, and the digests that bind it
//! all.
//!
//! Everything in it is in a fixed order and free of times, so that one run's document is always the same bytes. Numbers
//! are whole: a fraction would have to be rounded by every reader alike.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::judged::Judged;
use super::layout::FileEntry;
use super::speed::LaneTimes;
use crate::calibration::Summary;
use crate::gate::Scope;
use crate::hash::sha256;
use crate::ids::{FaultId, LaneId, Seed};

pub const EVIDENCE_SCHEMA: &str = "cutover.evidence/2";

pub const RUN_TIMES_SCHEMA: &str = "cutover.run-times/1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub schema: String,
    pub state: State,
    pub run: String,
    pub tool: Tool,
    /// The checkout that the run was started in; `None` where there was none.
    pub checkout: Option<Checkout>,
    pub command: Vec<String>,
    /// The command that runs the same again, without the choice of scenarios.
    pub reproduce: String,
    pub seed: Seed,
    /// Which one this is of the runs of `--repeat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<NthRun>,
    pub scope: Scope,
    /// How well the gate of this tool was calibrated, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Summary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toxiproxy: Option<String>,
    pub lanes: BTreeMap<LaneId, LaneServer>,
    /// The digest of the SpacetimeDB module that served, where it was published or the server showed it.
    pub module_digest: Option<String>,
    /// The hosted environment that the candidate was, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What was judged. Recheck computes this part again, and it must be equal byte for byte.
    pub judged: Judged,
    /// Every file of the bundle that is digested, by path.
    pub files: BTreeMap<String, FileEntry>,
    /// `sha256:` of this document with an empty text in this place. It protects what is in no other file.
    pub digest: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NthRun {
    pub nth: u32,
    pub of: u32,
    pub seed: Seed,
}

impl std::fmt::Display for NthRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of {} from seed {}", self.nth, self.of, self.seed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    InProgress,
    Interrupted {
        by: String,
    },
    /// A lane or the environment was unavailable.
    Failed {
        why: String,
    },
    Complete,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// The checkout that it was built from; `None` where there was none.
    pub built_from: Option<Checkout>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub commit: String,
    pub dirty: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneServer {
    /// What it is: `built-in`, or the URL, profile or binary given.
    pub what: String,
    pub version: Option<String>,
    /// What its connections spoke: subprotocol or serializer, compression, and whether reads were confirmed. It follows
    /// from the histories.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub spoken: BTreeSet<String>,
}

/// Wall-clock times of a run, in a file of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub schema: String,
    /// When the run started, RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds; `None` while it goes on.
    pub elapsed_ms: Option<u64>,
    /// How long each scenario took, in milliseconds.
    pub scenarios_ms: BTreeMap<String, u64>,
    /// How long each lane took for each scenario.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lanes: BTreeMap<String, LaneTimes>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fires: BTreeMap<String, Vec<FireTime>>,
}

/// When a fault or a toxic fired, by the logical position and by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FireTime {
    pub lane: LaneId,
    pub fault: FaultId,
    /// On which connection of the client, from 1.
    pub conn: u32,
    /// At which message of that connection and direction, from 1. For a toxic, the last message before it fired; 0
    /// where that is not known.
    pub frame: u64,
    /// The line of the history file, from 1.
    pub line: u64,
    /// Microseconds since the lane's run began.
    pub after_us: u64,
    /// By the wall clock: RFC 3339, in UTC, to the millisecond.
    pub at: String,
}

impl Evidence {
    /// Writes the document's digest of itself into it, as it now is.
    pub fn seal(&mut self) {
        self.digest = self.own_digest();
    }

    pub fn own_digest(&self) -> String {
        let unsealed = Evidence { digest: String::new(), ..self.clone() };
        sha256(&unsealed.to_bytes())
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        pretty(self)
    }
}

impl Times {
    pub fn to_bytes(&self) -> Vec<u8> {
        pretty(self)
    }
}

/// Indented JSON and a newline at the end: diffs of two documents are read by people.
pub(crate) fn pretty<T: Serialize>(value: &T) -> Vec<u8> {
    // The types here have string keys and no failing field, and a vector takes every write.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
