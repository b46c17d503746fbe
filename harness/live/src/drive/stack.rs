//! A lane made ready to be driven: how it is spoken to, where it is, and the process behind it where that is ours.

use std::path::PathBuf;
use std::sync::Arc;

use cutover_core::history::{KillWait, Process};
use cutover_core::ids::LaneId;
use cutover_core::plan::ServerAction;
use tokio::sync::Mutex;

use super::byte_toxics::ByteToxics;
use super::pace::Pace;
use crate::frame::TaggerFactory;
use crate::lane::Lane;
use crate::lane::profile::Origin;
use crate::process::{Server, ServerError};
use crate::proxy::Upstream;

/// Everything that driving a lane takes.
#[derive(Clone)]
pub struct LaneStack {
    /// Its role in the run.
    pub role: LaneId,
    /// Its protocol.
    pub lane: Arc<dyn Lane>,
    /// Knows its frames.
    pub taggers: Arc<dyn TaggerFactory>,
    /// Where its subscribers go.
    pub socket: Route,
    /// Where its writer goes.
    pub writer: Route,
    /// Its server, where the plan may do something to it.
    pub victim: Option<Victim>,
    /// Where its byte toxics are, where that is not in the proxies of the run.
    pub byte_toxics: Option<Arc<dyn ByteToxics>>,
    /// How fast its writers may go; `None` is as fast as it answers.
    pub pace: Option<Arc<Pace>>,
}

/// The way to a server.
#[derive(Debug, Clone)]
pub struct Route {
    /// The server's own authority, for `Host`.
    pub authority: String,
    /// Where it is now; `None` while it is down.
    pub upstream: Upstream,
}

impl Route {
    /// The way to an origin, wherever that is at the moment.
    pub fn new(origin: &Origin, upstream: Upstream) -> Route {
        Route { authority: origin.authority(), upstream }
    }
}

/// Why a plan could not be driven over a lane.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// A proxy could not be started.
    #[error("can't start a proxy for `{client}`: {source}")]
    Proxy {
        /// For whom.
        client: String,
        /// Why.
        source: std::io::Error,
    },
    /// A foreign proxy for byte toxics could not be had.
    #[error("{0}")]
    Front(std::io::Error),
    /// A directory can't be made.
    #[error("can't make {path}: {source}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The lane did not take a stream's policy before the run began.
    #[error("the {lane} lane did not set up stream `{stream}`: {what}{}", setup_hint(what))]
    Setup {
        /// The lane.
        lane: LaneId,
        /// Which.
        stream: String,
        /// Its words.
        what: String,
    },
}

/// How to mend what a lane said to a stream's policy. It is the first that a run asks of a lane's writer.
fn setup_hint(what: &str) -> &'static str {
    let says = |codes: &[&str]| codes.iter().any(|code| what.starts_with(code));
    if says(&["http_401", "http_403", "unauthorized", "forbidden", "missing_authorization", "invalid_token"]) {
        " (the writer may want a token: `token`, or `authorization` of [publish] in a lane profile)"
    } else if says(&["http_404", "http_405", "http_501", "not_found"]) {
        " (a Phoenix profile says in [policy] how a policy is set; a SpacetimeDB profile says in `database` where the module is)"
    } else {
        ""
    }
}

/// A server process that a plan may kill, pause and restart.
#[derive(Debug, Clone)]
pub struct Victim {
    server: Arc<Mutex<Server>>,
}

impl Victim {
    /// A server that is alone in serving its plan.
    pub fn new(server: Arc<Mutex<Server>>) -> Victim {
        Victim { server }
    }

    /// Does something to the server; `last_acked` is the key of the last publish that it acknowledged.
    ///
    /// # Errors
    /// Where the server can't be had, or does not make durable what it acknowledged.
    pub async fn suffer(&self, action: ServerAction, last_acked: Option<&str>) -> Result<Process, ServerError> {
        let mut server = self.server.lock().await;
        match action {
            ServerAction::Kill => {
                server.wait_until_durable(last_acked).await?;
                server.kill().await;
                Ok(killed(KillWait::Durable))
            }
            ServerAction::KillAtOnce => {
                server.kill().await;
                Ok(killed(KillWait::Nothing))
            }
            ServerAction::Restart => {
                server.start().await?;
                Ok(Process::Started)
            }
            ServerAction::Pause => server.pause().map(|()| Process::Paused),
            ServerAction::Resume => server.resume().map(|()| Process::Resumed),
        }
    }

    /// Brings the server up again, whatever state it is in, and says what that took.
    pub async fn heal(&self) -> Vec<Process> {
        let mut server = self.server.lock().await;
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

fn killed(waited_for: KillWait) -> Process {
    Process::Killed { waited_for }
}
