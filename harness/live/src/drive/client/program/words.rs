//! The words of a program: lines of JSON on its standard output.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::Read;

use cutover_core::hash::{Canonicalizer, PayloadHash};
use cutover_core::history::{Record, RewindReason, Word};
use cutover_core::ids::{Cursor, Seq, StreamId, SubId};
use cutover_core::text::{cut, visible};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::drive::inbox::Inbox;
use crate::drive::recorder::Recorder;
use crate::drive::status::Status;

/// The largest payload of a scenario has 1 MiB, and a program may escape what it likes.
const LINE_MAX_BYTES: usize = 8 << 20;
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

pub(super) type Subscriptions = Vec<(StreamId, Option<Cursor>, SubId)>;

pub(super) struct State {
    pub(super) inbox: Inbox,
    pub(super) recorder: Recorder,
    pub(super) canonicalizer: Canonicalizer,
    pub(super) streams: BTreeMap<String, StreamId>,
    pub(super) output: Option<File>,
    pub(super) unread: Vec<u8>,
    pub(super) words: u64,
    /// The connection on which WebSocket messages came last.
    pub(super) conn: Option<Conn>,
    /// Connections without a message yet, with their beginnings. Some carry calls over HTTP and never have one.
    pub(super) pending: BTreeMap<u32, Instant>,
    pub(super) last_number: u32,
    pub(super) last_end: Option<Instant>,
    /// When a connection ended that followed all streams, while no other was begun.
    pub(super) lost: Option<Instant>,
    pub(super) applied: BTreeMap<StreamId, u64>,
    /// Streams whose memory may be gone: it was started again, or gave up its cursor.
    pub(super) anew: BTreeSet<StreamId>,
    pub(super) ending: bool,
    pub(super) failure: Option<String>,
    pub(super) pong: u64,
    pub(super) closed: bool,
    pub(super) stuck: BTreeSet<StreamId>,
    pub(super) moves: u64,
}

#[derive(Default)]
pub(super) struct Conn {
    pub(super) number: u32,
    /// The code of the lane's close frame.
    pub(super) close_code: Option<u16>,
    /// Whether the program sent a close frame first.
    pub(super) leaves: bool,
    pub(super) check: Subscriptions,
    pub(super) asked: VecDeque<Subscriptions>,
    pub(super) subscribed: BTreeSet<StreamId>,
    pub(super) accepted: BTreeSet<StreamId>,
}

impl State {
    pub(super) fn new(inbox: Inbox, recorder: Recorder) -> State {
        State {
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
            lost: None,
            applied: BTreeMap::new(),
            anew: BTreeSet::new(),
            ending: false,
            failure: None,
            pong: 0,
            closed: true,
            stuck: BTreeSet::new(),
            moves: 0,
        }
    }

    pub(super) fn status(&self) -> Status {
        Status {
            subscribed: self.conn.as_ref().is_some_and(|conn| self.follows(conn)),
            ends: 0,
            cursors: self.applied.iter().map(|(stream, seq)| (stream.clone(), Cursor(*seq))).collect(),
            moves: self.moves,
            stuck: self.stuck.clone(),
            overdue: 0,
            gave_up: self.failure.clone(),
            delivered: Some(self.inbox.cursors()),
        }
    }

    pub(super) fn follows(&self, conn: &Conn) -> bool {
        self.inbox.planned.streams.iter().all(|stream| conn.accepted.contains(stream))
    }

    pub(super) fn applied_of(&self, stream: &StreamId) -> u64 {
        self.applied.get(stream).copied().unwrap_or(0)
    }

    pub(super) fn note(&self, word: Word) {
        self.recorder.record(Record::Program { client: self.inbox.planned.id.clone(), word });
    }

    pub(super) fn fail(&mut self, why: String) {
        if self.failure.is_none() {
            self.inbox.give_up(why.clone());
            self.failure = Some(why);
        }
    }

    pub(super) fn hear(&mut self) {
        let mut bytes = [0; 16 * 1024];
        while let Some(output) = &mut self.output {
            match output.read(&mut bytes) {
                Ok(0) => self.output = None,
                Ok(read) => {
                    self.unread.extend_from_slice(&bytes[..read]);
                    if bytes[..read].contains(&b'\n') || self.unread.len() > LINE_MAX_BYTES {
                        self.lines();
                    }
                    if self.failure.is_some() {
                        // Nothing more of it is read, however much it writes.
                        self.output = None;
                    }
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

    pub(super) fn line(&mut self, line: &[u8]) {
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
                // What never came is judged, and not waited for.
                let came = self.inbox.cursors().get(&stream).is_some_and(|cursor| seq.0 <= cursor.0);
                let applied = self.applied.entry(stream.clone()).or_default();
                if came && seq.0 > *applied {
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
}
