//! All that it takes to drive a lane: its protocol, its address, and its server process where that is managed by us.

#![allow(missing_docs, reason = "the names say it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cutover_core::history::{KillWait, Process};
use cutover_core::ids::LaneId;
use cutover_core::plan::{ModuleUpdate, ServerAction};
use cutover_core::text::Secret;
use tokio::sync::Mutex;

use super::authority::Authority;
use super::byte_toxics::ByteToxics;
use super::pace::Pace;
use super::timeout::MeasuredTimeout;
use super::turns::Turns;
use crate::frame::TaggerFactory;
use crate::lane::Lane;
use crate::lane::names::Names;
use crate::lane::profile::Origin;
use crate::process::{ExitReports, Server, ServerError};
use crate::proxy::Upstream;

#[derive(Clone)]
pub struct LaneStack {
    pub role: LaneId,
    pub lane: Arc<dyn Lane>,
    pub taggers: Arc<dyn TaggerFactory>,
    pub socket: Destination,
    pub writer: Destination,
    /// The lane's server, where the plan may kill or pause it.
    pub server: Option<Arc<dyn ServerControl>>,
    /// The lane's module, where the plan updates it.
    pub module: Option<Arc<dyn ModuleControl>>,
    /// The bridge from its outbox to a relay; `None` where the plan has none, or the lane no outbox.
    pub bridge: Option<BridgeSeat>,
    /// The programs that stand in the place of clients.
    pub programs: ProgramSeat,
    /// Who applies byte toxics; `None` where the proxies of the run do.
    pub byte_toxics: Option<Arc<dyn ByteToxics>>,
    /// Who mints the tokens of its clients; `None` where the plan has no identities.
    pub authority: Option<Arc<Authority>>,
    /// How fast the writers of the lane may send; `None` is as fast as it answers.
    pub pace: Option<Arc<Pace>>,
    /// The least time between two publishes at a rate, where the pace of a lane asks for one.
    pub least_between: Option<Duration>,
    /// Whose turn it is, where the lanes are measured by turns.
    pub turns: Option<Arc<Turns>>,
    /// How long an answer to a write is waited for. Scenarios on one server may share it.
    pub answers: Arc<MeasuredTimeout>,
}

/// What it takes to run a bridge beside a lane.
#[derive(Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct BridgeSeat {
    /// This program.
    pub binary: PathBuf,
    pub dir: PathBuf,
    pub database: String,
    /// The token of the database's owner.
    pub token: Secret,
    pub names: Arc<Names>,
    pub exit_reports: ExitReports,
}

/// Where programs run that stand in the place of clients.
#[derive(Debug, Clone, Default)]
pub struct ProgramSeat {
    /// The command for clients of which the plan names none.
    pub usual: Option<Vec<String>>,
    /// The directory that the scenario's commands start from.
    pub scenario_dir: Option<PathBuf>,
    /// Whether the lane runs in the place of the other one, whose programs speak another protocol.
    pub of_other: bool,
    /// This program, which ties what is started to the life of the run.
    pub binary: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Destination {
    /// The server's own authority, for `Host`.
    pub authority: String,
    /// The server's address now; `None` while it is down.
    pub upstream: Upstream,
}

impl Destination {
    /// An origin, whatever its address is at the moment.
    pub fn new(origin: &Origin, upstream: Upstream) -> Destination {
        Destination { authority: origin.authority(), upstream }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("can't start a proxy for `{client}`: {source}")]
    Proxy { client: String, source: std::io::Error },
    #[error("the bridge of the candidate: {0}")]
    Bridge(String),
    #[error("the program of `{client}`: {what}")]
    Program { client: String, what: String },
    #[error("{0}")]
    Front(std::io::Error),
    #[error("can't make {path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("the {lane} lane did not set up {place}: {what}{}", setup_hint(what))]
    Setup { lane: LaneId, place: String, what: String },
}

/// A hint for a refused policy. Setting a policy is the first request of a lane's writer.
fn setup_hint(what: &str) -> &'static str {
    let says = |codes: &[&str]| codes.iter().any(|code| what.starts_with(code));
    if says(&["http_401", "http_403", "unauthorized", "forbidden", "missing_authorization", "invalid_token"]) {
        " (the writer may want a token: `token`, or `authorization` of [publish] in a lane profile)"
    } else if says(&["http_404", "http_405", "http_501", "not_found"]) {
        " (a Phoenix profile says in [policy] how a policy is set; a SpacetimeDB profile says in `database` where the \
         module is)"
    } else {
        ""
    }
}

