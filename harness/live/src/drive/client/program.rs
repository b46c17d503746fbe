//! A program in the place of a client: it connects, applies, stores and reconnects by itself, and says in JSON Lines
//! what it does (`docs/CLIENTS.md`). This actor starts, tells, kills and waits for it. [`Watch`] sees its wire and
//! hears its words.

mod child;
mod planted;
mod watch;
mod wire;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cutover_core::history::{Closed, Word};
use cutover_core::ids::{Seq, StreamId};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::{COMMANDS_MAX, ClientHandle, Command};
use crate::bounds::{self, Bound};
use crate::drive::inbox::Inbox;
use crate::drive::recorder::Recorder;
use crate::drive::route::Route;
use crate::drive::stack::{DriveError, LaneStack};
use crate::lane::Endpoint;
use crate::proxy::{Proxy, ProxyConfig, UpstreamAddr};
use child::Child;
pub use planted::Planted;
use watch::Watch;

/// The first wait for what a program has received and not handled. It doubles from wait to wait.
const FIRST_WAIT_MS: u64 = 20;
const LONGEST_WAIT_MS: u64 = 250;
/// So many answers, and the bound, are time enough to handle what came.
const ANSWERS_MIN: u32 = 8;
/// After so many looks without the events that are due, the program is not waited for any longer.
const LOOKS_MAX: u32 = 3;

/// What is started, and where.
#[derive(Debug, Clone)]
pub struct Launch {
    pub what: Started,
    /// Its own directory, the same after a crash.
    pub data_dir: PathBuf,
}

#[derive(Debug, Clone)]
pub enum Started {
    Process {
        command: Vec<String>,
        /// Where it runs: the directory of the scenario.
        cwd: PathBuf,
        /// This program, which ends with the run whatever it starts; `None` in tests.
        tied_by: Option<PathBuf>,
    },
    Planted(Planted),
}

/// Starts the actor of a program, with a proxy of its own in front of its route.
pub async fn spawn(
    launch: Launch,
    stack: &LaneStack,
    route: &Route,
    inbox: Inbox,
    recorder: Recorder,
) -> Result<ClientHandle, DriveError> {
    let id = inbox.planned.id.clone();
    let failed = |what: String| DriveError::Program { client: id.to_string(), what };
    std::fs::create_dir_all(&launch.data_dir)
        .map_err(|source| DriveError::Directory { path: launch.data_dir.clone(), source })?;
    let watch = Arc::new(Watch::new(inbox, recorder.clone()));
    let Endpoint { connect, .. } = route.endpoint();
    let address = UpstreamAddr::plain(connect);
    let (kept, upstream) = tokio::sync::watch::channel(Some(address));
    let config = ProxyConfig {
        observer: Some(watch.clone()),
        ..ProxyConfig::transparent(id.clone(), upstream, stack.taggers.clone(), Arc::new(recorder))
    };
    let tap = Proxy::start(config).await.map_err(|source| DriveError::Proxy { client: id.to_string(), source })?;
    let endpoint = Endpoint { connect: tap.addr(), ..route.endpoint() };
    let streams = watch.streams();
    let told = stack.lane.for_program(&endpoint, id.as_str(), &streams);
    let told = told.ok_or_else(|| failed("the lane has no words for a program".to_owned()))?;
    watch.name(told.names.clone());
    let mut open = told.open;
    open.insert("type".to_owned(), "open".into());
    open.insert("client".to_owned(), id.as_str().into());
    open.insert("streams".to_owned(), told.names.iter().map(|(_, name)| name.as_str()).collect());
    open.insert("data_dir".to_owned(), launch.data_dir.display().to_string().into());
    let (commands, inbound) = mpsc::channel(COMMANDS_MAX);
    let status = watch.status();
    let program = Program {
        launch,
        endpoint,
        open,
        watch,
        tap,
        child: None,
        wanted: false,
        pings: 0,
        looks: BTreeMap::new(),
        _kept: kept,
    };
    Ok(ClientHandle { connections: Arc::default(), commands, status, task: tokio::spawn(program.run(inbound)) })
}

struct Program {
    launch: Launch,
    endpoint: Endpoint,
    open: Map<String, Value>,
    watch: Arc<Watch>,
    tap: Proxy,
    child: Option<Child>,
    wanted: bool,
    pings: u64,
    /// How often each stream was looked at since it last moved.
    looks: BTreeMap<StreamId, (u64, u32)>,
    _kept: tokio::sync::watch::Sender<Option<UpstreamAddr>>,
}

