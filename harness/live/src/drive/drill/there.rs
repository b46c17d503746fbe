//! A new server on a copy of a backup, and copies of the script's clients that come to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::evidence::RunEvent;
use cutover_core::hash::PayloadHash;
use cutover_core::history::{Outcome, Record, Rejoined, Replayed, Returned, RewindReason, ranges};
use cutover_core::ids::{ConnId, Cursor, LaneId, OpId, Seq, StreamId};
use cutover_core::plan::{PlannedClient, Restore};
use futures_util::future::join_all;

use super::Drills;
use crate::bounds;
use crate::drive::backoff::Backoff;
use crate::drive::case::{Case, planned_events};
use crate::drive::checkpoints::CheckpointFile;
use crate::drive::client::{ClientHandle, options_of};
use crate::drive::event::EventSink;
use crate::drive::inbox::{Inbox, PlannedEvents};
use crate::drive::recorder::Recorder;
use crate::drive::resume::{Resumed, drain, resume};
use crate::drive::stack::Beside;
use crate::drive::writer::{Write, Writer};
use crate::lane::{Endpoint, Lane};

/// How often a new server is asked, and the first wait in between. A wait doubles the one before.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// So often a client that does not get on asks again.
const ASKS: u32 = 3;

/// Reports nothing: what a drill's client does is no phase of the run.
struct Silent;

impl EventSink for Silent {
    fn event(&self, _: RunEvent) {}
}

impl Case {
    /// A copy of each client comes to the new server, and events are written to it.
    pub(super) async fn rejoin(&self, restore: &Restore, there: &There, replayed: &[Replayed]) -> Rejoined {
        let mut clients = Vec::new();
        for planned in self.plan.clients.iter().filter(|client| client.refused.is_none()) {
            let Some(client) = self.clients.get(&planned.id) else { continue };
            let cursors = client.handle.status.borrow().cursors.clone();
            let recorder = there.recorder();
            let handle = there.client(planned.clone(), recorder.clone());
            for (stream, cursor) in &cursors {
                handle.set_cursor(stream, *cursor).await;
            }
            clients.push(Twin { planned, handle, recorder, cursors });
        }
        let mut written = Vec::new();
        if restore.writers_first {
            written = there.write(restore).await;
        }
        for twin in &clients {
            twin.handle.connect().await;
        }
        join_all(clients.iter().map(Twin::comes_back)).await;
        if !restore.writers_first {
            written = there.write(restore).await;
        }
        let mut holds = Holds::default();
        for replayed in replayed {
            holds.heads.insert(replayed.stream.clone(), Seq(replayed.head()));
        }
        for (next, seq) in restore.next.iter().zip(&written) {
            let Some(seq) = seq else { continue };
            let head = holds.heads.entry(next.stream.clone()).or_default();
            *head = (*head).max(*seq);
            holds.written.insert((next.stream.clone(), *seq), next.hash);
        }
        join_all(clients.iter().map(|twin| twin.gets(&holds))).await;
        let mut returned = Vec::new();
        for twin in clients {
            returned.extend(twin.end(there, &holds).await);
        }
        Rejoined { written, clients: returned, ..Rejoined::default() }
    }
}

/// What a restored server holds beside the planned events.
#[derive(Default)]
struct Holds {
    heads: BTreeMap<StreamId, Seq>,
    written: BTreeMap<(StreamId, Seq), PayloadHash>,
}

/// The new server, as clients reach it.
pub(super) struct There {
    lane: Arc<dyn Lane>,
    role: LaneId,
    events: Arc<PlannedEvents>,
    socket: Endpoint,
    writer: Endpoint,
    dir: PathBuf,
}

impl There {
    pub(super) fn new(drills: &Drills, case: &Case, beside: &Beside, dir: PathBuf) -> There {
        let [socket, writer] =
            drills.authorities.clone().map(|authority| Endpoint { connect: beside.address, authority });
        let lane = drills.lane.anew().unwrap_or_else(|| drills.lane.clone());
        let events = Arc::new(planned_events(&case.plan));
        There { lane, role: case.lane, events, socket, writer, dir }
    }

    fn recorder(&self) -> Recorder {
        Recorder::start(String::new(), self.role, Arc::new(Silent))
    }

    fn inbox(&self, planned: PlannedClient, recorder: Recorder, file: &str) -> Inbox {
        Inbox::new(planned, self.events.clone(), recorder, CheckpointFile::of(&self.dir, file))
    }

    fn client(&self, planned: PlannedClient, recorder: Recorder) -> ClientHandle {
        let file = planned.id.to_string();
        let inbox = self.inbox(planned, recorder.clone(), &file);
        ClientHandle::spawn((self.lane.clone(), None), self.socket.clone(), inbox, recorder)
    }

