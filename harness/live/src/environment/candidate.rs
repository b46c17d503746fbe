//! The candidate lane: a SpacetimeDB server, shared between the plans that do it no harm, with a database of its own for
//! each plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_core::hash::sha256;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use tokio::sync::Mutex;

use super::reach::reach;
use super::{Environment, EnvironmentError, PreparedScenario, Source, fixed};
use crate::bounds::{self, Bound};
use crate::drive::{Destination, LaneStack, ManagedServer, NoLedger, ServerControl};
use crate::lane::Endpoint;
use crate::lane::http::HttpClient;
use crate::lane::profile::{LaneTarget, SpacetimeProfile};
use crate::lane::socket::Bounds;
use crate::lane::spacetime::admin::{self, AdminError};
use crate::lane::spacetime::{Schema, SpacetimeLane, SpacetimeTaggers};
use crate::process::{Durability, Server, ServerCommand};
use crate::proxy::{Proxy, ProxyConfig, Upstream};
use cutover_core::gate::fit::harms;
use cutover_core::text::Secret;

/// The module, as it is committed.
pub const MODULE_WASM: &[u8] = include_bytes!("../../../../spacetime/module/cutover_module.wasm");

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
    /// Kills the server, where it is ours: nothing is read of what it would still write.
    pub async fn kill(&self) {
        if let Some(server) = &self.server {
            server.lock().await.kill().await;
        }
        self.door.shutdown().await;
    }

    /// A client with the owner's token.
    pub(super) fn http(&self, within: Bound) -> Result<HttpClient, EnvironmentError> {
        client(&self.profile, &self.door, Some(&self.token), within)
    }

    pub(super) fn profile(&self) -> &Arc<SpacetimeProfile> {
        &self.profile
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    pub(super) fn door(&self) -> &Proxy {
        &self.door
    }

    pub(super) fn url(&self) -> &str {
        &self.profile.url
    }

    fn failed(&self, source: AdminError) -> EnvironmentError {
        EnvironmentError::Admin { url: self.profile.url.clone(), source }
    }
}

/// A database of a server.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) name: String,
    /// The digest of the module, where the run published it.
    module_digest: Option<String>,
    /// The schema that the server reports of the module.
    pub(super) schema: Arc<Schema>,
}

/// A data directory with a database in it, and its owner's token. A server that is to be harmed starts on a copy.
pub struct Prepared {
    dir: PathBuf,
    token: Secret,
    database: Database,
}

impl Environment {
    pub(super) async fn prepare_candidate(
        &self,
        lane: LaneId,
        plan: &Plan,
        dir: &Path,
    ) -> Result<PreparedScenario, EnvironmentError> {
        let harmed = harms(plan, lane);
        let (host, database) = if harmed {
            let prepared = self.prepared.get_or_try_init(|| self.prepare_data()).await?;
            copy_dir(&prepared.dir, dir)
                .map_err(|source| EnvironmentError::Directory { path: dir.to_owned(), source })?;
            let mut host = self.start_host(dir).await?;
            host.token = prepared.token.clone();
            (Arc::new(host), prepared.database.clone())
        } else {
            let host = self.shared_host().await?;
            let database = self.create(&host, &format!("{}-{lane}", plan.scenario)).await?;
            (host, database)
        };
        let profile = host.profile.clone();
        let names = self.names(lane, LaneId::Candidate, plan)?;
        let route = Destination::new(&profile.origin(), host.upstream.clone());
        let server = host.server.clone().filter(|_| harmed);
        let managed = |server| ManagedServer { server, durability: Durability::Commitlog };
        let controlled = server.clone().map(|server| Arc::new(managed(server)) as Arc<dyn ServerControl>);
        let stack = LaneStack {
            taggers: Arc::new(SpacetimeTaggers::new(names.clone(), database.schema.clone())),
            lane: Arc::new(
                SpacetimeLane::new(lane, profile, database.name, Some(host.token.clone()), names)
                    .with_schema(database.schema),
            ),
            socket: route.clone(),
            writer: route,
            server: controlled,
            byte_toxics: None,
            pace: None,
        };
        Ok(PreparedScenario { stack, version: host.version.clone(), module_digest: database.module_digest, server })
    }

    /// Has a server write a database, and ends it in good order. A server that was killed within some 40 ms of a publish was
    /// seen to forget the database; what it has written when it stops in good order it does not forget.
    async fn prepare_data(&self) -> Result<Prepared, EnvironmentError> {
        let dir = self.work.join("prepared");
        let host = Arc::new(self.start_host(&dir).await?);
        let database = self.create(&host, "prepared").await?;
        if let Some(server) = &host.server {
            server.lock().await.stop().await;
        }
        host.door.shutdown().await;
        let token = host.token.clone();
        Ok(Prepared { dir, token, database })
    }

