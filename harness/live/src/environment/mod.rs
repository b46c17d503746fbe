//! Prepares the two lanes for a plan: starts a managed server, or reaches an outside one. Removes afterwards what it
//! made.

#![allow(missing_docs, reason = "the names say it")]

mod error;
mod fit;
mod host;
mod module;
mod reach;
mod trial;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use cutover_control::{Control, Signs};
use cutover_core::gate::fit::{Updates, harms};
use cutover_core::ids::{LaneId, Protocol};
use cutover_core::plan::Plan;
use tokio::sync::{Mutex, mpsc};

pub use error::EnvironmentError;
pub use host::unavailable;
use host::{Begins, Host, Hosts};
use module::Updated;
pub(crate) use reach::{Access, address_of};
pub use reach::{Observed, at_outside};

use crate::drive::{
    Authority, BridgeSeat, LaneStack, ManagedServer, MeasuredTimeout, ModuleControl, ProgramSeat, ServerControl,
};
use crate::lane::OpenError;
use crate::lane::names::Names;
use crate::lane::protocol::{Profile, Run, Space};
use crate::lane::spacetime::MODULE_WASM;
use crate::process::{ExitReports, Server, UnexpectedExit};

#[derive(Debug, Clone)]
pub enum Source {
    /// The one inside our own binary: the reference server for the legacy lane, SpacetimeDB for the candidate.
    Bundled,
    /// The SpacetimeDB inside our own binary, with a module of the user's as this profile describes it.
    BundledWith(Arc<dyn Profile>),
    /// A `spacetime` or `spacetimedb-standalone` binary, started by the run.
    Binary {
        path: PathBuf,
        profile: Arc<dyn Profile>,
    },
    Outside(Arc<dyn Profile>),
}

impl Source {
    fn rate(&self) -> Option<NonZeroU32> {
        match self {
            Source::Bundled => None,
            Source::BundledWith(profile) | Source::Binary { profile, .. } | Source::Outside(profile) => profile.rate(),
        }
    }
}

/// Both lanes' servers, and what a run has made of them.
pub struct Environment {
    binary: PathBuf,
    work: PathBuf,
    run: Arc<Run>,
    legacy: Hosts,
    candidate: Hosts,
    /// Defects of the reference legacy server that each plan gets beside its own.
    planted_legacy: Vec<String>,
    /// Defects that the module has under every plan.
    planted_candidate: Vec<String>,
    keeps_databases: bool,
    /// What was asked of lanes before the run.
    asked: OnceLock<BTreeMap<LaneId, Asked>>,
    exit_reports: ExitReports,
    exits: Mutex<mpsc::UnboundedReceiver<UnexpectedExit>>,
}

/// What only a server can say.
#[derive(Debug)]
struct Asked {
    /// What its module lacks.
    missing: Vec<String>,
    updates: Updates,
}

/// A lane made ready for one plan. No process that it started outlives [`PreparedScenario::teardown`]; a database on
/// a server that is not ours is deleted by [`Environment::teardown`].
pub struct PreparedScenario {
    pub stack: LaneStack,
    /// What serves it, by its own word where it has one.
    pub version: String,
    /// `sha256:` of the module that was published for it, where one was.
    pub module_digest: Option<String>,
    server: Option<Arc<Mutex<Server>>>,
}

impl PreparedScenario {
    /// Kills the server that was started for the plan: nothing is read of what it would still write.
    pub async fn teardown(self) {
        if let Some(server) = self.server {
            server.lock().await.kill().await;
        }
    }
}

impl Environment {
    /// An environment in which nothing runs yet. `binary` is this program, `work` an empty directory of the run,
    /// `run` a word that no other run against the same outside servers has.
    pub fn new(binary: &Path, work: &Path, run: &str, legacy: Source, candidate: Source) -> Environment {
        let (exit_reports, exits) = mpsc::unbounded_channel();
        Environment {
            binary: binary.to_owned(),
            work: work.to_owned(),
            run: Arc::new(Run::new(run, MODULE_WASM)),
            legacy: Hosts::new(legacy),
            candidate: Hosts::new(candidate),
            planted_legacy: Vec::new(),
            planted_candidate: Vec::new(),
            keeps_databases: false,
            asked: OnceLock::new(),
            exit_reports,
            exits: Mutex::new(exits),
        }
    }

