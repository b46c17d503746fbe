//! Stages of a rollout on hosted lanes: what a command checked, what it saw, and what follows from that.
//!
//! A [`StageRecord`] is the evidence of one stage, the file `stage.json` of a directory. The decision follows from the
//! checks, and the digest protects the record.
#![allow(missing_docs, reason = "the names say it")]

pub mod deploy;
mod derive;
pub mod handshake;
pub mod provision;
mod recheck;
mod report;
pub mod rollout;
pub mod server;
pub mod shadow;
mod surface;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::evidence::Tool;
use crate::evidence::layout::FileEntry;
use crate::hash::sha256;
use crate::text::scrubbed;

pub use derive::{INTERRUPTED, derived};
pub use recheck::{Derive, NoStage, Recheck, recheck};
pub use report::{text, verdict};
pub use surface::{Change, Surface, TableSurface};

pub const STAGE_SCHEMA: &str = "cutover.stage/1";

/// The file of a stage's directory that holds the record.
pub const FILE: &str = "stage.json";

/// How a check came out, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    /// Not asked for, or the lane has nothing of the kind. The reason is in `saw`.
    Skipped,
    /// It could not be checked.
    Unknown,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub name: String,
    pub outcome: Outcome,
    /// What was seen, or why nothing was.
    pub saw: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    pub fn new(name: &str, outcome: Outcome, saw: impl Into<String>) -> Check {
        // What a server says may contain a token.
        let saw = scrubbed(&saw.into()).into_owned();
        Check { name: name.to_owned(), outcome, saw, mend: None }
    }

    pub fn passed(name: &str, saw: impl Into<String>) -> Check {
        Check::new(name, Outcome::Passed, saw)
    }

    pub fn failed(name: &str, saw: impl Into<String>, mend: impl Into<String>) -> Check {
        Check::new(name, Outcome::Failed, saw).mend(mend)
    }

    pub fn unknown(name: &str, saw: impl Into<String>, mend: impl Into<String>) -> Check {
        Check::new(name, Outcome::Unknown, saw).mend(mend)
    }

    pub fn skipped(name: &str, why: impl Into<String>, mend: impl Into<String>) -> Check {
        Check::new(name, Outcome::Skipped, why).mend(mend)
    }

    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Check {
        let mend = scrubbed(&mend.into()).into_owned();
        self.mend = (!mend.is_empty()).then_some(mend);
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Passed,
    Unknown,
    Failed,
}

impl Decision {
    /// What follows from checks. A failed check beats an unknown one, and that a passed one. A stage that checked
    /// nothing shows nothing, and a check that was skipped without a reason is unknown.
    pub fn of(checks: &[Check]) -> Decision {
        let counts = |check: &Check| match check.outcome {
            Outcome::Skipped if check.saw.trim().is_empty() => Outcome::Unknown,
            outcome => outcome,
        };
        match checks.iter().map(counts).max() {
            Some(Outcome::Failed) => Decision::Failed,
            None | Some(Outcome::Unknown) => Decision::Unknown,
            Some(Outcome::Passed | Outcome::Skipped) => {
                let any = checks.iter().any(|check| check.outcome == Outcome::Passed);
                if any { Decision::Passed } else { Decision::Unknown }
            }
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            Decision::Passed => 0,
            Decision::Failed => 1,
            Decision::Unknown => 2,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Decision::Passed => "PASSED",
            Decision::Unknown => "UNKNOWN",
            Decision::Failed => "FAILED",
        })
    }
}

/// What a command found out, as JSON. Numbers are whole.
pub type Facts = Map<String, Value>;

/// The evidence of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    pub schema: String,
    /// The command without `cutover`, such as `provision-check`.
    pub command: String,
    pub environment: String,
    /// When it began: RFC 3339, in UTC.
    pub started: String,
    pub tool: Tool,
    pub checks: Vec<Check>,
    pub facts: Facts,
    /// Further files of the directory, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileEntry>,
    pub decision: Decision,
    /// `sha256:` of this document with an empty text in this place.
    pub digest: String,
}

impl StageRecord {
    /// A record of nothing yet.
    pub fn begin(command: &str, environment: &str, started: String, tool: Tool) -> StageRecord {
        StageRecord {
            schema: STAGE_SCHEMA.to_owned(),
            command: command.to_owned(),
            environment: environment.to_owned(),
            started,
            tool,
            checks: Vec::new(),
            facts: Facts::new(),
            files: BTreeMap::new(),
            decision: Decision::Unknown,
            digest: String::new(),
        }
    }

    /// Adds a fact.
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Decides by the checks, and writes the digest.
    pub fn seal(&mut self) {
        self.decision = Decision::of(&self.checks);
        self.digest = self.own_digest();
    }

    pub fn own_digest(&self) -> String {
        sha256(&StageRecord { digest: String::new(), ..self.clone() }.to_bytes())
    }

    /// Indented JSON and a newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::evidence::pretty(self)
    }
}
