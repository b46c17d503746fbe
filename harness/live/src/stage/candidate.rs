//! The candidate lane: a SpacetimeDB server, shared between the plans that do it no harm, with a database of its own for
//! each plan.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cutover_core::hash::PayloadHash;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::meet::reach;
use super::{Source, Stage, StageError, Staged, fixed};
use crate::bounds::{self, Bound};
use crate::drive::{LaneStack, Quietly, Route, Victim};
use crate::lane::Endpoint;
use crate::lane::http::HttpClient;
use crate::lane::profile::{LaneTarget, Secret, SpacetimeProfile};
use crate::lane::socket::Bounds;
use crate::lane::spacetime::admin::{self, AdminError};
use crate::lane::spacetime::{SpacetimeLane, SpacetimeTaggers};
use crate::process::{Durability, Server, ServerCommand};
use crate::proxy::{Proxy, ProxyConfig, Upstream};
use cutover_core::gate::fit::harms;

/// The module, as it is committed.
pub const MODULE_WASM: &[u8] = include_bytes!("../../../../spacetime/module/cutover_module.wasm");

/// The name by which the server inside our binary is asked for; it serves any.
const BUNDLED_URL: &str = "http://candidate.localhost/";
/// Between two looks whether a database that was being created when its plan was broken off is there by now.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// So often a database is looked for that may never come.
const LOOKS: usize = 5;

/// A server with an identity that owns our databases on it.
pub struct Host {
    server: Option<Arc<Mutex<Server>>>,
    profile: Arc<SpacetimeProfile>,
    upstream: Upstream,
    token: Secret,
    version: String,
    /// Stands between us and the server for the requests that no client makes, so that TLS is its affair.
    door: Proxy,
}

impl Host {
    /// Stops the server, where it is ours.
    pub async fn stop(&self) {
        if let Some(server) = &self.server {
            server.lock().await.stop().await;
        }
        self.door.shutdown().await;
    }

    /// Stops the server in good order and starts it again. A server that was killed within some 40 ms of a publish was seen
    /// to forget the database; what it has written when it stops in good order it does not forget.
    async fn make_durable(&self) -> Result<(), StageError> {
        let Some(server) = &self.server else { return Ok(()) };
        let mut server = server.lock().await;
        server.stop().await;
        server.start().await.map_err(|source| StageError::Server {
            lane: "candidate",
            source,
        })
    }

    fn http(&self) -> Result<HttpClient, StageError> {
        client(&self.profile, &self.door, Some(&self.token), bounds::ADMIN)
    }

    fn failed(&self, source: AdminError) -> StageError {
        StageError::Admin {
            url: self.profile.url.clone(),
            source,
        }
    }
}

/// The databases that were created and not deleted yet, by name. A plan that is broken off leaves its own to the stage.
pub(super) type Databases = Arc<std::sync::Mutex<BTreeMap<String, Arc<Host>>>>;

/// A database that was created for a plan.
pub struct Database {
    host: Arc<Host>,
    name: String,
    all: Databases,
}

impl Database {
    fn new(host: Arc<Host>, name: String, all: &Databases) -> Database {
        // Noted before it is there: a request that is broken off may have created it.
        lock(all).insert(name.clone(), host.clone());
        Database {
            host,
            name,
            all: all.clone(),
        }
    }

    /// Deletes it; a server that does not do so keeps it, which harms nobody.
    pub async fn delete(self) {
        delete(&self.host, &self.name).await;
        lock(&self.all).remove(&self.name);
    }
}

/// Deletes what broken-off plans left on servers that are not ours; ours end with all that is in them.
pub(super) async fn delete_all(databases: &Databases) {
    let left = std::mem::take(&mut *lock(databases));
    let outside = left.iter().filter(|(_, host)| host.server.is_none());
    futures_util::future::join_all(outside.map(|(name, host)| delete_late(host, name))).await;
}

