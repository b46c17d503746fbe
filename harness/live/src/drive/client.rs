//! One subscribing client: it connects, resumes from its checkpoint, applies what comes, and recovers by itself from
//! whatever is done to it. It is an actor; the script speaks to it through [`ClientHandle`].
//!
//! A client recovers from anything out of order by a new connection from its watermark, never on the same one: what the
//! old subscription still had in flight then can't be taken for what the new one replays.

mod connect;
mod resubscribe;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{Closed, Record};
use cutover_core::ids::{ConnId, Cursor, Seq, StreamId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::inbox::Inbox;
use super::recorder::Recorder;
use super::status::Status;
use crate::bounds::{self, Bound};
use crate::lane::{Arrival, Endpoint, Lane, OpError, SubscriberSession};

/// How often an idle client asks whether the lane is alive.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(700);
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
        ClientHandle { commands, status, task: tokio::spawn(actor.run(inbound)) }
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
        session: &mut Option<Box<dyn SubscriberSession>>,
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
    async fn look_twice(&mut self, session: &mut Box<dyn SubscriberSession>, heads: &BTreeMap<StreamId, Seq>) -> bool {
        let before = self.inbox.arrivals();
        let started = Instant::now();
        if !self.round_trip(session).await {
            return false;
        }
        let least = bounds::SECOND_LOOK;
        let pause = Bound { time: least.time.max(started.elapsed() * SECOND_LOOK_TIMES), ..least };
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
    async fn listen(
        &mut self,
        session: &mut Box<dyn SubscriberSession>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Pause {
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
    async fn give_up(&mut self, session: &mut Box<dyn SubscriberSession>) -> Pause {
        if self.inbox.is_out_of_order() && self.barrier(session).await.is_ok() {
            session.close().await;
            self.closed(Closed::ByClient);
        }
        self.inbox.end_of_connection();
        Pause::Ended
    }

    /// A heartbeat and all that came before its answer.
    async fn barrier(&mut self, session: &mut Box<dyn SubscriberSession>) -> Result<(), ()> {
        let answer = bounds::IN_ALL.within(session.heartbeat()).await;
        // What was queued up to the answer is taken even where there was none: it did arrive.
        while let Some(arrival) = now(session) {
            if let Arrival::Closed(why) = arrival {
                self.closed(why);
                return Err(());
            }
            self.inbox.take(ConnId(self.conn), arrival);
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

    /// A barrier on a connection that is to stay; false where it did not.
    async fn round_trip(&mut self, session: &mut Box<dyn SubscriberSession>) -> bool {
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

    async fn close(&mut self, session: &mut Option<Box<dyn SubscriberSession>>) {
        if let Some(mut open) = session.take() {
            for (stream, cursor) in self.inbox.cursors() {
                let _ = bounds::ANSWER.within(open.checkpoint(&stream, cursor)).await;
            }
            open.close().await;
            self.closed(Closed::ByClient);
        }
    }

    fn closed(&self, why: Closed) {
        self.recorder.record(Record::Closed { client: self.inbox.client().clone(), conn: ConnId(self.conn), why });
    }
}

/// An arrival that is there already.
pub(super) fn now(session: &mut Box<dyn SubscriberSession>) -> Option<Arrival> {
    use futures_util::FutureExt;
    session.next().now_or_never()
}
