//! Reads what the lane stores, on a connection of its own that no fault disturbs, and compares each event with the one
//! that was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::hash::payload_hash;
use cutover_core::history::{Differs, Stored};
use cutover_core::ids::{ClientId, Seq, StreamId};
use cutover_core::plan::{self, Plan};

use super::recorder::Recorder;
use super::route::Route;
use super::stack::{DriveError, LaneStack};
use crate::bounds;
use crate::clock::wall_clock_us;
use crate::lane::{Lane, Shown, ShownEvent, ShownKey, WriterSession};

/// The name of its proxy. No client of a plan has a blank in its name.
const NAME: &str = "the inspector";

const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// So many events in a row with the time of the one before have none of their own. Each has its own call.
const CLOCK_STANDS: u32 = 8;
/// How far a commit time may lie behind that of an earlier event: a server takes the time of a call before it runs it.
const CLOCK_SLACK_US: i64 = 1_000_000;
/// How far a commit time may lie from our own clock.
const CLOCK_APART_US: i64 = 24 * 60 * 60 * 1_000_000;

pub struct Inspector {
    lane: Arc<dyn Lane>,
    route: Route,
    session: Option<Box<dyn WriterSession>>,
    streams: BTreeMap<StreamId, BTreeMap<u64, Known>>,
    /// Whether the lane showed nothing when it was first asked.
    shows_nothing: bool,
}

/// An event as it was acknowledged first.
struct Known {
    key: String,
    payload: String,
    hash: Option<String>,
    /// When it was committed, by the row that was read first.
    committed_at: Option<i64>,
}

impl Inspector {
    pub async fn start(
        plans: (&Plan, &plan::Case),
        stack: &LaneStack,
        recorder: &Recorder,
    ) -> Result<Inspector, DriveError> {
        let route = Route::start(&ClientId::new(NAME), plans, (stack, &stack.writer), recorder).await?;
        let (lane, streams) = (stack.lane.clone(), BTreeMap::new());
        Ok(Inspector { lane, route, session: None, streams, shows_nothing: false })
    }

    /// Notes an event. What was acknowledged first under a seq is what has to stay there.
    pub fn acknowledged(&mut self, stream: &StreamId, seq: Seq, key: &str, payload: &str) {
        let known = || Known {
            key: key.to_owned(),
            payload: payload.to_owned(),
            hash: payload_hash(payload.as_bytes()).ok().map(|hash| hash.to_string()),
            committed_at: None,
        };
        self.streams.entry(stream.clone()).or_default().entry(seq.0).or_insert_with(known);
    }

