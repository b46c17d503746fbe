//! Has the lanes tried before anything is driven over them.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;

use super::candidate::Host;
use super::reach::{Door, endpoint};
use super::{Environment, EnvironmentError, Source};
use crate::lane::names::Names;
use crate::lane::passing::AGAIN_AFTER;
use crate::lane::phoenix::{PhoenixLane, PhoenixTaggers};
use crate::lane::profile::{LaneTarget, PhoenixProfile};
use crate::lane::socket::Bounds;
use crate::lane::spacetime::SpacetimeLane;
use crate::lane::trial::{Trial, TrialError, trial_bounds};
use cutover_core::gate::fit::sets_policies;

/// What the trial's streams carry in their ids beside the word of the run.
const TRIAL: &str = "trial";

impl Environment {
    /// What these plans use, and what the trial's stream is called on the wire. `None` where there is nothing to try.
    fn trial(&self, plans: &[Plan]) -> Option<(Trial, Arc<Names>)> {
        let policies = plans.iter().any(sets_policies);
        let scope = format!("{}-{TRIAL}", self.run);
        let streams = plans.iter().flat_map(|plan| &plan.cases).flat_map(|case| &case.streams);
        // One whose id can carry a word of the run, so that no scenario meets what the trial wrote.
        streams.map(|stream| &stream.id).find_map(|stream| {
            let names = Names::new([stream.clone()], Some(&scope)).ok()?;
            let trial = Trial::of(plans, stream.clone(), policies, &self.run);
            Some((trial, Arc::new(names)))
        })
    }

    pub(super) async fn try_legacy(&self, profile: &PhoenixProfile, plans: &[Plan]) -> Result<(), EnvironmentError> {
        let Some((trial, names)) = self.trial(plans) else {
            return Ok(());
        };
        let profile = Arc::new(profile.clone());
        let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
        let taggers = Arc::new(PhoenixTaggers::new(profile.clone(), names.clone()));
        let socket_door = Door::open(&socket, taggers.clone()).await?;
        let writer_door = Door::open(&writer, taggers).await?;
        let url = profile.socket_url.clone();
        let lane = PhoenixLane::new(LaneId::Legacy, profile, names).with_bounds(trial_bounds());
        let (at, writer_at) = (socket_door.endpoint(&socket), writer_door.endpoint(&writer));
        let mut tries = Tries::default();
        let tried = loop {
            let tried = lane.try_out(&at, &writer_at, &trial).await;
            match tries.wait_after(&tried) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break tried,
            }
        };
        let lost = [socket_door.close().await, writer_door.close().await];
        failed("legacy", url, tried, lost.into_iter().flatten().next())
    }

    pub(super) async fn try_candidate(&self, host: &Arc<Host>, plans: &[Plan]) -> Result<(), EnvironmentError> {
        let Some((trial, names)) = self.trial(plans) else {
            return Ok(());
        };
        let profile = host.profile().clone();
        let bounds = Bounds {
            // The first call of a reducer may find the server still compiling the module.
            operation: Bounds::default().operation,
            ..trial_bounds()
        };
        let database = self.create(host, TRIAL).await?;
        let token = Some(host.token().clone());
        let lane = SpacetimeLane::new(LaneId::Candidate, profile.clone(), database.name, token, names)
            .with_bounds(bounds)
            .with_schema(database.schema);
        let endpoint = endpoint(host.door(), &profile.origin());
        let mut tries = Tries::default();
        let tried = loop {
            let tried = lane.try_out(&endpoint, &trial).await;
            match tries.wait_after(&tried) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break tried,
            }
        };
        failed("candidate", profile.url.clone(), tried, host.door().stats().last_unreachable)
    }

    /// Whether a lane is to be tried: one that is not built in may be anything.
    pub(super) fn is_tried(&self, lane: LaneId) -> bool {
        !matches!(self.source(lane), Source::Bundled)
    }

    /// The profile of the legacy lane, where it is somebody else's.
    pub(super) fn legacy_profile(&self) -> Option<&PhoenixProfile> {
        match &self.legacy {
            Source::Outside(LaneTarget::Phoenix(profile)) => Some(profile),
            _ => None,
        }
    }
}

/// How often a lane was tried.
#[derive(Default)]
pub(super) struct Tries(usize);

impl Tries {
    /// How long to wait for the next try, where what went wrong may be over soon and tries are left.
    fn wait_after(&mut self, outcome: &Result<(), TrialError>) -> Option<Duration> {
        let Err(error) = outcome else { return None };
        let asked = match error {
            TrialError::Open { source, .. } => source.retry_after,
            _ => None,
        };
        error.is_passing().then(|| self.next_wait(asked)).flatten()
    }

    /// How long to wait for the next try, at least as long as the lane asks, where tries are left.
    pub(super) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = AGAIN_AFTER.get(self.0).copied()?;
        self.0 += 1;
        Some(asked.map_or(wait, |asked| wait.max(asked)))
    }
}

/// A trial's outcome, with what the proxy in between knows of a connection that could not be opened.
fn failed(
    lane: &'static str,
    url: String,
    tried: Result<(), TrialError>,
    unreachable: Option<String>,
) -> Result<(), EnvironmentError> {
    let Err(mut source) = tried else { return Ok(()) };
    if let (TrialError::Open { source, .. }, Some(why)) = (&mut source, unreachable) {
        source.what = format!("{}; {why}", source.what);
    }
    Err(EnvironmentError::Trial { lane, url, source: Box::new(source) })
}

#[cfg(test)]
mod tests;
