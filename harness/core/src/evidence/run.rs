//! What a run reports while it goes on, and what it leaves of each scenario: the only bridge from driving to showing.
#![allow(missing_docs, reason = "the names say it")]

use super::document::LaneServer;
use crate::history::{HISTORY_SCHEMA, Header, History, Phase};
use crate::ids::LaneId;
use crate::plan::Plan;

/// Something that happened while scenarios are driven. Only for showing: nothing is judged by it.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// A lane's server answers.
    LaneReady {
        lane: LaneId,
        server: LaneServer,
        /// The digest of the module that was published to it, where one was.
        module_digest: Option<String>,
    },
    /// A scenario began.
    ScenarioStarted { scenario: String },
    /// A lane entered a phase.
    Phase { scenario: String, lane: LaneId, phase: Phase },
    /// A scenario ended; its histories follow as a [`Driven`].
    ScenarioFinished { scenario: String },
}

#[derive(Debug, Clone, PartialEq)]
pub struct LaneRun {
    pub history: History,
    /// When each record was recorded, in microseconds since the scenario started.
    pub times_us: Vec<u64>,
    /// When the first of them was, by the wall clock, in microseconds since 1970; 0 where that is not known.
    pub started_us: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Driven {
    pub plan: Plan,
    pub legacy: LaneRun,
    pub candidate: LaneRun,
    /// How long it took, in milliseconds of wall time.
    pub elapsed_ms: u64,
}

impl LaneRun {
    /// The run of a lane that was not driven, as a baseline stands for it.
    pub fn none(plan: &Plan, lane: LaneId) -> LaneRun {
        let header = Header {
            schema: HISTORY_SCHEMA.to_owned(),
            scenario: plan.scenario.clone(),
            seed: plan.seed,
            lane,
            plan_digest: plan.digest(),
        };
        LaneRun { history: History { header, records: Vec::new() }, times_us: Vec::new(), started_us: 0 }
    }
}

impl Driven {
    pub fn lane(&self, lane: LaneId) -> &LaneRun {
        match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        }
    }
}