    /// Makes a database ready: one of the run's own with the module in it, or the one that the profile names.
    pub(super) async fn create(&self, host: &Arc<Host>, what: &str) -> Result<Database, EnvironmentError> {
        let profile = &host.profile;
        let name = match &profile.database {
            Some(name) => name.clone(),
            None => format!("cutover-{}-{what}", self.run),
        };
        if profile.database.is_none() && host.server.is_none() {
            self.databases.note(&name, host);
        }
        let mut http = host.http(bounds::ADMIN)?;
        let failed = |source| host.failed(source);
        let module_digest = if profile.publishes_module() {
            // The first to be published is compiled; all others then find it in the cache of compiled modules.
            let first = Some(self.compiled.lock().await).filter(|compiled| !**compiled);
            admin::publish_module(&mut http, &name, self.module.clone()).await.map_err(failed)?;
            if let Some(mut compiled) = first {
                *compiled = true;
            }
            Some(sha256(&self.module))
        } else {
            admin::find_database(&mut http, &name).await.map_err(failed)?;
            None
        };
        let schema = admin::schema(&mut http, &name).await.map_err(failed)?.map_or_else(Schema::module, Arc::new);
        Ok(Database { name, module_digest, schema })
    }

    pub(super) async fn shared_host(&self) -> Result<Arc<Host>, EnvironmentError> {
        let mut shared = self.shared_candidate.lock().await;
        if let Some(host) = shared.as_ref() {
            return Ok(host.clone());
        }
        let host = Arc::new(self.start_host(&self.work.join("candidate")).await?);
        *shared = Some(host.clone());
        Ok(host)
    }

    async fn start_host(&self, dir: &Path) -> Result<Host, EnvironmentError> {
        match &self.candidate {
            Source::Bundled => {
                let profile = SpacetimeProfile::default().of_own_server();
                self.start_server(ServerCommand::candidate(&self.binary), profile, dir).await
            }
            Source::Binary { path, profile } => {
                let command = ServerCommand::spacetimedb(&self.binary, path);
                self.start_server(command, (**profile).clone(), dir).await
            }
            Source::Outside(LaneTarget::Spacetime(profile)) => {
                let upstream = fixed(&profile.origin());
                reach("candidate", &profile.url, &profile.origin()).await?;
                meet(None, Arc::new((**profile).clone()), upstream).await
            }
            Source::Outside(LaneTarget::Phoenix(_)) => Err(EnvironmentError::Unfit(
                "the candidate lane is a SpacetimeDB server; this is the profile of a Phoenix service",
            )),
        }
    }

    async fn start_server(
        &self,
        command: ServerCommand,
        profile: SpacetimeProfile,
        dir: &Path,
    ) -> Result<Host, EnvironmentError> {
        let failed = |source| EnvironmentError::Server { lane: "candidate", source };
        let server = Server::new(command, dir).map_err(failed)?;
        self.share_cache(server.data_dir())
            .map_err(|source| EnvironmentError::Directory { path: dir.to_owned(), source })?;
        let mut server = server.telling("candidate", self.deaths.clone());
        server.start().await.map_err(failed)?;
        let upstream = server.address();
        meet(Some(Arc::new(Mutex::new(server))), Arc::new(profile), upstream).await
    }

    /// Gives a server the cache of compiled modules that all servers of the run share.
    fn share_cache(&self, data_dir: &Path) -> std::io::Result<()> {
        let cache = self.work.join("cache");
        std::fs::create_dir_all(&cache)?;
        std::os::unix::fs::symlink(std::path::absolute(cache)?, data_dir.join("cache"))
    }
}

/// Copies the files of a directory and of those in it. Links are left out: the only one is the shared cache's.
fn copy_dir(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, copy) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_dir(&entry.path(), &copy)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

/// Asks a server whether it is one, and for an identity where the profile brings none.
async fn meet(
    server: Option<Arc<Mutex<Server>>>,
    profile: Arc<SpacetimeProfile>,
    upstream: Upstream,
) -> Result<Host, EnvironmentError> {
    let taggers = Arc::new(SpacetimeTaggers::new(Arc::default(), Schema::module()));
    let config = ProxyConfig::transparent("admin".into(), upstream.clone(), taggers, Arc::new(NoLedger));
    let door = Proxy::start(config)
        .await
        .map_err(|source| EnvironmentError::Directory { path: "a local port".into(), source })?;
    let failed = |source| EnvironmentError::Admin { url: profile.url.clone(), source };
    let mut http = client(&profile, &door, profile.token.as_ref(), bounds::MEET)?;
    admin::ping(&mut http).await.map_err(failed)?;
    let version = admin::version(&mut http).await.map_err(failed)?.unwrap_or_else(|| "of unknown version".to_owned());
    if profile.confirmed == Some(true) && admin::lacks_confirmed_reads(&version) {
        return Err(EnvironmentError::NoConfirmedReads { url: profile.url.clone(), version });
    }
    let token = match &profile.token {
        Some(token) => token.clone(),
        None => admin::create_identity(&mut http).await.map_err(failed)?,
    };
    Ok(Host { server, version: format!("SpacetimeDB {version}"), profile, upstream, token, door })
}

fn client(
    profile: &SpacetimeProfile,
    door: &Proxy,
    token: Option<&Secret>,
    within: Bound,
) -> Result<HttpClient, EnvironmentError> {
    let origin = profile.origin();
    let endpoint = Endpoint { connect: door.addr(), authority: origin.authority() };
    let bounds = Bounds { operation: within, ..Bounds::default() };
    SpacetimeLane::http(&endpoint, profile, token, bounds).map_err(|source| EnvironmentError::Lane {
        lane: "candidate",
        url: profile.url.clone(),
        source,
    })
}
