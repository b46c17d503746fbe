//! A trial of a lane before a run: it uses once what the plans will use, on a stream of its own, and reads every
//! answer.
//!
//! The trial finds what is wrong with a profile, an address or a token. It does not judge the lane: an event that
//! does not come is left to the run, where the checkers see it.

#![allow(missing_docs, reason = "the names say it")]

use cutover_core::gate::fit::resubscribes;
use cutover_core::ids::StreamId;
use cutover_core::plan::{Compression, Plan, Serializer};

use super::OpenError;
use super::socket::Bounds;
use crate::bounds;

/// Events per replay batch in a trial; there is one event.
pub(crate) const REPLAY_BATCH: u32 = 200;

pub(crate) const TRIAL_CLIENT: &str = "cutover-trial";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub serializers: Vec<Serializer>,
    pub compressions: Vec<Compression>,
    pub policies: bool,
    pub unsubscribes: bool,
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

    pub(crate) fn limit(&self) -> Option<u64> {
        self.policies.then_some(u64::from(REPLAY_BATCH))
    }

    pub(crate) fn payload(&self) -> String {
        serde_json::json!({ "trial": self.marker }).to_string()
    }
}

/// The parts of a trial, which each protocol does in its own way. [`run`] has their order.
pub(crate) trait Attempt {
    /// How a client connects, such as its serializer or compression.
    type Variant: Copy;
    type Client;
    type Writer;
    async fn connect(&self, variant: Self::Variant) -> Result<Self::Client, TrialError>;
    async fn connect_writer(&self) -> Result<Self::Writer, TrialError>;
    async fn set_policy(&self, writer: &mut Self::Writer) -> Result<(), TrialError>;
    async fn publish(&self, writer: &mut Self::Writer) -> Result<(), TrialError>;
    async fn subscribe(&self, client: &mut Self::Client) -> Result<(), TrialError>;

    /// Reads the event, which was published after (`live`) or before the subscription, and closes the session.
    async fn read(&self, client: Self::Client, live: bool) -> Result<(), TrialError>;

    async fn close(&self, client: Self::Client);
}

/// Connects in each variant, publishes an event, and reads it live in the first variant and by replay in each.
pub(crate) async fn run<A: Attempt>(attempt: &A, variants: &[A::Variant]) -> Result<(), TrialError> {
    let mut live = None;
    for variant in variants {
        let client = attempt.connect(*variant).await?;
        match live {
            None => live = Some(client),
            Some(_) => attempt.close(client).await,
        }
    }
    let mut writer = attempt.connect_writer().await?;
    attempt.set_policy(&mut writer).await?;
    if let Some(live) = &mut live {
        attempt.subscribe(live).await?;
    }
    attempt.publish(&mut writer).await?;
    if let Some(live) = live {
        attempt.read(live, true).await?;
    }
    for variant in variants {
        let mut client = attempt.connect(*variant).await?;
        attempt.subscribe(&mut client).await?;
        attempt.read(client, false).await?;
    }
    Ok(())
}

/// How long the steps of a trial may take: a lane that is there answers much sooner.
pub(crate) fn trial_bounds() -> Bounds {
    Bounds { operation: bounds::MEET, ..Bounds::default() }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field} = \"{name}\"`: {wrong}{}{}", seen.as_ref().map(|seen| format!("; {seen}")).unwrap_or_default(),
    hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct Mismatch {
    pub field: &'static str,
    pub name: String,
    pub wrong: String,
    pub seen: Option<String>,
    pub hint: Option<String>,
}

impl Mismatch {
    pub(crate) fn new(field: &'static str, name: &str, wrong: impl Into<String>) -> Mismatch {
        Mismatch { field, name: name.to_owned(), wrong: wrong.into(), seen: None, hint: None }
    }

    pub(crate) fn seen(mut self, seen: impl Into<String>) -> Mismatch {
        self.seen = Some(seen.into());
        self
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Mismatch {
        self.hint = hint;
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    #[error("{trying}: {source}")]
    Open { trying: String, source: OpenError },
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The database's module is not the one that the lane reads.
    #[error("the database's module is another one than this lane reads: {0}")]
    Module(String),
    #[error("{what}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Refused { what: String, hint: Option<String>, passing: bool },
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
