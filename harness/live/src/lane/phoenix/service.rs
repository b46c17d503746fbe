//! A Phoenix service as a run uses it.

use std::sync::Arc;

use async_trait::async_trait;
use cutover_control::{Enforcer, Existing, Signs, owner_token};
use cutover_core::plan::{Compression, Serializer};

use super::PhoenixLane;
use super::bearer::PhoenixEnforcer;
use super::calls::TokenRules;
use super::profile::PhoenixProfile;
use crate::frame::TaggerFactory;
use crate::lane::names::Names;
use crate::lane::protocol::{Endpoints, Service, Space};
use crate::lane::trial::{Steps, Trial, TrialError, trial_bounds};
use crate::lane::{ClientOptions, Lane, OpenError};

const VISITOR: &str = "cutover-visitor";

pub(super) struct PhoenixService {
    profile: Arc<PhoenixProfile>,
    at: Endpoints,
}

impl PhoenixService {
    pub(super) fn new(profile: PhoenixProfile, at: Endpoints) -> PhoenixService {
        PhoenixService { profile: Arc::new(profile), at }
    }

    fn existing(&self) -> Existing {
        let TokenRules { keys, issuer, audience, .. } = self.profile.tokens.clone();
        Existing { secrets: keys, issuer, audience }
    }

    /// The lane over these streams. Where the run has keys and no token, it mints one for them.
    fn lane_of(&self, names: Arc<Names>) -> Result<PhoenixLane, OpenError> {
        let mut profile = Arc::clone(&self.profile);
        if profile.token.is_none() && !profile.tokens.keys.is_empty() {
            let minted = owner_token(&self.existing(), names.topics().map(str::to_owned).collect());
            let token = minted.map_err(|error| OpenError::lasting(error.to_string()))?;
            profile = Arc::new(PhoenixProfile { token: Some(token), ..(*profile).clone() });
        }
        Ok(PhoenixLane::new(profile, names))
    }
}

#[async_trait]
impl Service for PhoenixService {
    fn version(&self) -> String {
        format!("outside service at {}", self.at.socket.authority)
    }

    async fn log_in(&self) -> Result<(), OpenError> {
        let lane = self.lane_of(Arc::default())?;
        let (serializer, compression) = (Serializer::V2, Compression::None);
        let client = ClientOptions { name: VISITOR.to_owned(), serializer, compression, join: None };
        lane.subscriber(&self.at.socket, &client).await?.close().await;
        Ok(())
    }

    async fn lane(
        &self,
        _space: &Space,
        names: Arc<Names>,
    ) -> Result<(Arc<dyn Lane>, Arc<dyn TaggerFactory>), OpenError> {
        let lane = Arc::new(self.lane_of(names)?);
        Ok((lane.clone(), lane))
    }

    fn signs(&self) -> Signs {
        Signs::WithSecretsOf(self.existing())
    }

    fn lacks(&self) -> Vec<&'static str> {
        self.profile.tokens.lacks()
    }

    async fn enforcer(&self, _space: &Space, _audience: &str) -> Result<Option<Arc<dyn Enforcer>>, OpenError> {
        let lane = self.lane_of(Arc::default())?;
        Ok(Some(Arc::new(PhoenixEnforcer::new(&lane, &self.at.writer)?)))
    }

    async fn try_out(&self, _space: &Space, names: Arc<Names>, trial: &Trial) -> Steps {
        let lane = self.lane_of(names).map_err(|source| TrialError::Open { trying: "a token".to_owned(), source });
        let mut steps = Steps::of(trial);
        let Some(lane) = steps.step("take the token", async { lane }).await else { return steps };
        let lane = lane.with_bounds(trial_bounds());
        lane.try_out(&self.at.socket, &self.at.writer, trial, steps).await
    }
}
