//! The servers of a lane: started for a plan, shared between the plans that do it no harm, or there already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_control::{Control, LEEWAY_S, MAX_AGE_S};
use cutover_core::ids::LaneId;
use cutover_core::plan::{ModuleUpdate, Window};
use cutover_core::text::Secret;
use tokio::sync::Mutex;

use super::reach::Access;
use super::{Environment, EnvironmentError, Source};
use crate::drive::Destination;
use crate::lane::http::bearer;
use crate::lane::phoenix::{HashKind, PhoenixProfile};
use crate::lane::protocol::{Endpoints, Profile, Service, Space};
use crate::lane::spacetime::SpacetimeProfile;
use crate::lane::{Endpoint, OpenError};
use crate::process::{Server, ServerCommand};

/// The URL of the reference server; it answers to any name.
const REFERENCE_URL: &str = "http://legacy.localhost/";

pub(super) struct Host {
    pub(super) server: Option<Arc<Mutex<Server>>>,
    pub(super) service: Box<dyn Service>,
    pub(super) version: String,
    pub(super) socket: Destination,
    pub(super) writer: Destination,
    /// How the run's own requests reach a server that it did not start.
    pub(super) access: Option<Access>,
}

/// A data directory with a space in it, and the profile of its owner. A server that a plan harms starts on a copy.
pub(super) struct Prepared {
    dir: PathBuf,
    profile: Arc<dyn Profile>,
    space: Space,
}

/// Where a lane's servers come from, and those that there are.
pub(super) struct Hosts {
    pub(super) source: Source,
    shared: Mutex<Option<Arc<Host>>>,
    /// One for each module that spaces begin with.
    prepared: Mutex<BTreeMap<Begins, Arc<Prepared>>>,
}

impl Hosts {
    pub(super) fn new(source: Source) -> Hosts {
        Hosts { source, shared: Mutex::default(), prepared: Mutex::default() }
    }

    pub(super) async fn take(&self) -> Option<Arc<Host>> {
        self.shared.lock().await.take()
    }
}

impl Host {
    /// Kills the server, where the run started it: nothing is read of what it would still write.
    pub(super) async fn end(&self) {
        if let Some(server) = &self.server {
            server.lock().await.kill().await;
        }
        if let Some(access) = &self.access {
            access.close().await;
        }
    }

    async fn stop(&self) {
        if let Some(server) = &self.server {
            server.lock().await.stop().await;
        }
    }
}

impl Environment {
    pub(super) async fn shared_host(&self, used: LaneId) -> Result<Arc<Host>, EnvironmentError> {
        let hosts = self.hosts(used);
        let mut shared = hosts.shared.lock().await;
        if let Some(host) = shared.as_ref() {
            return Ok(host.clone());
        }
        let host = match &hosts.source {
            Source::Outside(profile) => self.reach_outside(used, profile).await?,
            source => {
                self.start(used, self.managed_profile(source), Vec::new(), &self.work.join(used.as_str())).await?
            }
        };
        Ok(shared.insert(Arc::new(host)).clone())
    }

    /// A server of its own for a plan that harms it, on a copy of one data directory, and its space.
    pub(super) async fn harmed_host(
        &self,
        used: LaneId,
        begins: &Begins,
        dir: &Path,
    ) -> Result<(Arc<Host>, Space), EnvironmentError> {
        let prepared = self.prepared(used, begins).await?;
        copy_dir(&prepared.dir, dir).map_err(|source| EnvironmentError::Directory { path: dir.to_owned(), source })?;
        let host = self.start(used, prepared.profile.clone(), Vec::new(), dir).await?;
        Ok((Arc::new(host), prepared.space.clone()))
    }

