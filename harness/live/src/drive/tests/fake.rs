//! A sync service in memory, its lane, and its server: just enough for the driver.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cutover_core::history::{Closed, KillWait, Process, Refusal, StaleStream, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{ModuleUpdate, ServerAction};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::drive::{Beside, ModuleControl, ServerControl};
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, OpenError, Publish, Published,
    SubscriberSession, WriterSession,
};
use crate::process::ServerError;

/// The service, as lane and as server.
#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<Service>>);

#[derive(Default)]
pub(super) struct Service {
    streams: BTreeMap<StreamId, Log>,
    subscribers: BTreeMap<u32, Subscriber>,
    sessions: u32,
    is_down: bool,
    /// Whether it lists its connections, and whether those that ended stay listed.
    pub(super) lists: bool,
    pub(super) ended_stay: bool,
    ended: Vec<u32>,
    /// The answers to so many of the next publishes are lost.
    pub(super) lost_answers: u32,
    /// So many publishes are acknowledged and not written.
    pub(super) unwritten: u32,
    /// Live events of these seqs cut the connection instead.
    pub(super) cut_at: BTreeSet<u64>,
    /// Live events of these seqs are never sent.
    pub(super) not_sent: BTreeSet<u64>,
    /// The last acknowledged key that each action on the server was told.
    pub(super) actions: Vec<(ServerAction, Option<String>)>,
    pub(super) has_no_reducers: bool,
    /// Whether an update closes clients, whatever it is.
    pub(super) update_closes: bool,
    pub(super) refuses_updates: bool,
}

#[derive(Default)]
struct Log {
    events: Vec<(String, String)>,
    retention: Option<usize>,
    replay_budget: Option<u64>,
}

impl Log {
    fn head(&self) -> u64 {
        self.events.len() as u64
    }

    fn floor(&self) -> u64 {
        self.retention.map_or(0, |retention| self.events.len().saturating_sub(retention) as u64)
    }

    fn is_stale(&self, cursor: u64) -> bool {
        cursor < self.floor() || self.replay_budget.is_some_and(|budget| self.head().saturating_sub(cursor) > budget)
    }

    fn event(&self, stream: &StreamId, seq: u64, via: Via) -> Arrival {
        let (_, payload) = &self.events[seq as usize - 1];
        Arrival::Event {
            stream: stream.clone(),
            seq: Seq(seq),
            payload: payload.clone(),
            declared: None,
            key: None,
            via,
        }
    }
}

struct Subscriber {
    streams: BTreeSet<StreamId>,
    arrivals: UnboundedSender<Arrival>,
}

impl Fake {
    pub(super) fn with(change: impl FnOnce(&mut Service)) -> Fake {
        let fake = Fake::default();
        change(&mut fake.service());
        fake
    }

    pub(super) fn service(&self) -> MutexGuard<'_, Service> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service, where its server is up.
    fn up(&self) -> Completion<MutexGuard<'_, Service>> {
        let service = self.service();
        if service.is_down { Err(OpError::Unknown("the server is down".to_owned())) } else { Ok(service) }
    }
}

impl Service {
    fn remove(&mut self, session: u32) {
        if self.subscribers.remove(&session).is_some() {
            self.ended.push(session);
        }
    }

    fn publish(&mut self, stream: &StreamId, key: &str, payload: &str) -> Completion<Published> {
        let log = self.streams.entry(stream.clone()).or_default();
        if let Some(known) = log.events.iter().position(|(other, _)| other == key) {
            if log.events[known].1 != payload {
                return Err(refused("idempotency_conflict", Vec::new()));
            }
            return Ok(Published { seq: Seq(known as u64 + 1), duplicate: Some(true), differs: Vec::new() });
        }
        log.events.push((key.to_owned(), payload.to_owned()));
        let seq = log.head();
        let event = log.event(stream, seq, Via::Frame);
        self.subscribers.retain(|_, subscriber| {
            let cut = subscriber.streams.contains(stream) && self.cut_at.contains(&seq);
            let arrival = if cut { Arrival::Closed(Closed::CloseFrame { code: 1012 }) } else { event.clone() };
            if subscriber.streams.contains(stream) && !self.not_sent.contains(&seq) {
                let _ = subscriber.arrivals.send(arrival);
            }
            !cut
        });
        if self.lost_answers > 0 {
            self.lost_answers -= 1;
            return Err(OpError::Unknown("the answer was lost".to_owned()));
        }
        Ok(Published { seq: Seq(seq), duplicate: Some(false), differs: Vec::new() })
    }

    fn subscribe(&mut self, session: u32, asked: &[(StreamId, Option<Cursor>)]) -> Completion<Heads> {
        let stale = asked.iter().filter_map(|(stream, cursor)| {
            let is_stale = self.streams.get(stream)?.is_stale((*cursor)?.0);
            is_stale.then(|| StaleStream {
                stream: stream.clone(),
                reason: "retention_floor_breach".to_owned(),
                qos_tier: None,
                resume_after: None,
                retention_floor: None,
                head_watermark: None,
                replay_lag: None,
                replay_budget_events: None,
            })
        });
        let stale: Vec<_> = stale.collect();
        if !stale.is_empty() {
            return Err(refused("stale_cursor", stale));
        }
        let Some(subscriber) = self.subscribers.get_mut(&session) else {
            return Err(OpError::Unknown("the connection was closed".to_owned()));
        };
        let mut heads = Vec::new();
        for (stream, cursor) in asked {
            let log = self.streams.entry(stream.clone()).or_default();
            let from = cursor.map_or_else(|| log.floor(), |cursor| cursor.0);
            for seq in from + 1..=log.head() {
                let _ = subscriber.arrivals.send(log.event(stream, seq, Via::UpdateBatch));
            }
            subscriber.streams.insert(stream.clone());
            heads.push((stream.clone(), Head::At(Seq(log.head()))));
        }
        Ok(heads)
    }
}

