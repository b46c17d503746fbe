//! Tries the lanes before anything is driven over them.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::gate::fit::sets_policies;
use cutover_core::ids::{LaneId, StreamId};
use cutover_core::plan::{Compression, Plan, Serializer};

use super::host::{Host, unavailable};
use super::reach::{Access, Tries};
use super::{Environment, EnvironmentError};
use crate::lane::names::Names;
use crate::lane::trial::{Steps, Trial, TrialError};

/// The scope of the trial's streams beside the word of the run.
const TRIAL: &str = "trial";

impl Environment {
    /// What these plans use, and the name of the trial's stream on the wire. `None` where there is nothing to try.
    fn trial(&self, lane: LaneId, plans: &[Plan]) -> Option<(Trial, Arc<Names>)> {
        let policies = plans.iter().any(sets_policies);
        // Both lanes may be on one server.
        let scope = format!("{}-{TRIAL}-{lane}", self.run.word);
        let streams = plans.iter().flat_map(|plan| &plan.cases).flat_map(|case| &case.streams);
        // One whose id can carry a word of the run, so that no scenario meets what the trial wrote.
        streams.map(|stream| &stream.id).find_map(|stream| {
            let names = Names::new([stream.clone()], Some(&scope)).ok()?;
            let trial = Trial::of(plans, stream.clone(), policies, &self.run.word);
            Some((trial, Arc::new(names)))
        })
    }

    pub(super) async fn try_out(&self, lane: LaneId, host: &Host, plans: &[Plan]) -> Result<(), EnvironmentError> {
        let Some((trial, names)) = self.trial(lane, plans) else {
            return Ok(());
        };
        let created = host.service.create_space(&format!("{TRIAL}-{lane}")).await;
        let space = created.map_err(|source| unavailable(lane, &self.what(lane), source))?;
        let mut tries = Tries::default();
        let mut error = loop {
            let Err(error) = host.service.try_out(&space, names.clone(), &trial).await.result() else {
                return Ok(());
            };
            match wait_after(&mut tries, &error) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break error,
            }
        };
        let unreachable = host.access.as_ref().and_then(Access::last_unreachable);
        if let (TrialError::Open { source, .. }, Some(why)) = (&mut error, unreachable) {
            source.what = format!("{}; {why}", source.what);
        }
        Err(EnvironmentError::Trial { lane, url: self.what(lane), source: Box::new(error) })
    }
}

impl Environment {
    /// Tries everything of a lane that a run would use, also after a step that failed.
    pub async fn check(&self, lane: LaneId) -> Result<Steps, EnvironmentError> {
        let host = self.shared_host(lane).await?;
        let scope = format!("{}-{TRIAL}-{lane}", self.run.word);
        let stream = StreamId::new("run:check:events");
        let names = Arc::new(Names::new([stream.clone()], Some(&scope))?);
        let means = self.source(lane).means(lane);
        let trial = Trial {
            serializers: vec![Serializer::V1, Serializer::V2],
            compressions: vec![Compression::None, Compression::Gzip, Compression::Brotli],
            policies: means.sets_policies,
            unsubscribes: !means.keeps_watermarks,
            stream,
            marker: format!("cutover-trial-{}", self.run.word),
            thorough: true,
        };
        let created = host.service.create_space(&format!("{TRIAL}-{lane}")).await;
        let space = created.map_err(|source| unavailable(lane, &self.what(lane), source))?;
        Ok(host.service.try_out(&space, names, &trial).await)
    }

    /// A profile for what a lane has, as TOML, and what could not be decided.
    pub async fn proposed(&self, lane: LaneId) -> Result<Option<(String, Vec<String>)>, EnvironmentError> {
        let host = self.shared_host(lane).await?;
        host.service.proposed().await.map_err(|source| unavailable(lane, &self.what(lane), source))
    }
}

/// How long to wait for the next try, where the error may be gone soon and tries are left.
fn wait_after(tries: &mut Tries, error: &TrialError) -> Option<Duration> {
    let asked = match error {
        TrialError::Open { source, .. } => source.retry_after,
        _ => None,
    };
    error.is_passing().then(|| tries.next_wait(asked)).flatten()
}

#[cfg(test)]
mod tests;
