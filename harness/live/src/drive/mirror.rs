//! The bridge of a plan on the candidate: a relay in this program, a bridge process, and what came to the relay.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cutover_bridge::{Relay, new_secret_key};
use cutover_core::history::{Arrival, KillWait, OutboxRow, Process, Record};
use cutover_core::ids::{ClientId, StreamId};
use cutover_core::plan::{self, BRIDGE, Beside, Bridge, Mood, Plan, STREAM, ServerAction};
use cutover_core::text::Secret;
use tokio::sync::{Mutex, mpsc, watch};

use super::recorder::Recorder;
use super::route::Route;
use super::stack::{BridgeSeat, Destination, DriveError, LaneStack, ManagedServer, ServerControl};
use crate::bounds;
use crate::lane::names::Names;
use crate::lane::{Lane, WriterSession};
use crate::process::{Server, ServerCommand};
use crate::proxy::UpstreamAddr;

/// The name of the proxy between bridge and candidate. No client of a plan has a blank in its name.
const TO_OUTBOX: &str = "the outbox";
const QUERY: &str = "SELECT event_key, \"position\", relay_event_id FROM bridge_outbox WHERE stream_id = '{stream}'";
/// How often the marks are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The bridge is quicker than by default, so that a scenario with many outages is short. It never parks what is refused
/// for now: how long that goes on depends on the machine.
const PACE: [(&str, &str); 4] =
    [("--answer-within-ms", "300"), ("--backoff-ms", "10"), ("--backoff-cap-ms", "100"), ("--attempts", "4000000000")];

/// What came to the relay so far.
#[derive(Debug, Default)]
struct Seen {
    /// How many events met the relay in each mood.
    met: HashMap<Mood, u64>,
    /// Keys of events that the relay has.
    kept: BTreeSet<String>,
    /// Keys of events that it refused for good.
    refused: BTreeSet<String>,
}

impl Seen {
    fn met(&self, mood: Mood) -> u64 {
        self.met.get(&mood).copied().unwrap_or_default()
    }
}

pub(super) struct Mirror {
    relay: Relay,
    address: watch::Sender<Option<UpstreamAddr>>,
    bridge: ManagedServer,
    pub(super) route: Route,
    to_outbox: Route,
    lane: Arc<dyn Lane>,
    session: Option<Box<dyn WriterSession>>,
    streams: Vec<StreamId>,
    recorder: Recorder,
    seen: watch::Receiver<Seen>,
    answers: Mood,
    /// How many events had met the relay in this mood when it was last changed.
    since: u64,
    enqueued: BTreeSet<String>,
    /// Whether the outbox came to a standstill. It is then not waited for again.
    stuck: bool,
}

impl Mirror {
    /// Starts relay and bridge, where the lane has them.
    pub async fn start(
        (plan, case): (&Plan, &plan::Case),
        stack: &LaneStack,
        recorder: &Recorder,
    ) -> Result<Option<Mirror>, DriveError> {
        let (Some(bridge), Some(seat)) = (&plan.bridge, &stack.bridge) else { return Ok(None) };
        let failed = |what: String| DriveError::Bridge(what);
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let (seen_by, seen) = watch::channel(Seen::default());
        tokio::spawn(record_all(arrived, seat.names.clone(), recorder.clone(), seen_by));
        let mut relay = Relay::new(arrivals);
        let (address, upstream) = watch::channel(None);
        raise(&mut relay, &address).await.map_err(|error| failed(error.to_string()))?;
        let to_relay = Destination { authority: "relay".to_owned(), upstream };
        let route = Route::start(&ClientId::new(BRIDGE), (plan, case), (stack, &to_relay), recorder).await?;
        let to_outbox = Route::start(&ClientId::new(TO_OUTBOX), (plan, case), (stack, &stack.socket), recorder).await?;
        let command = command(bridge, seat, &route, &to_outbox);
        let command = command.map_err(|error| failed(error.to_string()))?;
        let server = Server::new(command, &seat.dir).map_err(|error| failed(error.to_string()))?;
        let mut server = server.reporting(BRIDGE, seat.exit_reports.clone());
        server.start().await.map_err(|error| failed(error.to_string()))?;
        Ok(Some(Mirror {
            relay,
            address,
            bridge: ManagedServer(Arc::new(Mutex::new(server))),
            route,
            to_outbox,
            lane: stack.lane.clone(),
            session: None,
            streams: case.streams.iter().map(|stream| stream.id.clone()).collect(),
            recorder: recorder.clone(),
            seen,
            answers: Mood::Well,
            since: 0,
            enqueued: BTreeSet::new(),
            stuck: false,
        }))
    }

