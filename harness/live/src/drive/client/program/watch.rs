//! What comes to a program on the wire, and what the program says of it, in one order of cause and effect: a delivery
//! is recorded before it goes on to the program, and all words that were said before a message are read before it
//! goes on to the lane. [`State`] is what is known of both.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_core::history::{Closed, Word};
use cutover_core::ids::StreamId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::words::State;
use crate::drive::inbox::Inbox;
use crate::drive::recorder::Recorder;
use crate::drive::status::Status;
use crate::frame::View;
use crate::proxy::Observer;

pub(super) struct Watch {
    state: Mutex<State>,
    status: watch::Sender<Status>,
    /// The last ping that was answered, and whether it has closed: it said so, and its connection is gone.
    heard: watch::Sender<(u64, bool)>,
}

impl Watch {
    pub(super) fn new(inbox: Inbox, recorder: Recorder) -> Watch {
        let watch = Watch {
            state: Mutex::new(State::new(inbox, recorder)),
            status: watch::Sender::default(),
            heard: watch::Sender::default(),
        };
        watch.with(|_| ());
        watch
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, and reports what changed by it.
    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let outcome = what(&mut state);
        let status = state.status();
        self.status.send_if_modified(|before| {
            let ends = before.ends + u64::from(before.subscribed && !status.subscribed);
            let status = Status { ends, ..status };
            let changed = *before != status;
            *before = status;
            changed
        });
        let heard = (state.pong, state.closed && state.conn.is_none());
        self.heard.send_if_modified(|before| std::mem::replace(before, heard) != heard);
        outcome
    }

    pub(super) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(super) fn streams(&self) -> Vec<StreamId> {
        self.lock().inbox.planned.streams.clone()
    }

    pub(super) fn name(&self, names: Vec<(StreamId, String)>) {
        self.lock().streams = names.into_iter().map(|(stream, name)| (name, stream)).collect();
    }

    /// The streams, each with its name in the words.
    pub(super) fn names(&self) -> BTreeMap<StreamId, String> {
        self.lock().streams.iter().map(|(name, stream)| (stream.clone(), name.clone())).collect()
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    pub(super) fn fail(&self, why: String) {
        self.with(|state| state.fail(why));
    }

    pub(super) fn note(&self, word: Word) {
        self.with(|state| state.note(word));
    }

    pub(super) fn is_subscribed(&self) -> bool {
        self.status.borrow().subscribed
    }

    pub(super) async fn changed(&self) {
        let _ = self.status.subscribe().changed().await;
    }

    /// Returns once a ping is answered; false where the program failed before that.
    pub(super) async fn answered(&self, ping: u64) -> bool {
        let (mut heard, mut status) = (self.heard.subscribe(), self.status.subscribe());
        tokio::select! {
            answered = heard.wait_for(|(pong, _)| *pong >= ping) => answered.is_ok(),
            _ = status.wait_for(|status| status.gave_up.is_some()) => false,
        }
    }

    /// Returns once it said that it has closed, and its connection is gone.
    pub(super) async fn is_closed(&self) {
        let (mut heard, mut status) = (self.heard.subscribe(), self.status.subscribe());
        tokio::select! {
            _ = heard.wait_for(|(_, closed)| *closed) => {}
            _ = status.wait_for(|status| status.gave_up.is_some()) => {}
        }
    }

    /// Whether it has said something of all that a right client would have applied by now.
    pub(super) fn is_handled(&self) -> bool {
        let state = self.lock();
        state.inbox.cursors().iter().all(|(stream, cursor)| state.applied_of(stream) >= cursor.0)
    }

    pub(super) fn applied(&self, stream: &StreamId) -> u64 {
        self.lock().applied_of(stream)
    }

    pub(super) fn came(&self, stream: &StreamId) -> u64 {
        self.lock().inbox.cursors().get(stream).map_or(0, |cursor| cursor.0)
    }

    pub(super) fn stuck(&self, stream: &StreamId) {
        self.with(|state| drop(state.stuck.replace(stream.clone())));
    }

    /// How long ago it lost a connection that followed its streams, without an attempt to reconnect since then.
    pub(super) fn lost_for(&self) -> Duration {
        self.lock().lost.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn told_to_open(&self) {
        self.with(|state| {
            (state.closed, state.last_end, state.lost) = (false, None, None);
        });
    }

    pub(super) fn told_to_close(&self) {
        self.with(|state| (state.closed, state.lost) = (false, None));
    }

    /// `output` is read from now on; a client of the harness has none, and gives its words to [`Watch::said`].
    pub(super) fn started(&self, output: Option<File>) {
        self.with(|state| {
            (state.output, state.ending, state.last_end, state.lost) = (output, false, None, None);
            state.unread.clear();
            state.anew = state.inbox.planned.streams.iter().cloned().collect();
            state.note(Word::Started);
        });
    }

    pub(super) fn said(&self, line: &str) {
        self.with(|state| state.line(line.as_bytes()));
    }

    /// Reads what it said; true where nothing more will come.
    pub(super) fn hear(&self) -> bool {
        self.with(|state| {
            state.hear();
            state.output.is_none()
        })
    }

    pub(super) fn ending(&self) {
        self.lock().ending = true;
    }

    /// Its process is gone, or can't be heard any more.
    pub(super) fn gone(&self, how: &str) {
        self.with(|state| {
            if !state.ending {
                state.fail(format!("its program {how}"));
            }
        });
    }

    /// It was killed; what it held in memory is gone.
    pub(super) fn killed(&self, why: Closed) {
        self.with(|state| {
            state.hear();
            state.output = None;
            state.pending.clear();
            state.end_connection(None, why);
        });
    }
}

impl Observer for Watch {
    fn connected(&self, conn: u32) {
        self.with(|state| {
            state.hear();
            state.lost = None;
            state.pending.insert(conn, Instant::now());
        });
    }

    fn message(&self, conn: u32, view: &View<'_>) {
        self.with(|state| {
            state.hear();
            state.message(conn, view);
        });
    }

    fn ended(&self, conn: u32, by_client: bool) {
        self.with(|state| {
            state.hear();
            let code = state.conn.as_ref().and_then(|conn| conn.close_code);
            let leaves = state.conn.as_ref().is_some_and(|conn| conn.leaves);
            let why = match code {
                _ if state.ending => Closed::Crashed,
                _ if by_client || leaves => Closed::ByClient,
                Some(code) => Closed::CloseFrame { code },
                None => Closed::Lost { why: "the connection ended".to_owned() },
            };
            match state.pending.remove(&conn) {
                Some(began) if !by_client => state.not_opened(conn, began, &why),
                Some(_) => {}
                None => state.end_connection(Some(conn), why),
            }
        });
    }
}
