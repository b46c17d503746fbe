//! A SpacetimeDB server as a run uses it: an identity that owns what the run creates, and a database for each scenario.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_control::{Enforcer, Signs};
use cutover_core::gate::fit::Updates;
use cutover_core::hash::sha256;
use cutover_core::plan::ModuleUpdate;
use cutover_core::text::Secret;
use tokio::sync::Mutex;

use super::admin::{self, AdminError};
use super::bearer::Leases;
use super::profile::SpacetimeProfile;
use super::propose::propose;
use super::schema::Schema;
use super::shape::Streams;
use super::{SpacetimeLane, SpacetimeTaggers, operate};
use crate::bounds::{self, Bound};
use crate::frame::TaggerFactory;
use crate::lane::http::HttpClient;
use crate::lane::names::Names;
use crate::lane::protocol::{Profile, Run, Service, Space};
use crate::lane::socket::Bounds;
use crate::lane::trial::{Steps, Trial, TrialError, trial_bounds};
use crate::lane::{Endpoint, Lane, OpenError};

pub const MODULE_WASM: &[u8] = include_bytes!("../../../../../spacetime/module/cutover_module.wasm");

/// The module with defects that [`ARM_REDUCER`] arms. It goes only to servers that a run started.
pub(super) const PLANTED_WASM: &[u8] = include_bytes!("../../../../../spacetime/module/cutover_module_planted.wasm");
pub(super) const ARM_REDUCER: &str = "arm_defect";

pub(super) struct SpacetimeService {
    pub(super) profile: Arc<SpacetimeProfile>,
    at: Endpoint,
    token: Secret,
    version: String,
    is_of_version_1: bool,
    pub(super) run: Arc<Run>,
    pub(super) created: std::sync::Mutex<BTreeSet<String>>,
    /// The module that a database of others was last seen to run: the server's hash of it, and our digest.
    served: Mutex<Option<(String, String)>>,
}

impl From<AdminError> for OpenError {
    fn from(error: AdminError) -> OpenError {
        OpenError { retryable: error.is_retryable(), ..OpenError::lasting(error.to_string()) }
    }
}

impl SpacetimeService {
    pub(super) async fn connect(
        profile: SpacetimeProfile,
        at: Endpoint,
        run: Arc<Run>,
    ) -> Result<SpacetimeService, OpenError> {
        let mut http = client(&profile, &at, profile.token.as_ref(), bounds::MEET)?;
        admin::ping(&mut http).await?;
        let version = admin::version(&mut http).await?.unwrap_or_else(|| "of unknown version".to_owned());
        if profile.confirmed == Some(true) && admin::lacks_confirmed_reads(&version) {
            let what = format!("it is SpacetimeDB {version}, which has no confirmed reads: they came with version 2");
            let hint = "leave `confirmed = true` out of its profile, or take a newer server";
            return Err(OpenError { is_of_the_profile: true, ..OpenError::lasting(what).hint(hint) });
        }
        let token = match &profile.token {
            Some(token) => token.clone(),
            None => admin::create_identity(&mut http).await?,
        };
        let is_of_version_1 = admin::lacks_confirmed_reads(&version);
        let version = format!("SpacetimeDB {version}");
        Ok(SpacetimeService {
            profile: Arc::new(profile),
            at,
            token,
            version,
            is_of_version_1,
            run,
            created: std::sync::Mutex::default(),
            served: Mutex::default(),
        })
    }

    pub(super) fn http(&self, within: Bound) -> Result<HttpClient, OpenError> {
        client(&self.profile, &self.at, Some(&self.token), within)
    }

    /// The digest of the module that a database of others runs, where the server shows it.
    async fn served_module(&self, http: &mut HttpClient, name: &str) -> Option<String> {
        let hash = operate::running_module(http, name).await.ok()?;
        let mut served = self.served.lock().await;
        if let Some((_, digest)) = served.as_ref().filter(|(before, _)| *before == hash) {
            return Some(digest.clone());
        }
        let digest = operate::module_bytes_digest(http, name).await.ok()?;
        *served = Some((hash, digest.clone()));
        Some(digest)
    }

    /// The lane over a database, with the schema that the server reports of its module.
    async fn open(
        &self,
        space: &Space,
        names: Arc<Names>,
    ) -> Result<(SpacetimeLane, Arc<Schema>, Arc<Names>), OpenError> {
        let reported = admin::schema(&mut self.http(bounds::ADMIN)?, &space.name).await?;
        let shape = Arc::new(self.profile.shape());
        let schema = reported.unwrap_or_else(|| (*Schema::module()).clone());
        let schema = Arc::new(schema.with_shape(Arc::clone(&shape)));
        let names = match shape.streams == Streams::default() {
            true => names,
            false => Arc::new(
                names
                    .with_ids(|topic, id| shape.stream_id(topic, id))
                    .map_err(|error| OpenError::lasting(error.to_string()))?,
            ),
        };
        let lane = SpacetimeLane::new(self.profile.clone(), &space.name, Some(self.token.clone()), names.clone());
        Ok((lane.with_schema(schema.clone()), schema, names))
    }
}

fn client(
    profile: &SpacetimeProfile,
    at: &Endpoint,
    token: Option<&Secret>,
    within: Bound,
) -> Result<HttpClient, OpenError> {
    SpacetimeLane::http(at, profile, token, Bounds { operation: within, ..Bounds::default() })
}