    /// Notes an event that the lane put into the outbox.
    pub fn enqueued(&mut self, stream: &StreamId, args: &str) {
        let args: Vec<String> = serde_json::from_str(args).unwrap_or_default();
        self.enqueued.extend(args.first().map(|key| key.replace(STREAM, stream.as_str())));
    }

    pub fn answer(&mut self, answers: Mood) {
        self.relay.set_mood(answers);
        self.answers = answers;
        self.changed();
        self.recorder.record(Record::Relay { answers });
    }

    pub async fn act(&mut self, of: Beside, action: ServerAction) -> Result<(), String> {
        let process = match (of, action) {
            (Beside::Relay, ServerAction::Kill | ServerAction::KillAtOnce) => {
                self.address.send_replace(None);
                self.relay.down();
                Process::Killed { waited_for: KillWait::Nothing }
            }
            (Beside::Relay, _) => {
                raise(&mut self.relay, &self.address).await.map_err(|error| format!("the relay: {error}"))?;
                Process::Started
            }
            (Beside::Bridge, action) => {
                let action = if action.kills() { ServerAction::KillAtOnce } else { action };
                self.bridge.apply(action, None).await.map_err(|error| format!("the bridge: {error}"))?
            }
        };
        if of == Beside::Relay {
            self.changed();
        }
        self.recorder.record(Record::Beside { of, process });
        Ok(())
    }

    fn changed(&mut self) {
        self.since = self.seen.borrow().met(self.answers);
    }

    /// Brings relay and bridge up again, and has the relay answer well.
    pub async fn heal(&mut self) {
        if !self.relay.is_up() {
            let _ = self.act(Beside::Relay, ServerAction::Restart).await;
        }
        self.answer(Mood::Well);
        for process in self.bridge.heal().await {
            self.recorder.record(Record::Beside { of: Beside::Bridge, process });
        }
    }

    pub async fn asked(&mut self) -> Result<(), String> {
        let (answers, since) = (self.answers, self.since);
        let came = bounds::RELAY.within(self.seen.wait_for(|seen| seen.met(answers) > since)).await;
        came.map(|_| ()).map_err(|reached| format!("an event to come to the relay, {reached}"))
    }

    /// Waits until the relay has, or blocks, each event of the outbox, and each that it has is marked.
    pub async fn mirrored(&mut self) -> Result<(), String> {
        if self.stuck {
            return Ok(());
        }
        let mirrored = bounds::STEP.within(self.until_mirrored()).await;
        let mirrored = mirrored.unwrap_or_else(|reached| Err(reached.to_string()));
        self.stuck = mirrored.is_err();
        mirrored.map_err(|why| format!("the outbox to be mirrored and marked, {why}"))
    }

    async fn until_mirrored(&mut self) -> Result<(), String> {
        let (mut before, mut left) = (None, bounds::OUTBOX.begin());
        loop {
            let rows = self.rows().await.unwrap_or_default();
            let marked = rows.iter().filter(|row| !row.relay_event_id.is_empty()).map(|row| &row.key);
            let marked: BTreeSet<&String> = marked.collect();
            let now = {
                let seen = self.seen.borrow();
                let is_done =
                    |key: &String| seen.kept.contains(key) && marked.contains(key) || seen.refused.contains(key);
                if self.enqueued.iter().all(is_done) {
                    return Ok(());
                }
                (seen.kept.len(), seen.refused.len(), marked.len())
            };
            if before.replace(now) != Some(now) {
                left = bounds::OUTBOX.begin();
            }
            left.within(tokio::time::sleep(LOOK)).await.map_err(|reached| reached.to_string())?;
        }
    }

