//! A lane is tried before a run: what the plans will use is used once, on a stream of its own, and every answer is read.
//!
//! The trial finds what is wrong with a profile, an address or a token. It does not judge the lane: an event that does not
//! come is left to the run, where the checkers see it.

use cutover_core::gate::fit::resubscribes;
use cutover_core::ids::StreamId;
use cutover_core::plan::{Compression, Plan, Serializer};

use super::OpenError;
use super::socket::Bounds;
use crate::bounds;

/// The client's name in a trial.
pub(crate) const TRIAL_CLIENT: &str = "cutover-trial";

/// What the plans use of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Phoenix: the serializers of its clients.
    pub serializers: Vec<Serializer>,
    /// SpacetimeDB: the compressions of its clients.
    pub compressions: Vec<Compression>,
    /// Whether retention or a replay budget is set.
    pub policies: bool,
    /// Whether clients unsubscribe.
    pub unsubscribes: bool,
    /// The trial's own stream.
    pub stream: StreamId,
    /// A word that the event of the trial carries, and nothing else does.
    pub marker: String,
}

impl Trial {
    /// What these plans use, on this stream; `run` is a word of the run.
    pub fn of(plans: &[Plan], stream: StreamId, policies: bool, run: &str) -> Trial {
        let mut trial = Trial {
            serializers: Vec::new(),
            compressions: Vec::new(),
            policies,
            unsubscribes: plans.iter().any(resubscribes),
            stream,
            marker: format!("cutover-trial-{run}"),
        };
        let cases = plans.iter().flat_map(|plan| &plan.cases);
        for client in cases.flat_map(|case| &case.clients) {
            if !trial.serializers.contains(&client.serializer) {
                trial.serializers.push(client.serializer);
            }
            if !trial.compressions.contains(&client.compression) {
                trial.compressions.push(client.compression);
            }
        }
        trial
    }

    /// The event's payload.
    pub(crate) fn payload(&self) -> String {
        serde_json::json!({ "trial": self.marker }).to_string()
    }
}

/// How long the steps of a trial may take: a lane that is there answers much sooner.
pub(crate) fn trial_bounds() -> Bounds {
    Bounds { operation: bounds::MEET, ..Bounds::default() }
}

/// A name of a lane profile that stands for nothing that the service has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field} = \"{name}\"`: {wrong}{}{}", seen.as_ref().map(|seen| format!("; {seen}")).unwrap_or_default(),
    hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct Mismatch {
    /// The profile's key.
    pub field: &'static str,
    /// The name that was looked for.
    pub name: String,
    /// What is wrong.
    pub wrong: String,
    /// What was seen instead.
    pub seen: Option<String>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Mismatch {
    pub(crate) fn new(field: &'static str, name: &str, wrong: impl Into<String>) -> Mismatch {
        Mismatch { field, name: name.to_owned(), wrong: wrong.into(), seen: None, hint: None }
    }

    /// With what was seen instead.
    pub(crate) fn seen(mut self, seen: impl Into<String>) -> Mismatch {
        self.seen = Some(seen.into());
        self
    }

    /// With how to mend it.
    pub(crate) fn hint(mut self, hint: Option<String>) -> Mismatch {
        self.hint = hint;
        self
    }
}

/// Why a trial failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// A session could not be opened.
    #[error("{trying}: {source}")]
    Open {
        /// What was tried.
        trying: String,
        /// Why not.
        source: OpenError,
    },
    /// The profile does not fit the service.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The database's module is not the one that the lane reads.
    #[error("the database's module is another one than this lane reads: {0}")]
    Module(String),
    /// The lane does not do what the run needs.
    #[error("{what}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Refused {
        /// What was asked and what it said.
        what: String,
        /// How to mend it.
        hint: Option<String>,
        /// Whether another try may go better.
        passing: bool,
    },
}

impl TrialError {
    /// Whether another try may go better: a service may be limiting or restarting.
    pub fn is_passing(&self) -> bool {
        match self {
            TrialError::Open { source, .. } => !source.is_of_the_profile,
            TrialError::Refused { passing, .. } => *passing,
            TrialError::Mismatch(_) | TrialError::Module(_) => false,
        }
    }

    /// Whether the profile or the options have to be changed; else the lane or its surroundings.
    pub fn is_of_the_profile(&self) -> bool {
        match self {
            TrialError::Mismatch(_) | TrialError::Module(_) => true,
            TrialError::Open { source, .. } => source.is_of_the_profile,
            TrialError::Refused { .. } => false,
        }
    }
}
