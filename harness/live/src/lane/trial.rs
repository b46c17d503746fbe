//! A trial of a lane before a run: it uses once what the plans will use, on a stream of its own, and reads every
//! answer.
//!
//! The trial finds what is wrong with a profile, an address or a token. It does not judge the lane: an event that
//! does not come is left to the run, where the checkers see it.

#![allow(missing_docs, reason = "the names say it")]

use std::fmt::Debug;

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
    /// Whether all is tried, also after a step that failed; a run ends there.
    pub thorough: bool,
}

/// What became of one step of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub what: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Works,
    /// The profile says that the service has no such thing.
    LeftOut,
    /// The service answered, and then what should follow did not come. A run judges that.
    Missing(&'static str),
    Failed(Box<TrialError>),
    /// A step before it failed.
    NotTried,
}

/// The steps of a trial, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    pub all: Vec<Step>,
    thorough: bool,
}

impl Steps {
    pub fn of(trial: &Trial) -> Steps {
        Steps { all: Vec::new(), thorough: trial.thorough }
    }

    /// What stopped the trial, or would stop a run.
    pub fn result(self) -> Result<(), TrialError> {
        let error = self.all.into_iter().find_map(|step| match step.outcome {
            Outcome::Failed(error) => Some(*error),
            _ => None,
        });
        error.map_or(Ok(()), Err)
    }

    fn goes_on(&self) -> bool {
        self.thorough || !self.all.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }

    pub(crate) fn add(&mut self, what: impl Into<String>, outcome: Outcome) {
        self.all.push(Step { what: what.into(), outcome });
    }

    /// Does a step, unless an earlier one ended the trial.
    pub(crate) async fn step<T>(
        &mut self,
        what: impl Into<String>,
        doing: impl Future<Output = Result<T, TrialError>>,
    ) -> Option<T> {
        if !self.goes_on() {
            return None;
        }
        match doing.await {
            Ok(done) => {
                self.add(what, Outcome::Works);
                Some(done)
            }
            Err(error) => {
                self.add(what, Outcome::Failed(Box::new(error)));
                None
            }
        }
    }

    /// A step that needs what an earlier one did not make.
    pub(crate) fn skip(&mut self, what: impl Into<String>) {
        if self.goes_on() {
            self.add(what, Outcome::NotTried);
        }
    }
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
            thorough: false,
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
    type Variant: Copy + Debug;
    type Client;
    type Writer;
    async fn connect(&self, variant: Self::Variant) -> Result<Self::Client, TrialError>;
    async fn connect_writer(&self) -> Result<Self::Writer, TrialError>;
    fn sets_policies(&self) -> bool;
    async fn set_policy(&self, writer: &mut Self::Writer) -> Result<(), TrialError>;
    async fn publish(&self, writer: &mut Self::Writer) -> Result<(), TrialError>;
    async fn subscribe(&self, client: &mut Self::Client) -> Result<(), TrialError>;

    /// Reads the event, which was published after (`live`) or before the subscription, and closes the session. Says
    /// whether it came.
    async fn read(&self, client: Self::Client, live: bool) -> Result<bool, TrialError>;

    async fn close(&self, client: Self::Client);

    /// What else a run may use, in a trial that tries everything.
    async fn others(&self, _writer: &mut Self::Writer, _variant: Self::Variant, _steps: &mut Steps) {}
}

/// Connects in each variant, publishes an event, and reads it live in the first variant and by replay in each.
pub(crate) async fn run<A: Attempt>(attempt: &A, variants: &[A::Variant], steps: &mut Steps) {
    let mut live = None;
    for variant in variants {
        let client = steps.step(format!("connect and beat, {variant:?}"), attempt.connect(*variant)).await;
        match (client, &live) {
            (Some(client), None) => live = Some(client),
            (Some(client), Some(_)) => attempt.close(client).await,
            (None, _) => {}
        }
    }
    let mut writer = steps.step("connect the writer", attempt.connect_writer()).await;
    if attempt.sets_policies() {
        match &mut writer {
            Some(writer) => drop(steps.step("set a policy", attempt.set_policy(writer)).await),
            None => steps.skip("set a policy"),
        }
    } else {
        steps.add("set a policy", Outcome::LeftOut);
    }
    let mut subscribed = None;
    match &mut live {
        Some(live) => subscribed = steps.step("subscribe", attempt.subscribe(live)).await,
        None => steps.skip("subscribe"),
    }
    let mut published = None;
    match &mut writer {
        Some(writer) => published = steps.step("publish and learn the seq", attempt.publish(writer)).await,
        None => steps.skip("publish and learn the seq"),
    }
    match live {
        Some(live) if subscribed.is_some() && published.is_some() => {
            read(attempt, steps, "read the event live", live, true).await
        }
        Some(live) => attempt.close(live).await,
        None => {}
    }
    for variant in variants {
        let what = format!("resume, {variant:?}");
        let connected = steps.step(format!("connect again, {variant:?}"), attempt.connect(*variant)).await;
        let Some(mut client) = connected else { continue };
        match steps.step(what, attempt.subscribe(&mut client)).await {
            Some(()) => read(attempt, steps, &format!("read the event by replay, {variant:?}"), client, false).await,
            None => attempt.close(client).await,
        }
    }
    if let (true, Some(mut writer), Some(variant)) = (steps.thorough, writer, variants.first()) {
        attempt.others(&mut writer, *variant, steps).await;
    }
}

async fn read<A: Attempt>(attempt: &A, steps: &mut Steps, what: &str, client: A::Client, live: bool) {
    if !steps.goes_on() {
        return attempt.close(client).await;
    }
    let outcome = match attempt.read(client, live).await {
        Ok(true) => Outcome::Works,
        Ok(false) => Outcome::Missing("the event did not come"),
        Err(error) => Outcome::Failed(Box::new(error)),
    };
    steps.add(what, outcome);
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