    /// Records the outbox as it is stored.
    pub async fn record_outbox(&mut self) -> Result<(), String> {
        let rows = self.rows().await.map_err(|why| format!("the rows of the outbox: {why}"))?;
        self.recorder.record(Record::Outbox { rows });
        Ok(())
    }

    async fn rows(&mut self) -> Result<Vec<OutboxRow>, String> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.lane.writer(&self.to_outbox.endpoint()).await.map_err(|error| error.to_string())?,
        };
        let mut all = Vec::new();
        for stream in &self.streams {
            let answered = bounds::WRITE.within(session.rows(stream, QUERY)).await;
            let answered = answered.map_err(|reached| reached.to_string())?;
            let rows = answered.ok_or("it shows none")?.map_err(|error| error.what())?;
            let rows: Vec<(String, u64, String)> = serde_json::from_str(&rows).map_err(|error| error.to_string())?;
            all.extend(rows.into_iter().map(|(key, position, relay_event_id)| OutboxRow {
                key: key.replace(STREAM, stream.as_str()),
                position,
                relay_event_id,
            }));
        }
        self.session = Some(session);
        all.sort_by_key(|row| row.position);
        Ok(all)
    }

    pub async fn end(self) {
        self.bridge.0.lock().await.kill().await;
        drop((self.session, self.relay));
        self.route.shutdown().await;
        self.to_outbox.shutdown().await;
    }
}

async fn raise(relay: &mut Relay, address: &watch::Sender<Option<UpstreamAddr>>) -> std::io::Result<()> {
    let up = relay.up().await?;
    address.send_replace(Some(UpstreamAddr::plain(up)));
    Ok(())
}

fn command(bridge: &Bridge, seat: &BridgeSeat, route: &Route, to_outbox: &Route) -> std::io::Result<ServerCommand> {
    std::fs::create_dir_all(&seat.dir)?;
    let secret = |name: &str, secret: &Secret| -> std::io::Result<String> {
        let path = seat.dir.join(name);
        write_secret(&path, secret)?;
        Ok(path.display().to_string())
    };
    let (candidate, relay) = (to_outbox.endpoint(), route.endpoint());
    let mut more: BTreeMap<&str, String> = PACE.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    more.extend([
        ("--candidate", format!("ws://{}", candidate.connect)),
        ("--host", candidate.authority),
        ("--database", seat.database.clone()),
        ("--token-file", secret("token", &seat.token)?),
        ("--relay", format!("ws://{}", relay.connect)),
        ("--key-file", secret("key", &new_secret_key())?),
    ]);
    let mut options: Vec<String> = more.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    options.extend(bridge.defects.iter().flat_map(|name| ["--defect".to_owned(), name.clone()]));
    Ok(ServerCommand::bridge(&seat.binary, options))
}

fn write_secret(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.reveal().as_bytes())
}

/// Records what comes to the relay, with streams by their logical names.
async fn record_all(
    mut arrived: mpsc::UnboundedReceiver<(Mood, Arrival)>,
    names: Arc<Names>,
    recorder: Recorder,
    seen: watch::Sender<Seen>,
) {
    while let Some((mood, mut arrival)) = arrived.recv().await {
        if let Some(stream) = names.stream_of_id(&arrival.stream) {
            arrival.key = arrival.key.replacen(&arrival.stream, stream.as_str(), 1);
            stream.as_str().clone_into(&mut arrival.stream);
        }
        let (key, answer) = (arrival.key.clone(), arrival.answer.clone());
        recorder.record(Record::Mirrored { arrival });
        seen.send_modify(|seen| {
            *seen.met.entry(mood).or_default() += 1;
            if answer.is_kept() {
                seen.refused.remove(&key);
                seen.kept.insert(key);
            } else if answer.is_final_refusal() {
                seen.refused.insert(key);
            }
        });
    }
}