    /// What the lane stores of a stream; `None` where it does not show that.
    pub async fn inspect(&mut self, stream: &StreamId) -> Result<Option<Stored>, String> {
        if self.shows_nothing {
            return Ok(None);
        }
        let mut wait = FIRST_WAIT;
        for tries in 1.. {
            let why = match bounds::WRITE.within(self.shown(stream)).await {
                Ok(Ok(Some(shown))) => return Ok(Some(self.compared(stream, shown))),
                Ok(Ok(None)) => {
                    self.shows_nothing = self.streams.contains_key(stream);
                    return Ok(None);
                }
                Ok(Err(why)) => why,
                Err(reached) => reached.to_string(),
            };
            self.session = None;
            if tries == TRIES {
                return Err(why);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Ok(None)
    }

    async fn shown(&mut self, stream: &StreamId) -> Result<Option<Shown>, String> {
        let session = match self.session.as_mut() {
            Some(session) => session,
            None => {
                let opened = self.lane.writer(&self.route.endpoint()).await;
                self.session.insert(opened.map_err(|error| error.to_string())?)
            }
        };
        session.stored(stream).await.map_err(|error| error.what())
    }

    fn compared(&mut self, stream: &StreamId, shown: Shown) -> Stored {
        let known = self.streams.entry(stream.clone()).or_default();
        let mut differs: Vec<(Option<u64>, Differs)> =
            shown.differs.into_iter().map(|differs| (None, differs)).collect();
        if let Some(keys) = &shown.keys {
            compare_keys(known, keys, &mut differs);
        }
        differs.extend(compare_times(shown.events.as_deref().unwrap_or_default()));
        for event in shown.events.iter().flatten() {
            let mut found = Vec::new();
            compare(known.get_mut(&event.seq), event, &mut found);
            differs.extend(found.into_iter().map(|differs| (Some(event.seq), differs)));
        }
        Stored {
            head: shown.head,
            oldest: shown.oldest,
            retention: shown.retention,
            replay_budget: shown.replay_budget,
            class: shown.class,
            events: shown.events.map(|events| ranges(events.iter().map(|event| event.seq))),
            checkpoints: shown.checkpoints,
            differs,
        }
    }

    /// The names of the connections that the lane lists; `None` where it does not list them. An error is no answer.
    pub async fn connections(&mut self) -> Result<Option<Vec<String>>, ()> {
        if self.session.is_none() {
            self.session = Some(self.lane.writer(&self.route.endpoint()).await.map_err(drop)?);
        }
        let session = self.session.as_mut().ok_or(())?;
        match bounds::WRITE.within(session.connections()).await {
            Ok(Ok(listed)) => Ok(listed),
            _ => {
                self.session = None;
                Err(())
            }
        }
    }

    pub async fn end(self) {
        drop(self.session);
        self.route.shutdown().await;
    }
}

fn compare(known: Option<&mut Known>, event: &ShownEvent, differs: &mut Vec<Differs>) {
    let mut check = |field: &str, expected: &str, got: &str| {
        if expected != got {
            differs.push(Differs::new(field, expected, got));
        }
    };
    if event.confirmed_read == Some(false) {
        check("confirmed_read", "true", "false");
    }
    let now = i64::try_from(wall_clock_us()).unwrap_or(i64::MAX);
    if let Some(time) = event.committed_at.filter(|time| now.abs_diff(*time) > CLOCK_APART_US.unsigned_abs()) {
        check("committed_at", &format!("about {now}"), &time.to_string());
    }
    let Some(known) = known else {
        return check("idempotency_key", "", &event.key);
    };
    check("idempotency_key", &known.key, &event.key);
    check("payload", &known.payload, &event.payload);
    if let (Some(hash), Some(stored)) = (&known.hash, &event.payload_hash) {
        check("payload_hash", hash, stored);
    }
    if let Some(time) = event.committed_at {
        let first = *known.committed_at.get_or_insert(time);
        check("committed_at", &first.to_string(), &time.to_string());
    }
}

/// Commit times do not go back, and do not stand still.
fn compare_times(events: &[ShownEvent]) -> Vec<(Option<u64>, Differs)> {
    let (mut differs, mut latest, mut equal) = (Vec::new(), i64::MIN, 0);
    for (seq, time) in events.iter().filter_map(|event| Some((event.seq, event.committed_at?))) {
        let mut differ = |expected: String| {
            differs.push((Some(seq), Differs::new("committed_at", expected, time.to_string())));
        };
        if time < latest.saturating_sub(CLOCK_SLACK_US) {
            differ(format!("{latest} or later"));
        }
        equal = if time == latest { equal + 1 } else { 0 };
        if equal == CLOCK_STANDS {
            differ(format!("later than {latest}"));
        }
        latest = latest.max(time);
    }
    differs
}

/// Every key that was acknowledged is kept, and no other. A module with keys of another form has none of them.
fn compare_keys(known: &BTreeMap<u64, Known>, keys: &[ShownKey], differs: &mut Vec<(Option<u64>, Differs)>) {
    let by_key: BTreeMap<&str, (&u64, &Known)> = known.iter().map(|known| (known.1.key.as_str(), known)).collect();
    if !keys.iter().any(|shown| by_key.contains_key(shown.key.as_str())) {
        return;
    }
    let shown: BTreeMap<&str, &ShownKey> = keys.iter().map(|shown| (shown.key.as_str(), shown)).collect();
    for (key, (seq, known)) in &by_key {
        let mut check = |field: &str, expected: &str, got: &str| {
            if expected != got {
                differs.push((Some(**seq), Differs::new(format!("sync_append_key.{field}"), expected, got)));
            }
        };
        let Some(shown) = shown.get(key) else {
            check("append_key", key, "");
            continue;
        };
        check("seq", &seq.to_string(), &shown.seq.to_string());
        if let (Some(hash), Some(stored)) = (&known.hash, &shown.payload_hash) {
            check("payload_hash", hash, stored);
        }
    }
    let strange = keys.iter().filter(|shown| !by_key.contains_key(shown.key.as_str()));
    differs.extend(
        strange.map(|shown| (Some(shown.seq), Differs::new("sync_append_key.append_key", "", shown.key.clone()))),
    );
}

/// The unbroken ranges of sorted seqs. A seq that comes twice begins a range of its own.
fn ranges(seqs: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seq) => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests;
