//! What a client does with an arrival: it hashes, applies, checkpoints and records it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::apply::Applier;
use cutover_core::hash::{Canonicalizer, PayloadHash};
use cutover_core::history::{Closed, Record, Refusal, RewindReason, Verdict, Via};
use cutover_core::ids::{ClientId, ConnId, Cursor, Seq, StreamId, SubId};
use cutover_core::plan::{Habit, PlannedClient};

use super::checkpoints::CheckpointFile;
use super::recorder::Recorder;
use super::status::Status;
use crate::lane::{Arrival, Head};

/// After so many replays in a row without progress, a stream is stuck.
const REPLAYS_WITHOUT_PROGRESS_MAX: u32 = 3;

/// The planned hash and key of every event. A payload's text and an event's key are recorded only where they differ.
pub type PlannedEvents = BTreeMap<(StreamId, Seq), (PayloadHash, String)>;

pub struct Inbox {
    pub planned: PlannedClient,
    events: Arc<PlannedEvents>,
    recorder: Recorder,
    file: CheckpointFile,
    applier: Applier,
    canonicalizer: Canonicalizer,
    streams: BTreeMap<StreamId, StreamProgress>,
    /// Streams that have to be replayed, of those that are not stuck.
    out_of_order: BTreeSet<StreamId>,
    changed: BTreeSet<StreamId>,
    subs: u32,
    pub applied: u64,
    overdue: u32,
    /// Events that have arrived, applied or not.
    pub arrivals: u64,
    pub gave_up: Option<String>,
    /// How long the client is to wait since it was told that it reads too slowly. The lane may then have left something
    /// out, so that the client goes and replays.
    pub told_to_wait: Option<Duration>,
}

#[derive(Default)]
struct StreamProgress {
    sub: SubId,
    resumed_from: Option<Cursor>,
    /// The head that the lane named when it accepted.
    head: Option<Seq>,
    /// The acknowledged head for which the client subscribed anew.
    overdue_head: Option<Seq>,
    ended_at: Option<Cursor>,
    replays_without_progress: u32,
    stuck: bool,
}

impl StreamProgress {
    fn is_behind(&self, cursor: Cursor) -> bool {
        self.head.max(self.overdue_head).is_some_and(|head| cursor.0 < head.0)
    }
}

impl Inbox {
    /// A client that starts from what its checkpoint file holds.
    pub fn new(planned: PlannedClient, events: Arc<PlannedEvents>, recorder: Recorder, file: CheckpointFile) -> Inbox {
        let streams = planned.streams.iter().map(|stream| (stream.clone(), StreamProgress::default())).collect();
        let mut inbox = Inbox {
            planned,
            events,
            recorder,
            file,
            applier: Applier::default(),
            canonicalizer: Canonicalizer::new(),
            streams,
            out_of_order: BTreeSet::new(),
            changed: BTreeSet::new(),
            subs: 0,
            applied: 0,
            overdue: 0,
            arrivals: 0,
            gave_up: None,
            told_to_wait: None,
        };
        inbox.reload();
        inbox
    }

    /// Drops what is in memory and starts from the file, as after a crash.
    pub fn reload(&mut self) {
        match self.file.load() {
            Ok(cursors) => self.applier = Applier::resume(&cursors),
            Err(error) => self.give_up(format!("its checkpoint can't be read: {error}")),
        }
        self.changed.extend(self.streams.keys().cloned());
    }

    /// Overwrites the checkpoint of a stream, in memory and on disk.
    pub fn set_cursor(&mut self, stream: &StreamId, cursor: Cursor) {
        self.applier.set_cursor(stream, cursor);
        self.store(stream);
    }

    pub fn cursors(&self) -> BTreeMap<StreamId, Cursor> {
        self.applier.cursors()
    }

    /// Updates the status. Returns whether anything of it changed.
    pub fn report(&mut self, subscribed: bool, status: &mut Status) -> bool {
        let mut changed =
            status.subscribed != subscribed || status.overdue != self.overdue || status.gave_up != self.gave_up;
        status.set_subscribed(subscribed);
        status.overdue = self.overdue;
        status.gave_up.clone_from(&self.gave_up);
        for stream in std::mem::take(&mut self.changed) {
            changed |= match self.streams.get(&stream).is_some_and(|progress| progress.stuck) {
                true => status.stuck.insert(stream.clone()),
                false => status.stuck.remove(&stream),
            };
            let moved = match self.applier.cursor(&stream) {
                Some(cursor) => status.cursors.insert(stream, cursor) != Some(cursor),
                None => status.cursors.remove(&stream).is_some(),
            };
            status.moves += u64::from(moved);
            changed |= moved;
        }
        changed
    }

    pub fn give_up(&mut self, why: String) {
        self.recorder.record(Record::GaveUp { client: self.client(), why: why.clone(), kept_away_by: None });
        self.gave_up = Some(why);
    }