    #[must_use]
    pub fn keeping_databases(mut self, keeps: bool) -> Environment {
        self.keeps_databases = keeps;
        self
    }

    #[must_use]
    pub fn plant_legacy(mut self, defects: Vec<String>) -> Environment {
        self.planted_legacy = defects;
        self
    }

    #[must_use]
    pub fn plant_candidate(mut self, defects: Vec<String>) -> Environment {
        self.planted_candidate = defects;
        self
    }

    #[must_use]
    pub fn with_module(mut self, wasm: impl Into<Bytes>) -> Environment {
        self.run = Arc::new(Run::new(&self.run.word, wasm));
        self
    }

    /// Waits until a managed server ends by itself, which it does not do on a good day.
    pub async fn server_exit(&self) -> EnvironmentError {
        match self.exits.lock().await.recv().await {
            Some(UnexpectedExit { lane, error }) => EnvironmentError::Died { lane, source: error },
            None => std::future::pending().await,
        }
    }

    pub fn what(&self, lane: LaneId) -> String {
        match self.source(lane) {
            Source::Bundled | Source::BundledWith(_) => "built-in".to_owned(),
            Source::Binary { path, .. } => path.display().to_string(),
            Source::Outside(profile) => profile.url().to_owned(),
        }
    }

    /// Prepares a lane for a plan. `used` is the role whose source is used: the other one's in an A/A run. `place` is a
    /// word that no other plan of the run has had: what is made for the plan bears it.
    pub async fn prepare(
        &self,
        role: LaneId,
        used: LaneId,
        plan: &Plan,
        place: &str,
    ) -> Result<PreparedScenario, EnvironmentError> {
        let dir = self.work.join(place).join(role.as_str());
        std::fs::create_dir_all(&dir).map_err(|source| EnvironmentError::Directory { path: dir.clone(), source })?;
        let names = self.names(role, used, plan, place)?;
        let harmed = harms(plan, role);
        let mut defects = Vec::new();
        if role == LaneId::Candidate && used == LaneId::Candidate {
            defects.extend(self.planted_candidate.iter().chain(&plan.candidate_defects).cloned());
        }
        let has_module = self.means_of(used).protocol(used) == Protocol::Spacetime;
        let update = plan.module_updates().next().filter(|_| has_module);
        let begins = Begins::of(update, &defects);
        let is_reference = used == LaneId::Legacy && matches!(self.source(used), Source::Bundled);
        let mut control = None;
        if is_reference && plan.has_identities() {
            control = Some(start_control(Signs::WithSecrets).await?);
        }
        let (host, space) = if is_reference {
            // Where the lane runs against itself, only one of the two has the defects: else both would be wrong alike.
            let mut defects = Vec::new();
            if role == LaneId::Legacy {
                defects.extend(self.planted_legacy.iter().chain(&plan.legacy_defects).cloned());
            }
            (self.reference_host(&defects, (plan.window.as_ref(), control.as_ref()), &dir).await?, Space::default())
        } else if harmed {
            self.harmed_host(used, &begins, &dir).await?
        } else {
            let host = self.shared_host(used).await?;
            let created = begins.create_space(&*host.service, &format!("{place}-{role}")).await;
            let space = created.map_err(|source| unavailable(used, &self.what(used), source))?;
            (host, space)
        };
        let authority = match plan.has_identities() {
            true => Some(self.authority(control, (plan, used), (&host, &space), names.clone()).await?),
            false => None,
        };
        let bridge = self.bridge_seat(role, plan, (&host, &space), &names, &dir);
        let opened = host.service.lane(&space, names).await;
        let (lane, taggers) = opened.map_err(|source| unavailable(used, &self.what(used), source))?;
        let own_server = host.server.clone().filter(|_| is_reference || harmed);
        let control = |server| Arc::new(ManagedServer(server)) as Arc<dyn ServerControl>;
        let (of_module, of_space) = (host.clone(), space.clone());
        let updated = |_| Arc::new(Updated { host: of_module, space: of_space, defects }) as Arc<dyn ModuleControl>;
        let stack = LaneStack {
            role,
            lane,
            taggers,
            socket: host.socket.clone(),
            writer: host.writer.clone(),
            server: own_server.clone().filter(|_| harmed).map(control),
            module: update.map(updated),
            bridge,
            programs: ProgramSeat { binary: Some(self.binary.clone()), ..ProgramSeat::default() },
            byte_toxics: None,
            authority,
            pace: None,
            least_between: None,
            turns: None,
            answers: Arc::new(MeasuredTimeout::of_answers()),
        };
        let version = host.version.clone();
        Ok(PreparedScenario { stack, version, module_digest: space.module_digest, server: own_server })
    }