/// A server that a plan may kill, pause and restart. It serves no other plan.
#[async_trait]
pub trait ServerControl: Send + Sync {
    /// Kills, pauses, resumes or restarts the server; `last_acked` is the key of the last event that it acknowledged.
    ///
    /// # Errors
    /// Where the server is unavailable, or does not make durable what it acknowledged.
    async fn apply(&self, action: ServerAction, last_acked: Option<&str>) -> Result<Process, ServerError>;

    /// Brings the server up again, whatever state it is in. Returns what that took.
    async fn heal(&self) -> Vec<Process>;

    /// Waits until the last acknowledged event is on disk, and says where its data directory is.
    ///
    /// # Errors
    /// Where the server is down, or does not write what it acknowledged.
    async fn ready_to_copy(&self, last_acked: Option<&str>) -> Result<PathBuf, ServerError>;

    /// Stops the server in good order.
    async fn stop(&self);

    /// Starts another server of the same kind beside this one. Its data directory is `data` in this directory.
    ///
    /// # Errors
    /// Where it does not start.
    async fn beside(&self, dir: &Path) -> Result<Beside, ServerError>;
}

/// The module of a lane. Other plans have another one.
#[async_trait]
pub trait ModuleControl: Send + Sync {
    /// Publishes it anew, while clients follow it.
    ///
    /// # Errors
    /// Where it does not run afterwards, in words.
    async fn update(&self, update: ModuleUpdate) -> Result<(), String>;
}

/// A server beside the lane's own. It ends when this is dropped.
pub struct Beside {
    pub address: SocketAddr,
    pub server: Option<Server>,
}

#[derive(Debug)]
pub struct ManagedServer(pub Arc<Mutex<Server>>);

#[async_trait]
impl ServerControl for ManagedServer {
    async fn apply(&self, action: ServerAction, last_acked: Option<&str>) -> Result<Process, ServerError> {
        let mut server = self.0.lock().await;
        match action {
            ServerAction::Kill => {
                server.wait_until_durable(last_acked).await?;
                server.kill().await;
                Ok(Process::Killed { waited_for: KillWait::Durable })
            }
            ServerAction::KillAtOnce | ServerAction::KillAsSeen => {
                server.kill().await;
                Ok(Process::Killed { waited_for: KillWait::Nothing })
            }
            ServerAction::Restart => {
                server.start().await?;
                Ok(Process::Started)
            }
            ServerAction::Pause => server.pause().map(|()| Process::Paused),
            ServerAction::Resume => server.resume().map(|()| Process::Resumed),
        }
    }

    async fn ready_to_copy(&self, last_acked: Option<&str>) -> Result<PathBuf, ServerError> {
        let server = self.0.lock().await;
        if !server.is_up() {
            return Err(ServerError::NotUp);
        }
        server.wait_until_durable(last_acked).await?;
        Ok(server.data_dir().to_owned())
    }

    async fn stop(&self) {
        self.0.lock().await.stop().await;
    }

    async fn beside(&self, dir: &Path) -> Result<Beside, ServerError> {
        let mut server = self.0.lock().await.another(dir)?;
        let address = server.start().await?;
        Ok(Beside { address, server: Some(server) })
    }

    async fn heal(&self) -> Vec<Process> {
        let mut server = self.0.lock().await;
        let mut done = Vec::new();
        if let Some(status) = server.unasked_end() {
            done.push(Process::Died { status });
        }
        if server.is_paused() && server.resume().is_ok() {
            done.push(Process::Resumed);
        }
        if !server.is_up() {
            done.push(match server.start().await {
                Ok(_) => Process::Started,
                Err(error) => Process::Died { status: error.to_string() },
            });
        }
        done
    }
}
