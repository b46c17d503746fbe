//! What comes to a program on the wire, and what the program says of it, in one order of cause and effect: a delivery is
//! recorded before it goes on to the program, and all words that were said before a message are read before it goes on
//! to the lane.
//!
//! An apply engine of the harness takes the same deliveries. Its verdicts are what a right client makes of them, and by
//! these the lane is judged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cutover_core::hash::{Canonicalizer, PayloadHash};
use cutover_core::history::{Closed, Record, Refusal, RewindReason, Word};
use cutover_core::ids::{ConnId, Cursor, Seq, StreamId, SubId};
use cutover_core::plan::MessageKind;
use cutover_core::text::{cut, visible};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::drive::inbox::Inbox;
use crate::drive::recorder::Recorder;
use crate::drive::status::Status;
use crate::frame::{Body, Direction, FrameTag, View};
use crate::lane::{Arrival, Head};
use crate::proxy::Observer;

/// The reducer that checks cursors, before a subscription that has them too.
const CHECK: &str = "resume_stream";
const LINE_MAX_BYTES: usize = 1 << 20;
/// How many words a program may say beside some for each event that came.
const WORDS_MAX: u64 = 10_000;
const WORDS_PER_EVENT: u64 = 20;
const SHOWN_CHARS: usize = 120;

/// A line of a program.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    stream: Option<String>,
    seq: Option<u64>,
    hash: Option<String>,
    payload: Option<Box<RawValue>>,
    id: Option<u64>,
    reason: Option<String>,
    message: Option<String>,
}

pub(super) struct Watch {
    state: Mutex<State>,
    status: watch::Sender<Status>,
    /// The last ping that was answered, and whether it has closed: it said so, and its connection is gone.
    heard: watch::Sender<(u64, bool)>,
}

type Subscriptions = Vec<(StreamId, Option<Cursor>, SubId)>;

struct State {
    inbox: Inbox,
    recorder: Recorder,
    canonicalizer: Canonicalizer,
    streams: BTreeMap<String, StreamId>,
    output: Option<File>,
    unread: Vec<u8>,
    words: u64,
    /// The connection on which WebSocket messages came last.
    conn: Option<Conn>,
    /// Connections without a message yet, with their beginnings. Some carry calls over HTTP and never have one.
    pending: BTreeMap<u32, Instant>,
    last_number: u32,
    last_end: Option<Instant>,
    applied: BTreeMap<StreamId, u64>,
    /// Streams whose memory may be gone: it was started again, or gave up its cursor.
    anew: BTreeSet<StreamId>,
    ending: bool,
    failure: Option<String>,
    pong: u64,
    closed: bool,
    stuck: BTreeSet<StreamId>,
    moves: u64,
}

#[derive(Default)]
struct Conn {
    number: u32,
    close_code: Option<u16>,
    check: Subscriptions,
    asked: VecDeque<Subscriptions>,
    subscribed: BTreeSet<StreamId>,
    accepted: BTreeSet<StreamId>,
}

impl Watch {
    pub(super) fn new(inbox: Inbox, recorder: Recorder) -> Watch {
        let state = State {
            inbox,
            recorder,
            canonicalizer: Canonicalizer::new(),
            streams: BTreeMap::new(),
            output: None,
            unread: Vec::new(),
            words: 0,
            conn: None,
            pending: BTreeMap::new(),
            last_number: 0,
            last_end: None,
            applied: BTreeMap::new(),
            anew: BTreeSet::new(),
            ending: false,
            failure: None,
            pong: 0,
            closed: true,
            stuck: BTreeSet::new(),
            moves: 0,
        };
        let watch =
            Watch { state: Mutex::new(state), status: watch::Sender::default(), heard: watch::Sender::default() };
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
        self.with(|state| state.stuck.insert(stream.clone()));
    }

    pub(super) fn told_to_open(&self) {
        self.with(|state| {
            (state.closed, state.last_end) = (false, None);
        });
    }

    pub(super) fn told_to_close(&self) {
        self.with(|state| state.closed = false);
    }

