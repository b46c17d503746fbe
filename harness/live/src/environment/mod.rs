//! Makes the two lanes ready for a plan: a server of ours, started for it, or somebody else's, reached as it is; and takes
//! away afterwards what was made.

mod candidate;
mod databases;
mod error;
mod fit;
mod legacy;
mod reach;
mod trial;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use tokio::sync::{Mutex, OnceCell, mpsc};

pub use candidate::MODULE_WASM;
use databases::Databases;
pub use error::EnvironmentError;

use crate::drive::LaneStack;
use crate::lane::profile::{LaneTarget, Origin, SpacetimeProfile};
use crate::process::{Death, Deaths, Server};
use crate::proxy::{Upstream, UpstreamAddr};

/// Where a lane comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The server inside our own binary.
    Bundled,
    /// A `spacetime` or `spacetimedb-standalone` binary, started by us.
    Binary {
        /// The binary.
        path: PathBuf,
        /// What is said to it and how.
        profile: Box<SpacetimeProfile>,
    },
    /// A server that is there already.
    Outside(LaneTarget),
}

impl Source {
    /// A binary, with the profile of how it is spoken to where that is not the default one.
    pub fn binary(path: PathBuf, profile: Option<SpacetimeProfile>) -> Source {
        let profile = profile.unwrap_or_default().of_own_server();
        Source::Binary { path, profile: Box::new(profile) }
    }

    /// Whether its process is ours to kill, pause and restart.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Source::Outside(_))
    }

    /// The most publishes a second that a profile allows.
    fn rate(&self) -> Option<NonZeroU32> {
        match self {
            Source::Bundled => None,
            Source::Binary { profile, .. } => profile.rate,
            Source::Outside(target) => target.rate(),
        }
    }
}

/// Both lanes' sources, and what a run has made of them.
pub struct Environment {
    binary: PathBuf,
    work: PathBuf,
    run: String,
    legacy: Source,
    candidate: Source,
    module: Bytes,
    shared_candidate: Mutex<Option<Arc<candidate::Host>>>,
    prepared: OnceCell<candidate::Prepared>,
    /// Whether the module is in the cache of compiled modules.
    compiled: Mutex<bool>,
    databases: Databases,
    keeps_databases: bool,
    deaths: Deaths,
    died: Mutex<mpsc::UnboundedReceiver<Death>>,
}

/// A lane made ready for one plan. No process that it started outlives [`PreparedScenario::teardown`]; a database on a server that is
/// not ours is deleted by [`Environment::teardown`].
pub struct PreparedScenario {
    /// How to drive it.
    pub stack: LaneStack,
    /// What serves it, by its own word where it has one.
    pub version: String,
    /// `sha256:` of the module that was published for it, where one was.
    pub module_digest: Option<String>,
    server: Option<Arc<Mutex<Server>>>,
}

impl PreparedScenario {
    /// Kills what was started for the plan: nothing is read of what it would still write.
    pub async fn teardown(self) {
        if let Some(server) = self.server {
            server.lock().await.kill().await;
        }
    }
}

impl Environment {
    /// An environment in which nothing runs yet. `binary` is this program, `work` an empty directory of the run, `run` a word
    /// that no other run against the same outside servers has.
    pub fn new(binary: &Path, work: &Path, run: &str, legacy: Source, candidate: Source) -> Environment {
        let (deaths, died) = mpsc::unbounded_channel();
        Environment {
            binary: binary.to_owned(),
            work: work.to_owned(),
            run: run.to_owned(),
            legacy,
            candidate,
            module: Bytes::from_static(MODULE_WASM),
            shared_candidate: Mutex::default(),
            prepared: OnceCell::new(),
            compiled: Mutex::default(),
            databases: Databases::default(),
            keeps_databases: false,
            deaths,
            died: Mutex::new(died),
        }
    }

    /// The environment that leaves the databases of the run on servers that are not ours.
    #[must_use]
    pub fn keeping_databases(mut self, keeps: bool) -> Environment {
        self.keeps_databases = keeps;
        self
    }

    /// Waits until a server of ours ends by itself, which it does not do on a good day.
    pub async fn server_died(&self) -> EnvironmentError {
        match self.died.lock().await.recv().await {
            Some(Death { lane, error }) => EnvironmentError::Died { lane, source: error },
            None => std::future::pending().await,
        }
    }

    /// The environment with another module to publish to candidates.
    #[must_use]
    pub fn with_module(mut self, wasm: impl Into<Bytes>) -> Environment {
        self.module = wasm.into();
        self
    }

    /// What a lane's source is, in words.
    pub fn what(&self, lane: LaneId) -> String {
        match self.source(lane) {
            Source::Bundled => "built-in".to_owned(),
            Source::Binary { path, .. } => path.display().to_string(),
            Source::Outside(target) => target.to_string(),
        }
    }

    /// Makes a lane ready for a plan. `protocol` is the lane whose source is used: the other one's in an A/A run.
    ///
    /// # Errors
    /// Where the lane is unavailable.
    pub async fn prepare(
        &self,
        lane: LaneId,
        protocol: LaneId,
        plan: &Plan,
    ) -> Result<PreparedScenario, EnvironmentError> {
        let dir = self.work.join(&plan.scenario).join(lane.as_str());
        std::fs::create_dir_all(&dir).map_err(|source| EnvironmentError::Directory { path: dir.clone(), source })?;
        match protocol {
            LaneId::Legacy => self.prepare_legacy(lane, plan, &dir).await,
            LaneId::Candidate => self.prepare_candidate(lane, plan, &dir).await,
        }
    }

    /// Deletes the databases of the run on servers that are not ours, within a bound, and stops what is shared between plans.
    /// What is left behind is returned, in words.
    pub async fn teardown(&self, within: Duration) -> Vec<String> {
        let left = if self.keeps_databases { self.databases.keep() } else { self.databases.delete_all(within).await };
        if let Some(host) = self.shared_candidate.lock().await.take() {
            host.kill().await;
        }
        left
    }

    /// The most publishes a second that a lane's profile allows.
    pub fn rate(&self, lane: LaneId) -> Option<NonZeroU32> {
        self.source(lane).rate()
    }

    fn source(&self, lane: LaneId) -> &Source {
        match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        }
    }
}

/// An address that does not change.
fn fixed(origin: &Origin) -> Upstream {
    let host = origin.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (sender, upstream) =
        tokio::sync::watch::channel(Some(UpstreamAddr { host, port: origin.port, tls: origin.tls }));
    // A closed channel keeps its last value, which is all that is wanted.
    drop(sender);
    upstream
}
