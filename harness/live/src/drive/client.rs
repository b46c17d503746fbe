//! One subscribing client: it connects, resumes from its checkpoint, applies what comes, and recovers by itself from
//! whatever is done to it. It is an actor; the script speaks to it through [`ClientHandle`].
//!
//! A client recovers from anything out of order by a new connection from its watermark, never on the same one: what the
//! old subscription still had in flight then can't be taken for what the new one replays.

mod resubscribe;

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{Closed, Record};
use cutover_core::ids::{ConnId, Cursor, Seq, StreamId};
use cutover_core::plan::{PlannedClient, WRITER};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::inbox::Inbox;
use super::recorder::Recorder;
use super::resume::{Resumed, resume};
use super::status::Status;
use crate::bounds::{self, Bound};
use crate::lane::{Arrival, Completion, Endpoint, Lane, Op, OpenError, Role, Session};

/// How often an idle client asks whether the lane is alive.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(700);
/// After so many refusals in a row that do not say that they pass, a client that was let in before gives up.
const MOST_REFUSALS: u32 = 10;
/// A client that asks again first looks twice. Between the looks lies so many times what the first of them took.
const SECOND_LOOK_TIMES: u32 = 10;
/// Commands that wait for a client.
const COMMANDS: usize = 16;

/// What the script asks of a client.
enum Command {
    Connect,
    Disconnect(oneshot::Sender<()>),
    Crash(oneshot::Sender<()>),
    Resubscribe(oneshot::Sender<()>),
    SetCursor(StreamId, Cursor, oneshot::Sender<()>),
    Settle(oneshot::Sender<()>),
    AskForLife(oneshot::Sender<bool>),
    AskAgain(BTreeMap<StreamId, Seq>, oneshot::Sender<()>),
}

/// The script's hold on a client.
pub struct ClientHandle {
    commands: mpsc::Sender<Command>,
    /// The client's state.
    pub status: watch::Receiver<Status>,
    task: tokio::task::JoinHandle<()>,
}

impl ClientHandle {
    /// Starts a client that is not connected.
    pub fn spawn(lane: Arc<dyn Lane>, endpoint: Endpoint, mut inbox: Inbox, recorder: Recorder) -> ClientHandle {
        let (commands, inbound) = mpsc::channel(COMMANDS);
        let mut first = Status::default();
        inbox.tell(false, &mut first);
        let (status_out, status) = watch::channel(first);
        let backoff = Backoff::new(inbox.planned().backoff_ms.clone());
        let actor = Actor {
            lane,
            endpoint,
            inbox,
            recorder,
            status: status_out,
            conn: 0,
            opened: 0,
            put_off: VecDeque::new(),
            backoff,
            applied: 0,
            asked_to_wait: None,
            was_let_in: false,
            refusals: 0,
            wanted: false,
            waiting: Vec::new(),
        };
        ClientHandle {
            commands,
            status,
            task: tokio::spawn(actor.run(inbound)),
        }
    }

    /// Connects, and from then on reconnects until told otherwise.
    pub async fn connect(&self) {
        let _ = self.commands.send(Command::Connect).await;
    }

    /// Closes in good order.
    pub async fn disconnect(&self) {
        self.ask(Command::Disconnect).await;
    }

    /// Dies: no close, memory gone.
    pub async fn crash(&self) {
        self.ask(Command::Crash).await;
    }

    /// Unsubscribes, and subscribes again without cursors on the connection that it has.
    pub async fn resubscribe(&self) {
        self.ask(Command::Resubscribe).await;
    }

    /// Overwrites the checkpoint of a disconnected client.
    pub async fn set_cursor(&self, stream: &StreamId, cursor: Cursor) {
        self.ask(|done| Command::SetCursor(stream.clone(), cursor, done)).await;
    }

    /// Returns once a round trip with the lane has gone well after now, on a connection that is subscribed: whatever was
    /// in flight has arrived, and a cut connection has been noticed and replaced.
    pub async fn settle(&self) {
        self.ask(Command::Settle).await;
    }

    /// Whether the lane answers a heartbeat on the connection that the client has now. An answer is recorded.
    pub async fn asks_for_life(&self) -> bool {
        let (done, wait) = oneshot::channel();
        self.commands.send(Command::AskForLife(done)).await.is_ok() && wait.await.unwrap_or(false)
    }