    /// The reference server for one plan. It keeps to the contract to the letter, but for the planted defects.
    pub(super) async fn reference_host(
        &self,
        defects: &[String],
        (window, control): (Option<&Window>, Option<&Control>),
        dir: &Path,
    ) -> Result<Arc<Host>, EnvironmentError> {
        let mut profile = PhoenixProfile::of_url(REFERENCE_URL)?;
        (profile.payload_hash, profile.publish.strict) = (HashKind::Canonical, true);
        "/metrics".clone_into(&mut profile.presence.path);
        let mut options = Vec::new();
        if !defects.is_empty() {
            options.extend(["--defect".to_owned(), defects.join(",")]);
        }
        if let Some(control) = control {
            "/internal/v1/sync/fallback-keys/end".clone_into(&mut profile.tokens.end_fallback_keys);
            profile.publish.authorization = Some(Secret::new(bearer(&control.secret())));
        }
        if window.is_some() || control.is_some() {
            let path = dir.join("legacy.json");
            std::fs::write(&path, settings(window, control).to_string())
                .map_err(|source| EnvironmentError::Directory { path: path.clone(), source })?;
            options.extend(["--config".to_owned(), path.display().to_string()]);
        }
        let host = self.start(LaneId::Legacy, Arc::new(profile), options, dir).await?;
        let version = concat!("cutover reference ", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(Arc::new(Host { version, ..host }))
    }

    async fn prepared(&self, used: LaneId, begins: &Begins) -> Result<Arc<Prepared>, EnvironmentError> {
        let mut all = self.hosts(used).prepared.lock().await;
        if let Some(prepared) = all.get(begins) {
            return Ok(prepared.clone());
        }
        let dir = self.work.join(format!("prepared-{}", all.len()));
        let prepared = Arc::new(self.prepare_data(used, begins, dir).await?);
        all.insert(begins.clone(), prepared.clone());
        Ok(prepared)
    }

    /// Has a server write a space, and ends it in good order. A server that was killed within some 40 ms of a publish
    /// was seen to lose the database; it does not lose what it has written when it stops in good order.
    async fn prepare_data(&self, used: LaneId, begins: &Begins, dir: PathBuf) -> Result<Prepared, EnvironmentError> {
        let profile = self.managed_profile(&self.hosts(used).source);
        let host = self.start(used, profile.clone(), Vec::new(), &dir).await?;
        let created = begins.create_space(&*host.service, "prepared").await;
        let space = created.map_err(|source| unavailable(used, profile.url(), source))?;
        host.stop().await;
        let profile = host.service.token().map_or(profile.clone(), |token| profile.with_token(token.clone()));
        Ok(Prepared { dir, profile, space })
    }

    fn managed_profile(&self, source: &Source) -> Arc<dyn Profile> {
        match source {
            Source::Binary { profile, .. } | Source::BundledWith(profile) => profile.clone(),
            Source::Bundled | Source::Outside(_) => Arc::new(SpacetimeProfile::default()),
        }
    }

    async fn start(
        &self,
        used: LaneId,
        profile: Arc<dyn Profile>,
        options: Vec<String>,
        dir: &Path,
    ) -> Result<Host, EnvironmentError> {
        let failed = |source| EnvironmentError::Server { lane: used, source };
        let command = match (&self.hosts(used).source, used) {
            (Source::Binary { path, .. }, _) => ServerCommand::spacetimedb(&self.binary, path),
            (_, LaneId::Legacy) => ServerCommand::legacy(&self.binary, options),
            (_, LaneId::Candidate) => ServerCommand::candidate(&self.binary),
        };
        let server = Server::new(command, dir).map_err(failed)?;
        self.share_cache(server.data_dir())
            .map_err(|source| EnvironmentError::Directory { path: dir.to_owned(), source })?;
        let mut server = server.reporting(used.as_str(), self.exit_reports.clone());
        let connect = server.start().await.map_err(failed)?;
        let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
        let endpoint = |authority| Endpoint { connect, authority };
        let at = Endpoints { socket: endpoint(socket.authority()), writer: endpoint(writer.authority()) };
        let connected = profile.connect(&at, &self.run).await;
        let service = connected.map_err(|source| unavailable(used, profile.url(), source))?;
        Ok(Host {
            socket: Destination::new(&socket, server.address()),
            writer: Destination::new(&writer, server.address()),
            server: Some(Arc::new(Mutex::new(server))),
            version: service.version(),
            service,
            access: None,
        })
    }

    /// Gives a server the cache of compiled modules that all servers of the run share.
    fn share_cache(&self, data_dir: &Path) -> std::io::Result<()> {
        let cache = self.work.join("cache");
        std::fs::create_dir_all(&cache)?;
        std::os::unix::fs::symlink(std::path::absolute(cache)?, data_dir.join("cache"))
    }
}

/// The settings of a reference server that lets in the clients of a window, and takes the tokens of a control service,
/// whose secret is the writer's, too.
fn settings(window: Option<&Window>, control: Option<&Control>) -> serde_json::Value {
    let mut settings = serde_json::json!({});
    if let Some(window) = window {
        settings["compat"] = serde_json::json!(window);
        settings["compat"]["enforced"] = true.into();
    }
    if let Some(control) = control {
        let secrets = control.secrets();
        settings["publish"] = serde_json::json!({ "bearer": control.secret().reveal() });
        settings["tokens"] = serde_json::json!({
            "key": secrets.first(),
            "fallback_keys": secrets.get(1..),
            "issuer": control.issuer(),
            "audience": control.audience(),
            "leeway_s": LEEWAY_S,
            "max_age_s": MAX_AGE_S,
        });
    }
    settings
}

/// The module that a space begins with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Begins {
    Usual,
    /// The one that can have defects, with these.
    Planted(Vec<String>),
}

impl Begins {
    /// What a space begins with whose first update is this one, so that it changes something.
    pub(super) fn of(update: Option<ModuleUpdate>, defects: &[String]) -> Begins {
        match update {
            None if defects.is_empty() => Begins::Usual,
            None => Begins::Planted(defects.to_vec()),
            Some(ModuleUpdate::Additive) => Begins::Usual,
            Some(ModuleUpdate::Breaking) => Begins::Planted(Vec::new()),
        }
    }

    pub(super) async fn create_space(&self, service: &dyn Service, name: &str) -> Result<Space, OpenError> {
        match self {
            Begins::Usual => service.create_space(name).await,
            Begins::Planted(defects) => service.create_planted_space(name, defects).await,
        }
    }
}

/// What a lane that could not be opened is told as.
pub fn unavailable(lane: LaneId, url: &str, source: OpenError) -> EnvironmentError {
    EnvironmentError::Lane { lane, url: url.to_owned(), source }
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
