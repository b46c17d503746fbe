//! The programs that stand in the place of a client.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use crate::ids::LaneId;

/// The command of each lane, with its arguments; where there is none, the harness's own client runs. A program speaks
/// one protocol, so that each lane has its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Programs {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate: Vec<String>,
}

impl Programs {
    pub fn of(&self, lane: LaneId) -> Option<&[String]> {
        let command = match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        };
        (!command.is_empty()).then_some(command)
    }
}