    /// Reads all streams from the start. The database may only open now.
    pub(super) async fn read(&self, planned: PlannedClient) -> Result<Vec<Replayed>, String> {
        let (mut wait, mut why) = (FIRST_WAIT, String::new());
        for nth in 1..=TRIES {
            let recorder = self.recorder();
            match self.read_once(planned.clone(), recorder.clone()).await {
                Ok(()) => {
                    let streams = planned.streams.iter();
                    return Ok(streams.map(|stream| self.replayed(stream, &recorder)).collect());
                }
                Err(error) => why = error,
            }
            if nth < TRIES {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        Err(why)
    }

    async fn read_once(&self, planned: PlannedClient, recorder: Recorder) -> Result<(), String> {
        let opened = bounds::IN_ALL.within(self.lane.subscriber(&self.socket, &options_of(&planned))).await;
        let mut session = opened.map_err(|reached| reached.to_string())?.map_err(|error| error.to_string())?;
        let streams = planned.streams.clone();
        // The file of nobody: it reads from the start.
        let mut inbox = self.inbox(planned, recorder, "the reader");
        let resumed = resume(&mut session, &mut inbox, ConnId(1), &streams).await;
        let read = match resumed {
            Resumed::Following => Ok(()),
            Resumed::Behind => {
                let _ = bounds::IN_ALL.within(session.heartbeat()).await;
                match drain(&mut session, &mut inbox, ConnId(1)) {
                    Some(why) => Err(why.to_string()),
                    None => Ok(()),
                }
            }
            Resumed::Ended(why) => Err(why.to_string()),
            Resumed::Rewound | Resumed::Refused | Resumed::RateLimited => {
                Err(inbox.gave_up.take().unwrap_or_else(|| "it refuses to be read from the start".to_owned()))
            }
        };
        session.close().await;
        let _ = std::fs::remove_file(self.dir.join("the reader.checkpoint.jsonl"));
        read
    }

    fn replayed(&self, stream: &StreamId, recorder: &Recorder) -> Replayed {
        let (mut events, mut other) = (Vec::new(), BTreeMap::new());
        for (seq, hash) in delivered(recorder, stream) {
            match self.is_planned(stream, seq, hash) {
                true => events.push(seq.0),
                false => drop(other.insert(seq.0, hash)),
            }
        }
        Replayed { stream: stream.clone(), events: ranges(events), other: other.into_iter().collect() }
    }

    fn is_planned(&self, stream: &StreamId, seq: Seq, hash: Option<PayloadHash>) -> bool {
        hash.is_some() && self.events.get(&(stream.clone(), seq)).map(|(planned, _)| *planned) == hash
    }

    async fn write(&self, restore: &Restore) -> Vec<Option<Seq>> {
        let mut writer = Writer::new(self.lane.clone(), self.writer.clone(), self.recorder(), Backoff::new(Vec::new()));
        let mut written = Vec::new();
        for next in &restore.next {
            let (stream, key, payload) = (next.stream.clone(), next.key.clone(), next.payload.clone());
            let write = Write::Publish { stream, key, payload, next_seq: None, hash: None };
            written.push(match writer.invoke(OpId(0), &write).await {
                Ok(Outcome::Published { seq, .. }) => Some(seq),
                _ => None,
            });
        }
        written
    }
}

/// A copy of a client, on the new server.
struct Twin<'a> {
    planned: &'a PlannedClient,
    handle: ClientHandle,
    recorder: Recorder,
    cursors: BTreeMap<StreamId, Cursor>,
}

impl Twin<'_> {
    async fn comes_back(&self) {
        let mut status = self.handle.status.clone();
        let back = async { drop(status.wait_for(|status| status.subscribed || status.gave_up.is_some()).await) };
        let _ = bounds::STEP.within(back).await;
    }

    /// Waits until it has what the server holds, or asked for it in vain.
    async fn gets(&self, holds: &Holds) {
        let heads: BTreeMap<StreamId, Seq> = self
            .planned
            .streams
            .iter()
            .map(|stream| (stream.clone(), holds.heads.get(stream).copied().unwrap_or_default()))
            .collect();
        let mut status = self.handle.status.clone();
        for _ in 0..ASKS {
            let settles = async { drop(status.wait_for(|status| status.is_settled(&heads)).await) };
            if bounds::PROOF.within(settles).await.is_ok() {
                break;
            }
            let asked = bounds::HEAL.within(self.handle.replay_if_overdue(heads.clone())).await;
            if asked.is_err() {
                break;
            }
        }
        // What is in flight arrives.
        let _ = bounds::DRAIN.within(self.handle.settle()).await;
    }

    async fn end(self, there: &There, holds: &Holds) -> Vec<Returned> {
        let Twin { planned, handle, recorder, cursors } = self;
        let status = handle.status.clone();
        handle.stop().await;
        let ended = status.borrow().cursors.clone();
        let records = recorder.snapshot().records;
        let each = planned.streams.iter().map(|stream| {
            let told = records.iter().any(|record| match record {
                Record::Rewound { stream: of, why: RewindReason::AheadOfHead | RewindReason::Stale, .. } => {
                    of == stream
                }
                _ => false,
            });
            let (mut given, mut other) = (Vec::new(), BTreeMap::new());
            for (seq, hash) in delivered(&recorder, stream) {
                let written = holds.written.get(&(stream.clone(), seq)).copied();
                let is_right = match written {
                    Some(written) => hash == Some(written),
                    None => there.is_planned(stream, seq, hash),
                };
                match is_right {
                    true => given.push(seq.0),
                    false => drop(other.insert(seq.0, hash)),
                }
            }
            Returned {
                client: planned.id.clone(),
                stream: stream.clone(),
                from: cursors.get(stream).copied().unwrap_or_default(),
                told,
                given: ranges(given),
                other: other.into_iter().collect(),
                ended: ended.get(stream).copied().unwrap_or_default(),
            }
        });
        each.collect()
    }
}

fn delivered(recorder: &Recorder, of: &StreamId) -> Vec<(Seq, Option<PayloadHash>)> {
    let records = recorder.snapshot().records;
    let events = records.into_iter().filter_map(|record| match record {
        Record::Delivered { stream, seq, hash, .. } if stream == *of => Some((seq, hash)),
        _ => None,
    });
    events.collect()
}