    /// Makes sure that a client behind these heads is not only slow: where its connection answers twice and nothing comes,
    /// it asks again from its watermark on a new one.
    pub async fn ask_again(&self, heads: BTreeMap<StreamId, Seq>) {
        self.ask(|done| Command::AskAgain(heads, done)).await;
    }

    /// Ends the client.
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
    lane: Arc<dyn Lane>,
    endpoint: Endpoint,
    inbox: Inbox,
    recorder: Recorder,
    status: watch::Sender<Status>,
    /// The last connection that was asked for.
    conn: u32,
    /// The last connection that the lane opened.
    opened: u32,
    /// Commands that came while a connection was being opened.
    put_off: VecDeque<Command>,
    backoff: Backoff,
    /// How many events were applied when the client last waited to reconnect.
    applied: u64,
    /// How long the lane asked to wait when it last refused a connection.
    asked_to_wait: Option<Duration>,
    /// Whether a connection was opened before.
    was_let_in: bool,
    /// Refusals in a row that do not say that they pass.
    refusals: u32,
    wanted: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// Why the client stopped listening to its connection.
enum Pause {
    /// The script wants something.
    Command(Option<Command>),
    /// The connection is of no more use, and was closed.
    Ended,
    /// It is time to connect.
    Reconnect,
}

impl Actor {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut session = None;
        loop {
            let pause = match (self.put_off.pop_front(), session.as_mut()) {
                (Some(command), _) => Pause::Command(Some(command)),
                (None, Some(open)) => self.listen(open, &mut commands).await,
                (None, None) if self.wanted => self.wait_to_reconnect(&mut commands).await,
                (None, None) => Pause::Command(commands.recv().await),
            };
            match pause {
                Pause::Ended => session = None,
                Pause::Reconnect => session = self.open_unless_told(&mut commands).await,
                Pause::Command(Some(command)) => self.obey(command, &mut session, &mut commands).await,
                Pause::Command(None) => {
                    self.close(&mut session).await;
                    return;
                }
            }
            self.publish(session.is_some());
        }
    }

    /// Tells the script, where there is something new.
    fn publish(&mut self, subscribed: bool) {
        self.status.send_if_modified(|told| self.inbox.tell(subscribed, told));
    }

    async fn obey(
        &mut self,
        command: Command,
        session: &mut Option<Box<dyn Session>>,
        commands: &mut mpsc::Receiver<Command>,
    ) {
        match command {
            Command::Connect => {
                self.wanted = true;
                if session.is_none() {
                    *session = self.open_unless_told(commands).await;
                }
            }
            Command::Disconnect(done) => {
                self.wanted = false;
                self.close(session).await;
                self.publish(false);
                let _ = done.send(());
            }
            Command::Crash(done) => {
                self.wanted = false;
                if session.take().is_some() {
                    self.closed(Closed::Crashed);
                }
                self.inbox.reload();
                self.publish(false);
                let _ = done.send(());
            }
            Command::Resubscribe(done) => {
                *session = match session.take() {
                    Some(open) => self.resubscribe(open).await,
                    // The next connection asks without cursors.
                    None => {
                        self.inbox.forget();
                        None
                    }
                };
                let _ = done.send(());
            }
            Command::SetCursor(stream, cursor, done) => {
                self.inbox.set_cursor(&stream, cursor);
                self.publish(false);
                let _ = done.send(());
            }
            Command::AskForLife(done) => {
                let answered = match session.as_mut() {
                    Some(open) => self.round_trip(open).await,
                    None => false,
                };
                if answered {
                    let (client, conn) = (self.inbox.client().clone(), ConnId(self.conn));
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
            // Who asked may have stopped waiting by now.
            Command::AskAgain(heads, done) => {
                if let Some(open) = session.as_mut().filter(|_| !done.is_closed())
                    && !self.look_twice(open, &heads).await
                {
                    *session = None;
                }
                let _ = done.send(());
            }
        }
    }

    /// Two round trips, some time apart. Where the client is still behind and nothing came at all, the connection is given
    /// up; false where it was.
    async fn look_twice(&mut self, session: &mut Box<dyn Session>, heads: &BTreeMap<StreamId, Seq>) -> bool {
        let before = self.inbox.arrivals();
        let started = Instant::now();
        if !self.round_trip(session).await {
            return false;
        }
        let least = bounds::SECOND_LOOK;
        let pause = Bound {
            time: least.time.max(started.elapsed() * SECOND_LOOK_TIMES),
            ..least
        };
        let _ = pause.within(std::future::pending::<()>()).await;
        if !self.round_trip(session).await {
            return false;
        }
        if self.inbox.arrivals() != before || !self.inbox.overdue(ConnId(self.conn), heads) {
            return true;
        }
        session.close().await;
        self.closed(Closed::ByClient);
        self.inbox.end_of_connection();
        false
    }

    /// Listens until something other than an event in good order happens.
    async fn listen(&mut self, session: &mut Box<dyn Session>, commands: &mut mpsc::Receiver<Command>) -> Pause {
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => return Pause::Command(command),
                arrival = session.next() => {
                    if !self.take(arrival) {
                        return self.give_up(session).await;
                    }
                    self.publish(true);
                }
                () = tokio::time::sleep(HEARTBEAT_EVERY) => {
                    if !self.round_trip(session).await {
                        return Pause::Ended;
                    }
                    // The connection has stayed for a while.
                    self.backoff.reset();
                }
            }
        }
    }