impl Program {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.recv().await {
            self.handle(command).await;
            if self.watch.failure().is_some() {
                self.end_child(false).await;
            }
        }
        self.close().await;
        self.end_child(false).await;
        self.tap.shutdown().await;
    }

    async fn handle(&mut self, command: Command) {
        match command {
            Command::Connect => self.connect().await,
            Command::Disconnect(done) => {
                self.close().await;
                let _ = done.send(());
            }
            Command::Crash(done) => {
                self.wanted = false;
                self.end_child(true).await;
                let _ = done.send(());
            }
            Command::Settle(done) => {
                if self.wanted {
                    self.settle(&done).await;
                }
                let _ = done.send(());
            }
            Command::Heartbeat(done) => {
                let _ = done.send(self.answers().await);
            }
            Command::ReplayIfOverdue(heads, done) => {
                if self.wanted && !done.is_closed() {
                    self.look(&heads).await;
                }
                let _ = done.send(());
            }
            // Scenarios with these steps are not driven with programs.
            Command::Resubscribe(_, done) | Command::SetCursor(_, _, done) | Command::Reads(_, done) => {
                let _ = done.send(());
            }
            Command::AskOddly(done) => {
                let _ = done.send(());
            }
        }
    }

    async fn connect(&mut self) {
        self.wanted = true;
        if self.watch.failure().is_some() {
            return;
        }
        if self.child.is_none() {
            match Child::start(&self.launch, &self.endpoint, &self.watch).await {
                Ok(child) => self.child = Some(child),
                Err(why) => return self.watch.fail(why),
            }
        }
        self.watch.told_to_open();
        self.tell(&Value::Object(self.open.clone())).await;
    }

    async fn tell(&mut self, line: &Value) {
        if let Some(child) = &mut self.child
            && bounds::PROGRAM.within(child.tell(line)).await.is_err()
        {
            self.watch.fail(format!("its program did not read its standard input, not within {}", bounds::PROGRAM));
        }
    }

    /// Whether it answers that it handled everything that it has received.
    async fn answers(&mut self) -> bool {
        if self.child.is_none() || self.watch.failure().is_some() {
            return false;
        }
        self.pings += 1;
        self.tell(&json!({"type": "ping", "id": self.pings})).await;
        match bounds::PROGRAM.within(self.watch.answered(self.pings)).await {
            Ok(answered) => answered,
            Err(reached) => {
                self.watch.fail(format!("its program did not answer a ping, {reached}"));
                false
            }
        }
    }

    /// Waits until it has handled all that came on a connection that follows its streams, or had time enough.
    async fn settle(&mut self, done: &tokio::sync::oneshot::Sender<()>) {
        // The caller has a bound of its own, and then stops waiting.
        while !self.watch.is_subscribed() && self.watch.failure().is_none() {
            self.look_whether_away();
            if done.is_closed() {
                return;
            }
            let changed = Bound::new("tick", std::time::Duration::from_millis(LONGEST_WAIT_MS));
            let _ = changed.within(self.watch.changed()).await;
        }
        self.have_handled().await;
    }

    async fn have_handled(&mut self) {
        let mut enough = bounds::PROOF.begin();
        let mut wait = FIRST_WAIT_MS;
        for answers in 1.. {
            if !enough.during(self.answers()).await {
                return;
            }
            if self.watch.is_handled() || (answers >= ANSWERS_MIN && enough.is_reached()) {
                break;
            }
            let one = Bound::new("handled", std::time::Duration::from_millis(wait));
            let _ = enough.during(one.within(self.watch.changed())).await;
            wait = (wait * 2).min(LONGEST_WAIT_MS);
        }
        self.watch.note(Word::Handled);
    }

    fn look_whether_away(&self) {
        if self.wanted && self.watch.lost_for() >= bounds::AWAY.time && self.watch.failure().is_none() {
            self.watch.note(Word::Away);
            self.watch.fail(format!("its program did not reconnect, not within {}", bounds::AWAY));
        }
    }

    /// It makes no progress. What came is waited for; what did not come is not, after some looks.
    async fn look(&mut self, heads: &BTreeMap<StreamId, Seq>) {
        self.look_whether_away();
        self.have_handled().await;
        for (stream, head) in heads {
            let at = self.watch.applied(stream);
            let (before, looks) = self.looks.entry(stream.clone()).or_default();
            *looks = if *before == at { *looks + 1 } else { 1 };
            *before = at;
            if at < head.0 && (self.watch.came(stream) > at || *looks >= LOOKS_MAX) {
                self.watch.stuck(stream);
            }
        }
    }

    async fn close(&mut self) {
        self.wanted = false;
        if self.child.is_none() {
            return;
        }
        self.watch.told_to_close();
        self.tell(&json!({"type": "close"})).await;
        if self.watch.failure().is_none() && bounds::PROGRAM.within(self.watch.is_closed()).await.is_err() {
            self.watch.fail(format!("its program was told to close and did not, not within {}", bounds::PROGRAM));
        }
    }

    async fn end_child(&mut self, crashes: bool) {
        if let Some(child) = self.child.take() {
            self.watch.ending();
            child.kill().await;
            self.watch.killed(if crashes { Closed::Crashed } else { Closed::ByClient });
        }
    }
}