    /// The authority of one plan on one lane. A reference server was started with the keys of a control service.
    async fn authority(
        &self,
        control: Option<Control>,
        (plan, used): (&Plan, LaneId),
        (host, space): (&Host, &Space),
        names: Arc<Names>,
    ) -> Result<Arc<Authority>, EnvironmentError> {
        let unavailable = |source| unavailable(used, &self.what(used), source);
        let (control, lacks) = match control {
            Some(control) => (control, Vec::new()),
            None => (start_control(host.service.signs()).await?, host.service.lacks()),
        };
        let enforcer = host.service.enforcer(space, control.audience()).await.map_err(unavailable)?;
        if let Some(enforcer) = enforcer {
            control.enforced_by(enforcer);
        }
        let authority = Authority::new(control, (plan, lacks), names);
        authority.map(Arc::new).map_err(|why| unavailable(OpenError::lasting(why)))
    }

    fn bridge_seat(
        &self,
        role: LaneId,
        plan: &Plan,
        (host, space): (&Host, &Space),
        names: &Arc<Names>,
        dir: &Path,
    ) -> Option<BridgeSeat> {
        plan.bridge.as_ref().filter(|_| role == LaneId::Candidate)?;
        Some(BridgeSeat {
            binary: self.binary.clone(),
            dir: dir.join("bridge"),
            database: space.name.clone(),
            token: host.service.token()?.clone(),
            names: names.clone(),
            exit_reports: self.exit_reports.clone(),
        })
    }

    /// Deletes the databases of the run on outside servers, and stops shared servers. Returns what is left, in words.
    pub async fn teardown(&self, within: Duration) -> Vec<String> {
        let mut left = Vec::new();
        for hosts in [&self.legacy, &self.candidate] {
            if let Some(host) = hosts.take().await {
                left.extend(host.service.clean_up(self.keeps_databases, within).await);
                host.end().await;
            }
        }
        left
    }

    /// Ends the shared servers that the run started, and what they hold with them; the next plan starts new ones. No
    /// plan may be under way.
    pub async fn renew(&self) -> Result<(), EnvironmentError> {
        for (lane, hosts) in LaneId::BOTH.into_iter().zip([&self.legacy, &self.candidate]) {
            if matches!(hosts.source, Source::Outside(_)) {
                continue;
            }
            if let Some(host) = hosts.take().await {
                host.end().await;
                let path = self.work.join(lane.as_str());
                std::fs::remove_dir_all(&path).map_err(|source| EnvironmentError::Directory { path, source })?;
            }
        }
        Ok(())
    }

    /// Removes the files of a plan that was driven at this place.
    pub fn forget(&self, place: &str) {
        // The directory of the run is removed at its end with all that is in it.
        let _ = std::fs::remove_dir_all(self.work.join(place));
    }

    /// The most publishes a second that a lane's profile allows.
    pub fn rate(&self, lane: LaneId) -> Option<NonZeroU32> {
        self.source(lane).rate()
    }

    fn hosts(&self, lane: LaneId) -> &Hosts {
        match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        }
    }

    fn source(&self, lane: LaneId) -> &Source {
        &self.hosts(lane).source
    }
}

/// A service that mints the tokens of one plan on one lane.
async fn start_control(signs: Signs) -> Result<Control, EnvironmentError> {
    let started = Control::start(signs).await;
    started.map_err(|source| EnvironmentError::Directory { path: "a local port".into(), source })
}
