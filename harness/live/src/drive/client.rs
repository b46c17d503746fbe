//! One subscribing client: it connects, resumes from its checkpoint, applies what comes, and recovers by itself from
//! every fault. It is an actor that takes commands through [`ClientHandle`].
//!
//! Where events are out of order, a client recovers by a new connection from its watermark, never on the same
//! connection. So what the old subscription still had in flight can't be mistaken for what the new one replays.

mod connect;
mod end;
pub(super) mod program;
mod resubscribe;

pub(super) use connect::options_of;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_core::history::{Closed, Record};
use cutover_core::ids::{ConnId, Cursor, Seq, StreamId};
use cutover_core::plan::{Habit, habit_of};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::authority::Authority;
use super::backoff::Backoff;
use super::inbox::Inbox;
use super::recorder::Recorder;
use super::resume::drain;
use super::status::Status;
use crate::bounds::{self, Bound};
use crate::lane::{Arrival, Endpoint, Lane, OpError, SubscriberSession};

const HEARTBEAT_EVERY: Duration = Duration::from_millis(700);
/// Between the two round trips that confirm that events are overdue lies so many times the duration of the first.
const SECOND_LOOK_FACTOR: u32 = 10;
const COMMANDS_MAX: usize = 16;

enum Command {
    Connect,
    Disconnect(oneshot::Sender<()>),
    Crash(oneshot::Sender<()>),
    /// The streams, or all where there is none.
    Resubscribe(Vec<StreamId>, oneshot::Sender<()>),
    SetCursor(StreamId, Cursor, oneshot::Sender<()>),
    Settle(oneshot::Sender<()>),
    AskOddly(oneshot::Sender<()>),
    Heartbeat(oneshot::Sender<bool>),
    ReplayIfOverdue(BTreeMap<StreamId, Seq>, oneshot::Sender<()>),
    Reads(bool, oneshot::Sender<()>),
}

/// A connection as the lane names it, and whether it ended.
pub type NamedConnection = (String, bool);

pub struct ClientHandle {
    /// Every connection that the lane named.
    pub connections: Arc<Mutex<Vec<NamedConnection>>>,
    commands: mpsc::Sender<Command>,
    pub status: watch::Receiver<Status>,
    task: tokio::task::JoinHandle<()>,
}

impl ClientHandle {
    pub fn spawn(
        (lane, authority): (Arc<dyn Lane>, Option<Arc<Authority>>),
        endpoint: Endpoint,
        mut inbox: Inbox,
        recorder: Recorder,
    ) -> ClientHandle {
        let (commands, inbound) = mpsc::channel(COMMANDS_MAX);
        let mut first = Status::default();
        inbox.report(false, &mut first);
        let (status_out, status) = watch::channel(first);
        let habit = inbox.planned.habit.as_deref().and_then(habit_of);
        let backoff = match habit {
            Some(habit) => Backoff::of_habit(habit),
            None => Backoff::new(inbox.planned.backoff_ms.clone()),
        };
        let connections: Arc<Mutex<Vec<NamedConnection>>> = Arc::default();
        let actor = Actor {
            lane,
            authority: authority.filter(|_| inbox.planned.identity.is_some()),
            connections: connections.clone(),
            endpoint,
            inbox,
            recorder,
            status: status_out,
            conn: 0,
            opened: 0,
            deferred: VecDeque::new(),
            backoff,
            habit,
            rejoins: false,
            applied: 0,
            asked_to_wait: None,
            reconnect_at: None,
            reads: true,
            was_connected: false,
            refusals: 0,
            wanted: false,
            waiting: Vec::new(),
        };
        ClientHandle { connections, commands, status, task: tokio::spawn(actor.run(inbound)) }
    }

    /// Connects, and reconnects from then on.
    pub async fn connect(&self) {
        let _ = self.commands.send(Command::Connect).await;
    }

    pub async fn disconnect(&self) {
        self.ask(Command::Disconnect).await;
    }

    /// Drops the connection without a close, and all state in memory.
    pub async fn crash(&self) {
        self.ask(Command::Crash).await;
    }

    /// Unsubscribes from these streams, or from all where there is none, and subscribes to them again without cursors
    /// on the same connection.
    pub async fn resubscribe(&self, streams: Vec<StreamId>) {
        self.ask(|done| Command::Resubscribe(streams, done)).await;
    }

    pub async fn set_cursor(&self, stream: &StreamId, cursor: Cursor) {
        self.ask(|done| Command::SetCursor(stream.clone(), cursor, done)).await;
    }

    /// Waits for a round trip on a subscribed connection: what was in flight has then arrived, and a cut connection has
    /// been noticed and replaced.
    pub async fn settle(&self) {
        self.ask(Command::Settle).await;
    }