    /// The lane ended its connection in a way after which a client of this habit does not come back.
    pub fn keep_away(&mut self, habit: &Habit, by: Closed) {
        let why = format!("{} stays away after a connection was {by}", habit.name);
        let (client, kept_away_by) = (self.client(), Some(by));
        self.recorder.record(Record::GaveUp { client, why: why.clone(), kept_away_by });
        self.gave_up = Some(why);
    }

    fn client(&self) -> ClientId {
        self.planned.id.clone()
    }

    pub fn sub_of(&self, stream: &StreamId) -> SubId {
        self.streams.get(stream).map(|progress| progress.sub).unwrap_or_default()
    }

    /// Numbers and records a new subscription of these streams, each from its cursor.
    pub fn begin_subscription(&mut self, conn: ConnId, streams: &[StreamId]) -> Vec<(StreamId, Option<Cursor>)> {
        let mut asked = Vec::with_capacity(streams.len());
        self.out_of_order.clear();
        self.told_to_wait = None;
        for stream in streams.iter().cloned() {
            let cursor = self.applier.cursor(&stream);
            if cursor.is_none() {
                self.applier.begin_bootstrap(&stream);
            }
            self.asked(conn, &stream, cursor);
            asked.push((stream, cursor));
        }
        asked
    }

    /// Numbers and records a subscription.
    fn asked(&mut self, conn: ConnId, stream: &StreamId, cursor: Option<Cursor>) {
        self.subs += 1;
        let progress = self.streams.entry(stream.clone()).or_default();
        progress.sub = SubId(self.subs);
        progress.resumed_from = cursor;
        progress.head = None;
        self.recorder.record(Record::Subscribed {
            client: self.client(),
            conn,
            sub: SubId(self.subs),
            stream: stream.clone(),
            cursor,
        });
    }

    /// A program subscribed to a stream. `anew` says that what it applied before may be gone: it was started again, or
    /// gave up its cursor. Else it drops what it had applied, wherever it resumes from.
    pub fn program_asked(&mut self, conn: ConnId, stream: &StreamId, cursor: Option<Cursor>, anew: bool) {
        let before = self.applier.cursor(stream);
        match cursor {
            Some(cursor) if anew || before.is_none_or(|before| before < cursor) => {
                self.applier.set_cursor(stream, cursor);
            }
            None if anew || before.is_none() => self.applier.begin_bootstrap(stream),
            _ => {}
        }
        self.out_of_order.remove(stream);
        self.asked(conn, stream, cursor);
    }

    pub fn accepted(&mut self, stream: &StreamId, head: Head) {
        let head = match head {
            Head::At(head) => Some(head),
            Head::BelowCursor | Head::Unreported => None,
        };
        let sub = self.sub_of(stream);
        self.recorder.record(Record::Accepted { client: self.client(), sub, stream: stream.clone(), head });
        self.applier.replay_complete(stream);
        if let Some(progress) = self.streams.get_mut(stream) {
            progress.head = head;
        }
        self.store(stream);
    }

    pub fn refused(&self, asked: &[(StreamId, Option<Cursor>)], refusal: &Refusal) {
        for (stream, _) in asked {
            let (client, sub, stream) = (self.client(), self.sub_of(stream), stream.clone());
            self.recorder.record(Record::Refused { client, sub, stream, refusal: refusal.clone() });
        }
    }

    /// Gives up the cursors that the lane called stale, or all where it named none. Returns whether there were any.
    pub fn rewind_stale(&mut self, asked: &[(StreamId, Option<Cursor>)], refusal: &Refusal) -> bool {
        let named =
            |stream: &StreamId| refusal.stale.is_empty() || refusal.stale.iter().any(|stale| stale.stream == *stream);
        let stale: Vec<_> = asked
            .iter()
            .filter(|(stream, cursor)| cursor.is_some() && named(stream))
            .map(|(stream, _)| stream.clone())
            .collect();
        for stream in &stale {
            self.rewind(stream, RewindReason::Stale);
        }
        !stale.is_empty()
    }

    pub fn rewind(&mut self, stream: &StreamId, why: RewindReason) {
        let from = self.applier.cursor(stream).unwrap_or_default();
        self.recorder.record(Record::Rewound { client: self.client(), stream: stream.clone(), from, why });
        self.applier.rewind(stream);
        self.store(stream);
    }

    pub fn unsubscribed(&mut self, streams: &[StreamId]) {
        for stream in streams {
            self.rewind(stream, RewindReason::Unsubscribed);
        }
    }

    /// Whether every stream is at the head that the lane named when it accepted, and at the one for which the client
    /// subscribed anew. A stuck stream counts as being there.
    pub fn caught_up_with_heads(&self) -> bool {
        self.streams.iter().all(|(stream, progress)| {
            let cursor = self.applier.cursor(stream).unwrap_or_default();
            progress.stuck || !progress.is_behind(cursor)
        })
    }

