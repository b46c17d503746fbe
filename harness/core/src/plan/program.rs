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
    /// Known-bad: no program, but a client of the harness with this defect, on the lane that is expected to be blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<ClientDefect>,
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

/// What is wrong with a client that speaks as a program does. The checker `client` has to find each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientDefect {
    /// It takes event 5 for applied, and never applied it.
    LosesEvent,
    /// It applies event 4 again when it comes again.
    AppliesTwice,
    /// It applies event 6 before event 5.
    SwapsEvents,
    /// It applies event 5 with another payload.
    ChangesPayload,
    /// It applies an event that never came.
    InventsEvent,
    /// It stores its checkpoint before it applies the event.
    StoresBeforeApply,
    /// It says that it stored a checkpoint, and does so from time to time.
    ForgetsCheckpoint,
    /// It resumes from one event beyond what it applied.
    ResumesAhead,
    /// It reconnects at once.
    Hammers,
    /// It waits equally long before each reconnect.
    HammersEvenly,
    /// It asks again with a cursor that was refused as stale.
    KeepsStaleCursor,
    /// It does not reconnect once its connection is lost.
    StaysAway,
}

impl ClientDefect {
    pub const WORDS: [(&'static str, ClientDefect); 12] = [
        ("loses-event", ClientDefect::LosesEvent),
        ("applies-twice", ClientDefect::AppliesTwice),
        ("swaps-events", ClientDefect::SwapsEvents),
        ("changes-payload", ClientDefect::ChangesPayload),
        ("invents-event", ClientDefect::InventsEvent),
        ("stores-before-apply", ClientDefect::StoresBeforeApply),
        ("forgets-checkpoint", ClientDefect::ForgetsCheckpoint),
        ("resumes-ahead", ClientDefect::ResumesAhead),
        ("hammers", ClientDefect::Hammers),
        ("hammers-evenly", ClientDefect::HammersEvenly),
        ("keeps-stale-cursor", ClientDefect::KeepsStaleCursor),
        ("stays-away", ClientDefect::StaysAway),
    ];
}