    /// Sends requests that the lane must refuse on the present connection.
    pub async fn ask_oddly(&self) {
        self.ask(Command::AskOddly).await;
    }

    /// Whether the lane answers a heartbeat on the present connection. An answer is recorded.
    pub async fn answers_heartbeat(&self) -> bool {
        let (done, wait) = oneshot::channel();
        self.commands.send(Command::Heartbeat(done)).await.is_ok() && wait.await.unwrap_or(false)
    }

    /// Replays from the watermark where the client is behind these heads and two answers come, but no event.
    pub async fn replay_if_overdue(&self, heads: BTreeMap<StreamId, Seq>) {
        self.ask(|done| Command::ReplayIfOverdue(heads, done)).await;
    }

    /// Has the client read its connection, or neither read nor send anything.
    pub async fn reads(&self, reads: bool) {
        self.ask(|done| Command::Reads(reads, done)).await;
    }

    pub async fn stop(self) {
        drop(self.commands);
        let _ = self.task.await;
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(command(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

struct Actor {
    connections: Arc<Mutex<Vec<NamedConnection>>>,
    lane: Arc<dyn Lane>,
    authority: Option<Arc<Authority>>,
    endpoint: Endpoint,
    inbox: Inbox,
    recorder: Recorder,
    status: watch::Sender<Status>,
    /// The last connection that was asked for.
    conn: u32,
    /// The last connection that the lane opened.
    opened: u32,
    /// Commands that came while a connection was being opened.
    deferred: VecDeque<Command>,
    backoff: Backoff,
    habit: Option<&'static Habit>,
    /// Whether the channel ended and the socket did not: the next attempt joins again.
    rejoins: bool,
    /// How many events were applied when the client last waited to reconnect.
    applied: u64,
    asked_to_wait: Option<Duration>,
    /// When it reconnects; `None` while it does not wait for that.
    reconnect_at: Option<Instant>,
    /// Whether it reads its connection. While it does not, it sends nothing and waits for no answer.
    reads: bool,
    was_connected: bool,
    /// Refusals in a row that are not marked as transient.
    refusals: u32,
    wanted: bool,
    /// Who waits for a round trip.
    waiting: Vec<oneshot::Sender<()>>,
}

enum Wake {
    /// It handles a command, or stops where there are no more.
    Command(Option<Command>),
    /// Its connection was closed, and has to be replaced.
    Ended,
    Reconnect,
}

impl Actor {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut session = None;
        loop {
            let wake = match (self.deferred.pop_front(), session.as_mut()) {
                (Some(command), _) => Wake::Command(Some(command)),
                (None, Some(open)) => self.listen(open, &mut commands).await,
                (None, None) if self.wanted => self.wait_to_reconnect(&mut commands).await,
                (None, None) => Wake::Command(commands.recv().await),
            };
            match wake {
                Wake::Ended => session = None,
                Wake::Reconnect => session = self.open_until_interrupted(&mut commands).await,
                Wake::Command(Some(command)) => self.handle(command, &mut session, &mut commands).await,
                Wake::Command(None) => {
                    self.close(&mut session).await;
                    return;
                }
            }
            self.report(session.is_some());
        }
    }

    fn report(&mut self, subscribed: bool) {
        self.status.send_if_modified(|status| self.inbox.report(subscribed, status));
    }

    async fn handle(
        &mut self,
        command: Command,
        session: &mut Option<Box<dyn SubscriberSession>>,
        commands: &mut mpsc::Receiver<Command>,
    ) {
        match command {
            Command::Connect => {
                self.wanted = true;
                if session.is_none() && !(self.habit.is_some() && self.inbox.gave_up.is_some()) {
                    *session = self.open_until_interrupted(commands).await;
                }
            }
            Command::Disconnect(done) => {
                self.wanted = false;
                self.close(session).await;
                self.report(false);
                let _ = done.send(());
            }
            Command::Crash(done) => {
                self.wanted = false;
                if session.take().is_some() {
                    self.closed(Closed::Crashed);
                }
                self.inbox.reload();
                self.report(false);
                let _ = done.send(());
            }
            Command::Resubscribe(named, done) => {
                let streams = if named.is_empty() { self.inbox.planned.streams.clone() } else { named };
                *session = match session.take() {
                    Some(open) => self.resubscribe(open, &streams).await,
                    // The next connection subscribes without cursors.
                    None => {
                        self.inbox.unsubscribed(&streams);
                        None
                    }
                };
                let _ = done.send(());
            }
            Command::SetCursor(stream, cursor, done) => {
                self.inbox.set_cursor(&stream, cursor);
                self.report(false);
                let _ = done.send(());
            }
            Command::Heartbeat(done) => {
                let answered = match session.as_mut() {
                    Some(open) => self.round_trip(open).await,
                    None => false,
                };
                if answered {
                    let (client, conn) = (self.inbox.planned.id.clone(), ConnId(self.conn));
                    self.recorder.record(Record::RoundTrip { client, conn });
                } else {
                    *session = None;
                }
                let _ = done.send(answered);
            }
            Command::Settle(done) => {
                self.waiting.push(done);
                if let Some(open) = session.as_mut()
                    && !self.round_trip(open).await
                {
                    *session = None;
                }
            }
            Command::AskOddly(done) => {
                if let Some(open) = session.as_mut() {
                    // How it ended, where it did, comes as an arrival.
                    let _ = bounds::IN_ALL.within(open.ask_oddly()).await;
                    if let Some(why) = drain(open, &mut self.inbox, ConnId(self.conn)) {
                        self.closed(why);
                        self.inbox.end_of_connection();
                        *session = None;
                    }
                }
                let _ = done.send(());
            }
            Command::Reads(reads, done) => {
                self.reads = reads;
                let _ = done.send(());
            }
            // The script may have stopped waiting.
            Command::ReplayIfOverdue(heads, done) => {
                if let Some(open) = session.as_mut().filter(|_| self.reads && !done.is_closed())
                    && !self.is_not_overdue(open, &heads).await
                {
                    *session = None;
                }
                let _ = done.send(());
            }
        }
    }

    /// Makes two round trips, some time apart. Where the client is then still behind and nothing came at all, the
    /// connection is closed. Returns whether the connection is open.
    async fn is_not_overdue(
        &mut self,
        session: &mut Box<dyn SubscriberSession>,
        heads: &BTreeMap<StreamId, Seq>,
    ) -> bool {
        let before = self.inbox.arrivals;
        let started = Instant::now();
        if !self.round_trip(session).await {
            return false;
        }
        let least = bounds::SECOND_LOOK;
        let pause = Bound { time: least.time.max(started.elapsed() * SECOND_LOOK_FACTOR), ..least };
        let _ = pause.within(std::future::pending::<()>()).await;
        if !self.round_trip(session).await {
            return false;
        }
        if self.inbox.arrivals != before || !self.inbox.overdue(ConnId(self.conn), heads) {
            return true;
        }
        session.close().await;
        self.closed(Closed::ByClient);
        self.inbox.end_of_connection();
        false
    }

    async fn listen(
        &mut self,
        session: &mut Box<dyn SubscriberSession>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Wake {
        if !self.reads {
            return Wake::Command(commands.recv().await);
        }
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => return Wake::Command(command),
                arrival = session.next() => {
                    if !self.take(arrival) {
                        return self.abandon(session).await;
                    }
                    self.report(true);
                }
                () = tokio::time::sleep(HEARTBEAT_EVERY) => {
                    if !self.round_trip(session).await {
                        return Wake::Ended;
                    }
                    // The connection has been stable for a while.
                    self.backoff.reset();
                }
            }
        }
    }

    /// Takes an arrival. Returns whether the connection can go on.
    fn take(&mut self, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Closed(why) => {
                self.closed(why);
                false
            }
            other => self.inbox.take(ConnId(self.conn), other),
        }
    }

    /// Takes what is in flight on a connection that is out of order, then closes it. One that ended needs nothing.
    async fn abandon(&mut self, session: &mut Box<dyn SubscriberSession>) -> Wake {
        if self.inbox.is_out_of_order() && self.barrier(session).await.is_ok() {
            self.leave(session).await;
        }
        self.inbox.end_of_connection();
        Wake::Ended
    }

    async fn barrier(&mut self, session: &mut Box<dyn SubscriberSession>) -> Result<(), ()> {
        let answer = bounds::IN_ALL.within(session.heartbeat()).await;
        // What arrived is taken even where there was no answer.
        if let Some(why) = drain(session, &mut self.inbox, ConnId(self.conn)) {
            self.closed(why);
            return Err(());
        }
        match answer {
            Ok(Ok(()) | Err(OpError::Refused(_) | OpError::Later(_))) => Ok(()),
            Ok(Err(OpError::Unknown(why) | OpError::Unwritten(why))) => {
                self.closed(Closed::Lost { why });
                Err(())
            }
            Err(_) => {
                self.closed(Closed::Silent);
                Err(())
            }
        }
    }

    /// A barrier on a connection that is to stay open. Returns whether it did.
    async fn round_trip(&mut self, session: &mut Box<dyn SubscriberSession>) -> bool {
        let alive = self.barrier(session).await.is_ok();
        let good = alive && !self.inbox.is_out_of_order();
        if good {
            for done in self.waiting.drain(..) {
                let _ = done.send(());
            }
        } else {
            if alive {
                self.leave(session).await;
            }
            self.inbox.end_of_connection();
        }
        self.report(good);
        good
    }
}