/// Deletes a database whose creation may still be under way.
async fn delete_late(host: &Host, name: &str) {
    for _ in 0..LOOKS {
        if delete(host, name).await {
            return;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether the database was there and is no more.
async fn delete(host: &Host, name: &str) -> bool {
    let Ok(mut http) = host.http() else { return false };
    let deleted = bounds::DELETE.within(admin::delete_database(&mut http, name)).await;
    matches!(deleted, Ok(Ok(())))
}

fn lock(databases: &Databases) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Host>>> {
    databases.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    pub(super) async fn set_candidate(&self, lane: LaneId, plan: &Plan, dir: &Path) -> Result<Staged, StageError> {
        let harmed = harms(plan, lane);
        let host = if harmed {
            Arc::new(self.start_host(dir).await?)
        } else {
            self.shared_host().await?
        };
        let profile = host.profile.clone();
        let created = profile.database.is_none();
        let name = profile
            .database
            .clone()
            .unwrap_or_else(|| format!("cutover-{}-{}-{lane}", self.run, plan.scenario));
        let database = created.then(|| Database::new(host.clone(), name.clone(), &self.databases));
        let mut http = host.http()?;
        let publishes = profile.publishes_module();
        if publishes {
            admin::publish_module(&mut http, &name, self.module.clone())
                .await
                .map_err(|source| host.failed(source))?;
        } else {
            admin::find_database(&mut http, &name)
                .await
                .map_err(|source| host.failed(source))?;
        }
        if harmed {
            host.make_durable().await?;
        }
        let names = self.names(lane, LaneId::Candidate, plan)?;
        let route = Route::new(&profile.origin(), host.upstream.clone());
        let victim = host
            .server
            .clone()
            .filter(|_| harmed)
            .map(|server| Victim::new(server, Durability::Commitlog));
        let stack = LaneStack {
            lane: Arc::new(SpacetimeLane::new(
                lane,
                profile,
                name,
                Some(host.token.clone()),
                names.clone(),
            )),
            taggers: Arc::new(SpacetimeTaggers::new(names)),
            socket: route.clone(),
            writer: route,
            victim,
            byte_toxics: None,
        };
        let server = if harmed { host.server.clone() } else { None };
        let module_digest = publishes.then(|| module_digest(&self.module));
        Ok(Staged {
            stack,
            version: host.version.clone(),
            module_digest,
            server,
            database,
        })
    }

    pub(super) async fn shared_host(&self) -> Result<Arc<Host>, StageError> {
        let mut shared = self.shared_candidate.lock().await;
        if let Some(host) = shared.as_ref() {
            return Ok(host.clone());
        }
        let host = Arc::new(self.start_host(&self.work.join("candidate")).await?);
        *shared = Some(host.clone());
        Ok(host)
    }

    async fn start_host(&self, dir: &Path) -> Result<Host, StageError> {
        match &self.candidate {
            Source::Bundled => self.start_server(ServerCommand::candidate(&self.binary), dir).await,
            Source::Binary(binary) => {
                self.start_server(ServerCommand::spacetimedb(&self.binary, binary), dir)
                    .await
            }
            Source::Outside(LaneTarget::Spacetime(profile)) => {
                let upstream = fixed(&profile.origin());
                reach("candidate", &profile.url, &profile.origin()).await?;
                meet(None, Arc::new((**profile).clone()), upstream).await
            }
            Source::Outside(LaneTarget::Phoenix(_)) => Err(StageError::Unfit(
                "the candidate lane is a SpacetimeDB server; this is the profile of a Phoenix service",
            )),
        }
    }

    async fn start_server(&self, command: ServerCommand, dir: &Path) -> Result<Host, StageError> {
        let failed = |source| StageError::Server {
            lane: "candidate",
            source,
        };
        let mut server = Server::new(command, dir).map_err(failed)?;
        server.start().await.map_err(failed)?;
        let upstream = server.address();
        let profile = Arc::new(SpacetimeProfile::of_url(BUNDLED_URL)?);
        meet(Some(Arc::new(Mutex::new(server))), profile, upstream).await
    }
}

/// `sha256:` of a module, as the evidence names it.
fn module_digest(wasm: &[u8]) -> String {
    PayloadHash::from_bytes(Sha256::digest(wasm).into()).to_string()
}

/// Asks a server whether it is one, and for an identity where the profile brings none.
async fn meet(
    server: Option<Arc<Mutex<Server>>>,
    profile: Arc<SpacetimeProfile>,
    upstream: Upstream,
) -> Result<Host, StageError> {
    let taggers = Arc::new(SpacetimeTaggers::new(Arc::default()));
    let config = ProxyConfig::transparent("admin".into(), upstream.clone(), taggers, Arc::new(Quietly));
    let door = Proxy::start(config).await.map_err(|source| StageError::Directory {
        path: "a local port".into(),
        source,
    })?;
    let failed = |source| StageError::Admin {
        url: profile.url.clone(),
        source,
    };
    let mut http = client(&profile, &door, profile.token.as_ref(), bounds::MEET)?;
    admin::ping(&mut http).await.map_err(failed)?;
    let version = admin::version(&mut http)
        .await
        .map_err(failed)?
        .unwrap_or_else(|| "of unknown version".to_owned());
    let token = match &profile.token {
        Some(token) => token.clone(),
        None => Secret::new(admin::create_identity(&mut http).await.map_err(failed)?.token),
    };
    Ok(Host {
        server,
        version: format!("SpacetimeDB {version}"),
        profile,
        upstream,
        token,
        door,
    })
}

fn client(
    profile: &SpacetimeProfile,
    door: &Proxy,
    token: Option<&Secret>,
    within: Bound,
) -> Result<HttpClient, StageError> {
    let origin = profile.origin();
    let endpoint = Endpoint {
        connect: door.addr(),
        authority: origin.authority(),
    };
    let bounds = Bounds {
        operation: within,
        ..Bounds::default()
    };
    SpacetimeLane::http(&endpoint, token, bounds).map_err(|source| StageError::Lane {
        lane: "candidate",
        url: profile.url.clone(),
        source,
    })
}