    pub(super) fn started(&self, output: File) {
        self.with(|state| {
            (state.output, state.ending, state.last_end) = (Some(output), false, None);
            state.unread.clear();
            state.anew = state.inbox.planned.streams.iter().cloned().collect();
            state.note(Word::Started);
        });
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
    pub(super) fn ended(&self, why: Closed) {
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
            let why = match code {
                _ if state.ending => Closed::Crashed,
                _ if by_client => Closed::ByClient,
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

impl State {
    fn status(&mut self) -> Status {
        let streams = &self.inbox.planned.streams;
        let follows = |conn: &Conn| streams.iter().all(|stream| conn.accepted.contains(stream));
        Status {
            subscribed: self.conn.as_ref().is_some_and(follows),
            cursors: self.applied.iter().map(|(stream, seq)| (stream.clone(), Cursor(*seq))).collect(),
            moves: self.moves,
            stuck: self.stuck.clone(),
            overdue: 0,
            gave_up: self.failure.clone(),
            delivered: Some(self.inbox.cursors()),
        }
    }

    fn applied_of(&self, stream: &StreamId) -> u64 {
        self.applied.get(stream).copied().unwrap_or(0)
    }

    fn note(&self, word: Word) {
        self.recorder.record(Record::Program { client: self.inbox.planned.id.clone(), word });
    }

    fn fail(&mut self, why: String) {
        if self.failure.is_none() {
            self.inbox.give_up(why.clone());
            self.failure = Some(why);
        }
    }

    fn hear(&mut self) {
        let mut bytes = [0; 16 * 1024];
        while let Some(output) = &mut self.output {
            match output.read(&mut bytes) {
                Ok(0) => self.output = None,
                Ok(read) => {
                    self.unread.extend_from_slice(&bytes[..read]);
                    self.lines();
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.output = None,
            }
        }
    }

    fn lines(&mut self) {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            if self.failure.is_none() && !line.trim_ascii().is_empty() {
                self.line(line.trim_ascii());
            }
        }
        if self.unread.len() > LINE_MAX_BYTES || self.failure.is_some() {
            self.unread.clear();
            self.fail(format!("its program wrote a line of more than {LINE_MAX_BYTES} bytes"));
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.words += 1;
        if self.words > WORDS_MAX + WORDS_PER_EVENT * self.inbox.arrivals {
            return self.fail(format!("its program wrote {} lines, far more than events came", self.words));
        }
        let word = match serde_json::from_slice::<Line>(line) {
            Ok(line) => self.word(line),
            Err(error) => Err(error.to_string()),
        };
        match word {
            Ok(Some(word)) => self.note(word),
            Ok(None) => {}
            Err(why) => {
                let shown = cut(&visible(&String::from_utf8_lossy(line)), SHOWN_CHARS);
                self.fail(format!("its program wrote a line that is none of docs/CLIENTS.md, {why}: `{shown}`"));
            }
        }
    }

    /// What a line says, where it is for the history.
    fn word(&mut self, line: Line) -> Result<Option<Word>, String> {
        let about = || {
            let name = line.stream.as_deref().ok_or("it has no `stream`")?;
            let stream = self.streams.get(name).ok_or_else(|| format!("no stream is called `{name}`"))?;
            Ok::<_, String>((stream.clone(), line.seq.map(Seq).ok_or("it has no `seq`")?))
        };
        Ok(Some(match line.kind.as_str() {
            "opened" => return Ok(None),
            "applied" => {
                let (stream, seq) = about()?;
                let hash = match (&line.payload, &line.hash) {
                    (Some(payload), _) => {
                        let hash = self.canonicalizer.payload_hash(payload.get().as_bytes());
                        Some(hash.map_err(|error| error.to_string())?)
                    }
                    (None, Some(hash)) => Some(hash.parse::<PayloadHash>().map_err(|error| error.to_string())?),
                    (None, None) => None,
                };
                let applied = self.applied.entry(stream.clone()).or_default();
                if seq.0 > *applied {
                    *applied = seq.0;
                    self.moves += 1;
                }
                Word::Applied { stream, seq, hash }
            }
            "duplicate" => {
                let (stream, seq) = about()?;
                Word::Duplicate { stream, seq }
            }
            "checkpoint" => {
                let (stream, seq) = about()?;
                Word::Checkpoint { stream, seq }
            }
            "rebootstrap" => {
                let name = line.stream.ok_or("it has no `stream`")?;
                let stream = self.streams.get(&name).cloned().ok_or_else(|| format!("no stream is called `{name}`"))?;
                self.starts_anew(stream, line.reason.unwrap_or_default());
                return Ok(None);
            }
            "pong" => {
                self.pong = self.pong.max(line.id.ok_or("it has no `id`")?);
                return Ok(None);
            }
            "closed" => {
                self.closed = true;
                Word::Closed
            }
            "error" => {
                self.fail(format!("its program says: {}", line.message.unwrap_or_default()));
                return Ok(None);
            }
            _ => return Err("its `type` is unknown".to_owned()),
        }))
    }

    fn starts_anew(&mut self, stream: StreamId, reason: String) {
        self.anew.insert(stream.clone());
        self.applied.remove(&stream);
        self.moves += 1;
        self.note(Word::Rebootstrap { stream: stream.clone(), reason });
        self.inbox.rewind(&stream, RewindReason::Stale);
    }

    fn end_connection(&mut self, number: Option<u32>, why: Closed) {
        let Some(conn) = self.conn.take_if(|conn| number.is_none_or(|number| conn.number == number)) else { return };
        self.last_end = Some(Instant::now());
        let client = self.inbox.planned.id.clone();
        self.recorder.record(Record::Closed { client, conn: ConnId(conn.number), why });
    }

    /// It began to connect, and how long after its last connection.
    fn attempted(&mut self, number: u32, began: Instant) {
        let after = self.last_end.map(|end| began.saturating_duration_since(end));
        let after_us = after.map(|after| u64::try_from(after.as_micros()).unwrap_or(u64::MAX));
        self.note(Word::Attempted { after_us });
        self.last_number = number;
    }

    /// The lane took no connection of it, or ended it before a message.
    fn not_opened(&mut self, number: u32, began: Instant, why: &Closed) {
        if self.conn.is_some() || number <= self.last_number {
            return;
        }
        self.attempted(number, began);
        self.last_end = Some(Instant::now());
        let (client, why) = (self.inbox.planned.id.clone(), Closed::NotOpened { why: why.to_string() });
        self.recorder.record(Record::Closed { client, conn: ConnId(number), why });
    }

    /// The first message of a connection. A program follows its streams on one at a time.
    fn opened(&mut self, number: u32, began: Instant) {
        if number <= self.last_number {
            return;
        }
        self.end_connection(None, Closed::ByClient);
        self.attempted(number, began);
        self.conn = Some(Conn { number, ..Conn::default() });
        let client = self.inbox.planned.id.clone();
        self.recorder.record(Record::Opened { client, conn: ConnId(number), spoken: None });
    }

    fn message(&mut self, number: u32, view: &View<'_>) {
        if let Some(began) = self.pending.remove(&number) {
            self.opened(number, began);
        }
        let Some(conn) = self.conn.as_mut().filter(|conn| conn.number == number) else { return };
        match (view.frame().direction, view.tag()) {
            (Direction::Upstream, FrameTag::Resume { cursors, .. }) => {
                let is_check = view.contents().names.iter().any(|name| name == CHECK);
                self.asks(number, cursors, is_check);
            }
            (Direction::Upstream, _) if view.facts().kinds.has(MessageKind::Resume) => {
                conn.asked.push_back(Vec::new());
            }
            (Direction::Downstream, tag) => {
                if let Body::Close(payload) = &view.frame().body {
                    let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                    conn.close_code = Some(code.unwrap_or(1005));
                }
                if let FrameTag::Delivery { via, .. } = tag {
                    let via = *via;
                    for event in &view.contents().events {
                        if let Some(seq) = event.seq {
                            self.delivered(number, (&event.stream, seq), &event.payload, via);
                        }
                    }
                }
                if view.facts().kinds.has(MessageKind::ResumeReply) || matches!(tag, FrameTag::Delivery { .. }) {
                    match view.answer() {
                        Some(Ok(heads)) => self.accepted(&heads),
                        Some(Err(refusal)) => self.refused(&refusal),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn asks(&mut self, number: u32, cursors: &[(StreamId, Option<Cursor>)], is_check: bool) {
        let mut asked = Subscriptions::new();
        for (stream, cursor) in cursors {
            if !self.inbox.planned.streams.contains(stream) {
                continue;
            }
            let Some(conn) = &mut self.conn else { return };
            let checked = conn.check.iter().position(|(of, at, _)| of == stream && at == cursor);
            if let Some(place) = checked.filter(|_| !is_check) {
                asked.push(conn.check.remove(place));
                continue;
            }
            conn.subscribed.insert(stream.clone());
            conn.accepted.remove(stream);
            let anew = self.anew.remove(stream);
            self.inbox.program_asked(ConnId(number), stream, *cursor, anew);
            if anew {
                self.applied.insert(stream.clone(), cursor.map_or(0, |cursor| cursor.0));
                self.moves += 1;
            }
            asked.push((stream.clone(), *cursor, self.inbox.sub_of(stream)));
        }
        if let Some(conn) = &mut self.conn {
            match is_check {
                true => conn.check = asked,
                false => conn.asked.push_back(asked),
            }
        }
    }

    fn accepted(&mut self, heads: &[(StreamId, Seq)]) {
        let Some(conn) = &mut self.conn else { return };
        for (stream, _, sub) in conn.asked.pop_front().unwrap_or_default() {
            if self.inbox.sub_of(&stream) == sub && conn.accepted.insert(stream.clone()) {
                let head = heads.iter().find(|(named, _)| *named == stream);
                self.inbox.accepted(&stream, head.map_or(Head::Unreported, |(_, head)| Head::At(*head)));
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let Some(conn) = &mut self.conn else { return };
        let refused = match conn.check.is_empty() {
            false => std::mem::take(&mut conn.check),
            true => conn.asked.pop_front().unwrap_or_default(),
        };
        let current = refused.into_iter().filter(|(stream, _, sub)| self.inbox.sub_of(stream) == *sub);
        let asked: Vec<(StreamId, Option<Cursor>)> = current.map(|(stream, cursor, _)| (stream, cursor)).collect();
        self.inbox.refused(&asked, refusal);
    }

    fn delivered(&mut self, number: u32, (stream, seq): (&StreamId, Seq), payload: &str, via: cutover_core::history::Via) {
        let subscribed = self.conn.as_ref().is_some_and(|conn| conn.subscribed.contains(stream));
        let conn = ConnId(number);
        let arrival = match subscribed {
            true => {
                let (stream, payload) = (stream.clone(), payload.to_owned());
                Arrival::Event { stream, seq, payload, declared: None, key: None, via }
            }
            false => Arrival::Ignored(format!("event {seq} of {stream}, which was not subscribed on this connection")),
        };
        self.inbox.take(conn, arrival);
    }
}