    /// Records which streams are behind these heads, which the next subscription must bring. Returns whether any is.
    pub fn overdue(&mut self, conn: ConnId, heads: &BTreeMap<StreamId, Seq>) -> bool {
        let mut any = false;
        for (stream, head) in heads {
            let cursor = self.applier.cursor(stream).unwrap_or_default();
            let Some(progress) = self.streams.get_mut(stream).filter(|progress| !progress.stuck) else {
                continue;
            };
            if cursor.0 < head.0 {
                progress.overdue_head = Some(*head);
                any = true;
                self.recorder.record(Record::Overdue {
                    client: self.planned.id.clone(),
                    conn,
                    stream: stream.clone(),
                    cursor,
                    head: *head,
                });
            }
        }
        self.overdue += u32::from(any);
        any
    }

    /// Whether a stream that is not stuck has to be replayed, or all may have to.
    pub fn is_out_of_order(&self) -> bool {
        !self.out_of_order.is_empty() || self.told_to_wait.is_some()
    }

    /// A connection ended. Where a stream made no progress on it though more was there, it was replayed in vain.
    pub fn end_of_connection(&mut self) {
        let mut newly_stuck = Vec::new();
        for (stream, progress) in &mut self.streams {
            let cursor = self.applier.cursor(stream);
            let behind = progress.is_behind(cursor.unwrap_or_default());
            // A stream that bootstraps on each connection gets further than its cursor, but no further than last time.
            let no_further = cursor == progress.resumed_from || cursor == progress.ended_at;
            let in_vain = (self.out_of_order.contains(stream) || behind) && no_further;
            progress.ended_at = cursor;
            progress.replays_without_progress = if in_vain { progress.replays_without_progress + 1 } else { 0 };
            if progress.replays_without_progress >= REPLAYS_WITHOUT_PROGRESS_MAX && !progress.stuck {
                progress.stuck = true;
                newly_stuck.push((stream.clone(), cursor.unwrap_or_default()));
            }
        }
        self.out_of_order.clear();
        for (stream, cursor) in newly_stuck {
            self.changed.insert(stream.clone());
            self.recorder.record(Record::Stuck { client: self.client(), stream, cursor });
        }
    }

    /// Takes an arrival that is not the end of the connection. Returns whether all streams are in order.
    pub fn take(&mut self, conn: ConnId, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Event { stream, seq, payload, declared, key, via } => {
                self.event(conn, stream, seq, &payload, (declared, key), via)
            }
            Arrival::Foreign { name, seq, via } => {
                self.recorder.record(Record::Foreign { client: self.client(), conn, name, seq, via })
            }
            Arrival::Contradiction { stream, seq, what, said } => {
                self.recorder.record(Record::Contradicted { client: self.client(), conn, stream, seq, what, said })
            }
            Arrival::Unreadable(what) => {
                self.recorder.record(Record::Unreadable { client: self.client(), conn, what });
            }
            Arrival::Ignored(what) => self.recorder.record(Record::Ignored { client: self.client(), conn, what }),
            Arrival::Struck { strike, wait } => {
                self.told_to_wait = Some(wait);
                self.recorder.record(Record::Struck { client: self.client(), conn, strike });
            }
            Arrival::Closed(_) => {}
        }
        !self.is_out_of_order()
    }

    fn event(
        &mut self,
        conn: ConnId,
        stream: StreamId,
        seq: Seq,
        payload: &str,
        (declared, key): (Option<String>, Option<String>),
        via: Via,
    ) {
        self.arrivals += 1;
        let hash = self.canonicalizer.payload_hash(payload.as_bytes()).ok();
        let declared = declared.filter(|declared| hash.is_none_or(|hash| hash.to_string() != *declared));
        let planned = self.events.get(&(stream.clone(), seq));
        let as_planned = hash.is_some() && planned.map(|(hash, _)| *hash) == hash;
        let key = key.filter(|key| planned.is_none_or(|(_, planned)| planned != key));
        let verdict = self.applier.offer(&stream, seq, || hash.map(|_| ()).ok_or(()));
        if verdict == Verdict::Applied {
            self.applied += 1;
            self.store(&stream);
        }
        if !matches!(verdict, Verdict::Applied | Verdict::Duplicate)
            && self.streams.get(&stream).is_some_and(|progress| !progress.stuck)
        {
            self.out_of_order.insert(stream.clone());
        }
        let sub = self.sub_of(&stream);
        let payload = (!as_planned).then(|| payload.to_owned());
        let client = self.client();
        self.recorder.record(Record::Delivered {
            client,
            conn,
            sub,
            stream,
            seq,
            hash,
            declared,
            key,
            via,
            verdict,
            payload,
        });
    }

    fn store(&mut self, stream: &StreamId) {
        self.changed.insert(stream.clone());
        if let Err(error) = self.file.store(stream, self.applier.cursor(stream)) {
            self.give_up(format!("its checkpoint can't be written: {error}"));
        }
    }
}