fn refused(code: &str, stale: Vec<StaleStream>) -> OpError {
    OpError::from(Refusal { code: code.to_owned(), stale, ..Refusal::default() })
}

#[async_trait]
impl Lane for Fake {
    async fn subscriber(&self, _: &Endpoint, _: &ClientOptions) -> Result<Box<dyn SubscriberSession>, OpenError> {
        let mut service = self.service();
        if service.is_down {
            return Err(OpenError::passing("the server is down"));
        }
        service.sessions += 1;
        let id = service.sessions;
        let (arrivals, inbox) = unbounded_channel();
        service.subscribers.insert(id, Subscriber { streams: BTreeSet::new(), arrivals });
        Ok(Box::new(FakeSubscriber { id, fake: self.clone(), inbox }))
    }

    async fn writer(&self, _: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        match self.service().is_down {
            true => Err(OpenError::passing("the server is down")),
            false => Ok(Box::new(FakeWriter(self.clone()))),
        }
    }
}

struct FakeSubscriber {
    id: u32,
    fake: Fake,
    inbox: UnboundedReceiver<Arrival>,
}

#[async_trait]
impl SubscriberSession for FakeSubscriber {
    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], _: u32) -> Completion<Heads> {
        self.fake.up()?.subscribe(self.id, streams)
    }

    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion {
        if let Some(subscriber) = self.fake.up()?.subscribers.get_mut(&self.id) {
            subscriber.streams.retain(|stream| !streams.contains(stream));
        }
        Ok(())
    }

    async fn heartbeat(&mut self) -> Completion {
        self.fake.up().map(|_| ())
    }

    async fn next(&mut self) -> Arrival {
        let ended = || Arrival::Closed(Closed::Lost { why: "the connection was closed".to_owned() });
        self.inbox.recv().await.unwrap_or_else(ended)
    }

    fn connection_name(&self) -> Option<String> {
        Some(self.id.to_string())
    }

    async fn close(&mut self) {
        self.fake.service().remove(self.id);
    }
}

impl Drop for FakeSubscriber {
    fn drop(&mut self) {
        self.fake.service().remove(self.id);
    }
}

struct FakeWriter(Fake);

#[async_trait]
impl WriterSession for FakeWriter {
    async fn publish(&mut self, publish: Publish<'_>) -> Completion<Published> {
        let mut service = self.0.up()?;
        if service.unwritten > 0 {
            service.unwritten -= 1;
            return Err(OpError::Unwritten("no row".to_owned()));
        }
        service.publish(publish.stream, publish.key, publish.payload)
    }

    async fn connections(&mut self) -> Completion<Option<Vec<String>>> {
        let service = self.0.up()?;
        let ended = service.ended.iter().filter(|_| service.ended_stay);
        let listed = service.subscribers.keys().chain(ended).map(ToString::to_string);
        Ok(service.lists.then(|| listed.collect()))
    }

    async fn set_policy(&mut self, stream: &StreamId, retention: Option<u64>, budget: Option<u64>) -> Completion {
        let mut service = self.0.up()?;
        let log = service.streams.entry(stream.clone()).or_default();
        log.retention = retention.map(|retention| retention as usize).or(log.retention);
        log.replay_budget = budget.or(log.replay_budget);
        Ok(())
    }

    async fn call(&mut self, _stream: &StreamId, _call: &str, _body: &str) -> Option<Completion> {
        (!self.0.service().has_no_reducers).then_some(Ok(()))
    }

    async fn rows(&mut self, _stream: &StreamId, query: &str) -> Option<Completion<String>> {
        (!self.0.service().has_no_reducers).then(|| Ok(format!("[{}]", query.replace("{stream}", "a"))))
    }
}

#[async_trait]
impl ServerControl for Fake {
    async fn apply(&self, action: ServerAction, last_acked: Option<&str>) -> Result<Process, ServerError> {
        let mut service = self.service();
        service.actions.push((action, last_acked.map(str::to_owned)));
        service.is_down = action.kills();
        if action.kills() {
            service.subscribers.clear();
            return Ok(Process::Killed { waited_for: KillWait::Durable });
        }
        Ok(Process::Started)
    }

    async fn ready_to_copy(&self, _last_acked: Option<&str>) -> Result<PathBuf, ServerError> {
        Err(ServerError::NotUp)
    }

    async fn stop(&self) {}

    async fn beside(&self, _dir: &Path) -> Result<Beside, ServerError> {
        Err(ServerError::NotUp)
    }

    async fn heal(&self) -> Vec<Process> {
        let was_down = std::mem::take(&mut self.service().is_down);
        if was_down { vec![Process::Started] } else { Vec::new() }
    }
}

#[async_trait]
impl ModuleControl for Fake {
    async fn update(&self, _update: ModuleUpdate) -> Result<(), String> {
        let mut service = self.service();
        if service.refuses_updates {
            return Err("the server refuses it".to_owned());
        }
        if service.update_closes {
            service.subscribers.clear();
        }
        Ok(())
    }
}
