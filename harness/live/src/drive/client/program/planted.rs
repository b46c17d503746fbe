//! Known-bad: a client with a defect, in the place of a program. It follows its streams over the lane's own sessions,
//! keeps its cursors in a file, and says the words of a program. It is a task and no process: where a program is
//! killed, the task ends, and only the file is left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::Refusal;
use cutover_core::ids::{Cursor, StreamId};
use cutover_core::plan::ClientDefect;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::watch::Watch;
use crate::lane::{Arrival, ClientOptions, Endpoint, Lane, OpError, SubscriberSession};

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The wait of a client whose waits do not grow.
const EVEN_WAIT: Duration = Duration::from_millis(30);
/// The event at which a defect shows, where it is one of a single event.
const MARKED: u64 = 5;
/// How often a client asks with a cursor that it does not give up.
const STALE_ASKS: u32 = 3;

#[derive(Clone)]
pub struct Planted {
    pub lane: Arc<dyn Lane>,
    pub options: ClientOptions,
    pub defect: ClientDefect,
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.defect.fmt(f)
    }
}

pub(super) struct Task {
    orders: UnboundedSender<Value>,
    handle: JoinHandle<()>,
}

impl Task {
    pub(super) fn start(planted: &Planted, endpoint: Endpoint, data_dir: &Path, watch: &Arc<Watch>) -> Task {
        let (orders, inbound) = unbounded_channel();
        let file = data_dir.join("cursors.json");
        let stored = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let client = Client {
            planted: planted.clone(),
            endpoint,
            names: watch.names(),
            file,
            cursors: stored.unwrap_or_default(),
            watch: watch.clone(),
            session: None,
            wanted: false,
            tries: 0,
            retry_at: Instant::now(),
            kept: None,
            stale_asks: 0,
        };
        Task { orders, handle: tokio::spawn(client.run(inbound)) }
    }

    pub(super) fn tell(&self, line: &Value) {
        let _ = self.orders.send(line.clone());
    }

    pub(super) async fn kill(self) {
        self.handle.abort();
        let _ = self.handle.await;
    }
}

struct Client {
    planted: Planted,
    endpoint: Endpoint,
    /// The name of each stream in the words.
    names: BTreeMap<StreamId, String>,
    file: PathBuf,
    cursors: BTreeMap<StreamId, u64>,
    watch: Arc<Watch>,
    session: Option<Box<dyn SubscriberSession>>,
    wanted: bool,
    tries: u32,
    retry_at: Instant,
    /// An event that is to be applied behind the next one.
    kept: Option<String>,
    stale_asks: u32,
}

impl Client {
    async fn run(mut self, mut orders: UnboundedReceiver<Value>) {
        loop {
            let waits = self.wanted && self.session.is_none();
            tokio::select! {
                biased;
                arrival = next(&mut self.session) => self.arrived(arrival),
                order = orders.recv() => match order {
                    Some(order) => self.told(&order).await,
                    None => return,
                },
                () = sleep_until(self.retry_at), if waits => self.connect().await,
            }
        }
    }

    fn has(&self, defect: ClientDefect) -> bool {
        self.planted.defect == defect
    }

    fn say(&self, kind: &str, stream: &StreamId, seq: u64) {
        self.watch.said(&json!({"type": kind, "stream": self.names.get(stream), "seq": seq}).to_string());
    }