    /// Takes an arrival; false where the connection is of no more use.
    fn take(&mut self, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Closed(why) => {
                self.closed(why);
                false
            }
            other => self.inbox.take(ConnId(self.conn), other),
        }
    }

    /// The stream is out of order: takes what is in flight, then closes. A connection that ended needs nothing.
    async fn give_up(&mut self, session: &mut Box<dyn Session>) -> Pause {
        if self.inbox.is_out_of_order() && self.barrier(session).await.is_ok() {
            session.close().await;
            self.closed(Closed::ByClient);
        }
        self.inbox.end_of_connection();
        Pause::Ended
    }

    /// A heartbeat and all that came before its answer.
    async fn barrier(&mut self, session: &mut Box<dyn Session>) -> Result<(), ()> {
        let answer = bounds::IN_ALL.within(session.invoke(&Op::Heartbeat)).await;
        // What was queued up to the answer is taken even where there was none: it did arrive.
        while let Some(arrival) = now(session) {
            if let Arrival::Closed(why) = arrival {
                self.closed(why);
                return Err(());
            }
            self.inbox.take(ConnId(self.conn), arrival);
        }
        match answer {
            Ok(Completion::Ok(_) | Completion::Fail(_) | Completion::Later(_)) => Ok(()),
            Ok(Completion::Info(why) | Completion::Unwritten(why)) => {
                self.closed(Closed::Lost { why });
                Err(())
            }
            Err(_) => {
                self.closed(Closed::Silent);
                Err(())
            }
        }
    }

    /// A barrier on a connection that is to stay; false where it did not.
    async fn round_trip(&mut self, session: &mut Box<dyn Session>) -> bool {
        let alive = self.barrier(session).await.is_ok();
        let good = alive && !self.inbox.is_out_of_order();
        if good {
            for done in self.waiting.drain(..) {
                let _ = done.send(());
            }
        } else {
            if alive {
                session.close().await;
                self.closed(Closed::ByClient);
            }
            self.inbox.end_of_connection();
        }
        self.publish(good);
        good
    }

    async fn wait_to_reconnect(&mut self, commands: &mut mpsc::Receiver<Command>) -> Pause {
        if self.inbox.gave_up() {
            // Whoever waits for it would wait in vain.
            self.waiting.clear();
            return Pause::Command(commands.recv().await);
        }
        // A connection that brought an event was good. That one could be opened, joined and subscribed is half a success.
        if std::mem::replace(&mut self.applied, self.inbox.applied()) != self.inbox.applied() {
            self.backoff.reset();
        }
        let wait = self.backoff.after_failure(self.asked_to_wait.take());
        tokio::select! {
            biased;
            command = commands.recv() => Pause::Command(command),
            () = tokio::time::sleep(wait) => Pause::Reconnect,
        }
    }

    /// Opens a connection. A command to end it is obeyed at once; any other waits until the attempt has ended.
    async fn open_unless_told(&mut self, commands: &mut mpsc::Receiver<Command>) -> Option<Box<dyn Session>> {
        let mut put_off = VecDeque::new();
        let opened = {
            let mut opening = pin!(self.open());
            loop {
                tokio::select! {
                    biased;
                    session = &mut opening => break Ok(session),
                    command = commands.recv() => {
                        let end = match command {
                            Some(Command::Crash(_)) => Some(Closed::Crashed),
                            Some(Command::Disconnect(_)) | None => Some(Closed::ByClient),
                            _ => None,
                        };
                        put_off.extend(command);
                        if let Some(end) = end { break Err(end) }
                    }
                }
            }
        };
        self.put_off.append(&mut put_off);
        let why = match opened {
            Ok(session) => return session,
            Err(why) => why,
        };
        if self.opened == self.conn {
            self.closed(why);
            self.inbox.end_of_connection();
        }
        None
    }

    /// Opens a connection and resumes every stream on it.
    async fn open(&mut self) -> Option<Box<dyn Session>> {
        self.conn += 1;
        let role = role_of(self.inbox.planned());
        let opened = bounds::IN_ALL.within(self.lane.open(&self.endpoint, &role)).await;
        let mut session = match opened {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => {
                self.not_opened(&error);
                return None;
            }
            Err(reached) => {
                self.closed(Closed::NotOpened {
                    why: format!("no answer: {reached}"),
                });
                return None;
            }
        };
        (self.was_let_in, self.refusals, self.opened) = (true, 0, self.conn);
        self.recorder.record(Record::Opened {
            client: self.inbox.client().clone(),
            conn: ConnId(self.conn),
            spoken: session.spoken(),
        });
        let outcome = resume(&mut session, &mut self.inbox, ConnId(self.conn)).await;
        self.after_resume(session, outcome).await
    }

    async fn after_resume(&mut self, mut session: Box<dyn Session>, outcome: Resumed) -> Option<Box<dyn Session>> {
        let kept = match outcome {
            Resumed::Following => !self.inbox.is_out_of_order(),
            Resumed::Ended(why) => {
                self.closed(why);
                self.inbox.end_of_connection();
                return None;
            }
            // Live events may be on their way to close the distance: look again after a round trip.
            Resumed::Behind => {
                if self.barrier(&mut session).await.is_err() {
                    self.inbox.end_of_connection();
                    return None;
                }
                !self.inbox.is_out_of_order() && self.inbox.caught_up_with_heads()
            }
            Resumed::Rewound | Resumed::Refused | Resumed::PutOff => false,
        };
        if kept {
            if self.waiting.is_empty() || self.round_trip(&mut session).await {
                return Some(session);
            }
            return None;
        }
        if self.inbox.is_out_of_order() && self.barrier(&mut session).await.is_err() {
            self.inbox.end_of_connection();
            return None;
        }
        session.close().await;
        self.closed(Closed::ByClient);
        self.inbox.end_of_connection();
        None
    }

    fn not_opened(&mut self, error: &OpenError) {
        self.closed(Closed::NotOpened { why: error.to_string() });
        self.asked_to_wait = error.retry_after;
        if error.retryable {
            return;
        }
        // Whoever let the client in before may refuse it in passing: a load balancer's page, a 403 while keys change.
        self.refusals += 1;
        if !self.was_let_in || self.refusals >= MOST_REFUSALS {
            self.inbox.give_up(error.to_string());
        }
    }

    async fn close(&mut self, session: &mut Option<Box<dyn Session>>) {
        if let Some(mut open) = session.take() {
            for (stream, cursor) in self.inbox.cursors() {
                let _ = bounds::ANSWER
                    .within(open.invoke(&Op::Checkpoint { stream, cursor }))
                    .await;
            }
            open.close().await;
            self.closed(Closed::ByClient);
        }
    }

    fn closed(&self, why: Closed) {
        self.recorder.record(Record::Closed {
            client: self.inbox.client().clone(),
            conn: ConnId(self.conn),
            why,
        });
    }
}

fn role_of(planned: &PlannedClient) -> Role {
    debug_assert_ne!(planned.id.as_str(), WRITER);
    Role::Subscriber {
        client: planned.id.to_string(),
        serializer: planned.serializer,
        compression: planned.compression,
    }
}

/// An arrival that is there already.
pub(super) fn now(session: &mut Box<dyn Session>) -> Option<Arrival> {
    use futures_util::FutureExt;
    session.next().now_or_never()
}