/// Publishes a module. The first to be published is compiled; all others then find it in the cache of compiled modules.
async fn publish(http: &mut HttpClient, name: &str, wasm: Bytes, compiled: &Mutex<bool>) -> Result<(), AdminError> {
    let first = Some(compiled.lock().await).filter(|compiled| !**compiled);
    admin::publish_module(http, name, wasm).await?;
    if let Some(mut compiled) = first {
        *compiled = true;
    }
    Ok(())
}

#[async_trait]
impl Service for SpacetimeService {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn token(&self) -> Option<&Secret> {
        Some(&self.token)
    }

    async fn create_space(&self, name: &str) -> Result<Space, OpenError> {
        let profile = &self.profile;
        let name = profile.database.clone().unwrap_or_else(|| format!("cutover-{}-{name}", self.run.word));
        if profile.database.is_none() && !profile.is_without_url() {
            // Noted before it is created: a request that is broken off may have created it.
            self.lock().insert(name.clone());
        }
        let mut http = self.http(bounds::ADMIN)?;
        if !profile.publishes_module() {
            admin::find_database(&mut http, &name).await?;
            let module_digest = self.served_module(&mut http, &name).await;
            return Ok(Space { name, module_digest });
        }
        publish(&mut http, &name, self.run.module.clone(), &self.run.compiled).await?;
        Ok(Space { name, module_digest: Some(sha256(&self.run.module)) })
    }

    async fn existing_space(&self) -> Result<Space, OpenError> {
        let Some(name) = self.profile.database.clone() else {
            let what = "its profile names no database";
            return Err(OpenError { is_of_the_profile: true, ..OpenError::lasting(what).hint("add `database` to it") });
        };
        let mut http = self.http(bounds::ADMIN)?;
        admin::find_database(&mut http, &name).await?;
        let module_digest = self.served_module(&mut http, &name).await;
        Ok(Space { name, module_digest })
    }

    async fn missing(&self) -> Result<Vec<String>, OpenError> {
        let shape = self.profile.shape();
        if self.profile.publishes_module() && self.run.module == MODULE_WASM && shape.is_ours() {
            return Ok(Vec::new());
        }
        let space = self.create_space("schema").await?;
        let reported = admin::schema(&mut self.http(bounds::ADMIN)?, &space.name).await?;
        Ok(reported.map(|schema| schema.with_shape(Arc::new(shape)).missing()).unwrap_or_default())
    }

    async fn create_planted_space(&self, name: &str, defects: &[String]) -> Result<Space, OpenError> {
        if !self.profile.is_without_url() || self.profile.database.is_some() {
            return Err(OpenError::lasting("defects are planted only in servers that the run started"));
        }
        let name = format!("cutover-{}-{name}", self.run.word);
        let mut http = self.http(bounds::ADMIN)?;
        publish(&mut http, &name, Bytes::from_static(PLANTED_WASM), &self.run.compiled_planted).await?;
        for defect in defects {
            admin::call(&mut http, &name, ARM_REDUCER, &serde_json::json!([defect])).await?;
        }
        Ok(Space { name, module_digest: None })
    }

    async fn update_space(&self, space: &Space, update: ModuleUpdate, defects: &[String]) -> Result<(), OpenError> {
        self.publish_anew(&space.name, update, defects).await
    }

    fn updates(&self) -> Updates {
        if self.is_of_version_1 { Updates::Additive } else { Updates::Breaking }
    }

    async fn lane(
        &self,
        space: &Space,
        names: Arc<Names>,
    ) -> Result<(Arc<dyn Lane>, Arc<dyn TaggerFactory>), OpenError> {
        let (lane, schema, names) = self.open(space, names).await?;
        Ok((Arc::new(lane), Arc::new(SpacetimeTaggers::new(names, schema))))
    }

    fn signs(&self) -> Signs {
        Signs::AsIssuer
    }

    async fn enforcer(&self, space: &Space, audience: &str) -> Result<Option<Arc<dyn Enforcer>>, OpenError> {
        let leases = Leases::begin(self.http(bounds::ADMIN)?, &space.name, audience).await?;
        Ok(Some(Arc::new(leases)))
    }

    async fn try_out(&self, space: &Space, names: Arc<Names>, trial: &Trial) -> Steps {
        // The first call of a reducer may find the server still compiling the module.
        let bounds = Bounds { operation: Bounds::default().operation, ..trial_bounds() };
        let opened = self.open(space, names).await;
        let mut steps = Steps::of(trial);
        let opened = opened.map_err(|source| TrialError::Open { trying: "the schema".to_owned(), source });
        let Some((lane, ..)) = steps.step("read the schema", async { opened }).await else { return steps };
        lane.with_bounds(bounds).try_out(&self.at, trial, steps).await
    }

    async fn proposed(&self) -> Result<Option<(String, Vec<String>)>, OpenError> {
        let profile = &self.profile;
        let Some(database) = &profile.database else {
            let what = "the URL names no database";
            let hint = "write it as `http://HOST/v1/database/NAME`";
            return Err(OpenError { is_of_the_profile: true, ..OpenError::lasting(what).hint(hint) });
        };
        let of_the_profile = |what: String| OpenError { is_of_the_profile: true, ..OpenError::lasting(what) };
        let reported = admin::schema(&mut self.http(bounds::ADMIN)?, database).await?;
        let schema = reported
            .ok_or_else(|| of_the_profile(format!("the server has no database `{database}`, or reports no schemas")))?;
        propose(&schema, profile.url(), database).map(Some).map_err(of_the_profile)
    }

    async fn clean_up(&self, keep: bool, within: Duration) -> Vec<String> {
        if keep { self.kept_databases() } else { self.delete_databases(within).await }
    }
}