    fn applied(&self, stream: &StreamId, seq: u64, payload: &str) {
        let (name, payload) = (json!(self.names.get(stream)), payload.replace(['\n', '\r'], " "));
        self.watch.said(&format!(r#"{{"type":"applied","stream":{name},"seq":{seq},"payload":{payload}}}"#));
    }

    async fn told(&mut self, order: &Value) {
        match order["type"].as_str() {
            Some("open") => (self.wanted, self.tries, self.retry_at) = (true, 0, Instant::now()),
            Some("ping") => self.watch.said(&json!({"type": "pong", "id": order["id"]}).to_string()),
            Some("close") => {
                self.wanted = false;
                if let Some(mut session) = self.session.take() {
                    session.close().await;
                }
                self.watch.said(r#"{"type":"closed"}"#);
            }
            _ => {}
        }
    }

    async fn connect(&mut self) {
        match self.planted.lane.subscriber(&self.endpoint, &self.planted.options).await {
            Ok(session) => {
                self.session = Some(session);
                self.subscribe().await;
            }
            Err(_) => self.wait_longer(),
        }
    }

    /// Subscribes, and does so anew where cursors are stale.
    async fn subscribe(&mut self) {
        if self.has(ClientDefect::ResumesAhead) {
            self.cursors.values_mut().for_each(|seq| *seq += 1);
        }
        loop {
            let cursor = |stream: &StreamId| self.cursors.get(stream).copied().map(Cursor);
            let asked: Vec<_> = self.names.keys().map(|stream| (stream.clone(), cursor(stream))).collect();
            let Some(session) = &mut self.session else { return };
            match session.subscribe(&asked, 200).await {
                Ok(_) => return,
                Err(OpError::Refused(refusal)) if refusal.code == "stale_cursor" => {
                    self.stale_asks += 1;
                    if self.has(ClientDefect::KeepsStaleCursor) && self.stale_asks < STALE_ASKS {
                        continue;
                    }
                    self.start_anew(&refusal);
                }
                Err(_) => return self.lost(),
            }
        }
    }

    fn start_anew(&mut self, refusal: &Refusal) {
        let named = |stream: &StreamId| refusal.stale.iter().any(|stale| stale.stream == *stream);
        let stale: Vec<StreamId> = self.cursors.keys().filter(|stream| named(stream)).cloned().collect();
        for stream in stale {
            self.cursors.remove(&stream);
            let name = self.names.get(&stream);
            self.watch.said(&json!({"type": "rebootstrap", "stream": name, "reason": refusal.code}).to_string());
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Event { stream, seq, payload, .. } if self.take(&stream, seq.0, &payload) => {}
            Arrival::Event { .. } | Arrival::Closed(_) => self.lost(),
            _ => {}
        }
    }

    /// Applies the next event, or drops one that was applied. False where others are missing before it.
    fn take(&mut self, stream: &StreamId, seq: u64, payload: &str) -> bool {
        match self.cursors.get(stream) {
            Some(last) if seq <= *last => {
                if self.has(ClientDefect::AppliesTwice) && seq + 1 == MARKED {
                    self.applied(stream, seq, payload);
                }
                self.say("duplicate", stream, seq);
            }
            Some(last) if seq > last + 1 => return false,
            _ => {
                self.tries = 0;
                self.cursors.insert(stream.clone(), seq);
                if self.has(ClientDefect::StoresBeforeApply) {
                    self.store(stream, seq);
                }
                if self.apply(stream, seq, payload) {
                    self.store(stream, seq);
                }
            }
        }
        true
    }

    /// Whether the event is applied now.
    fn apply(&mut self, stream: &StreamId, seq: u64, payload: &str) -> bool {
        let is_marked = seq == MARKED;
        match self.planted.defect {
            ClientDefect::LosesEvent if is_marked => return false,
            ClientDefect::SwapsEvents if is_marked => {
                self.kept = Some(payload.to_owned());
                return false;
            }
            ClientDefect::ChangesPayload if is_marked => self.applied(stream, seq, r#"{"changed":true}"#),
            _ => self.applied(stream, seq, payload),
        }
        if let Some(kept) = self.kept.take() {
            self.applied(stream, MARKED, &kept);
        }
        if is_marked && self.has(ClientDefect::InventsEvent) {
            self.applied(stream, seq + 1000, payload);
        }
        true
    }

    fn store(&self, stream: &StreamId, seq: u64) {
        // A file that can't be written is found as a cursor that was not stored.
        if !self.has(ClientDefect::ForgetsCheckpoint) || seq % 4 == 1 {
            let _ = std::fs::write(&self.file, json!(self.cursors).to_string());
        }
        self.say("checkpoint", stream, seq);
    }

    fn lost(&mut self) {
        self.session = None;
        if self.has(ClientDefect::StaysAway) {
            self.wanted = false;
        }
        self.wait_longer();
    }

    fn wait_longer(&mut self) {
        let wait = match self.planted.defect {
            ClientDefect::Hammers => Duration::ZERO,
            ClientDefect::HammersEvenly => EVEN_WAIT,
            _ => FIRST_WAIT.saturating_mul(1 << self.tries.min(10)).min(LONGEST_WAIT),
        };
        self.tries += 1;
        self.retry_at = Instant::now() + wait;
    }
}

async fn next(session: &mut Option<Box<dyn SubscriberSession>>) -> Arrival {
    match session {
        Some(session) => session.next().await,
        None => std::future::pending().await,
    }
}
