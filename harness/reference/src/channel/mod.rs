//! One joined channel: its subscriptions, replays, live tail and end.

mod batch;
mod deliver;
mod plant;
mod queue;
mod request;
mod subscribe;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::{deliver::Replay, plant::Planted, queue::OutboundQueue};
use crate::defects::Defect;
use crate::outbox::Outbox;
use crate::presence::Presence;
use crate::shared::Shared;
use crate::store::Mailbox;
use crate::wire::{Inbound, Payload, raw};

pub(crate) const CHANNEL_TOPIC: &str = "sync:v1";

/// How many requests may wait behind a replay before the socket is read no further.
const MAX_INBOX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Error,
}

impl End {
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Close => "phx_close",
            Self::Error => "phx_error",
        }
    }
}

pub(crate) struct Channel {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
    join_ref: Value,
    /// What replies and pushes carry: the join_ref, or the join's own ref where there is none.
    instance: Value,
    subscription_id: String,
    /// What the token grants; `None` is all.
    grants: Option<Arc<[String]>>,
    /// In the order of subscription.
    subscribed: Vec<String>,
    /// How far each topic was sent; removed when a topic is unsubscribed.
    watermarks: BTreeMap<String, u64>,
    planted: BTreeMap<String, Planted>,
    live_events: u64,
    /// For planted defects: how many subscribes were accepted, and whether the last one named a cursor.
    subscribes: u64,
    is_resumed: bool,
    is_dead: bool,
    inbox: VecDeque<Inbound>,
    replay: Option<Replay>,
    /// A planted defect: nothing is done until then.
    held_until: Option<Instant>,
    queue: OutboundQueue,
    last_request: Instant,
    next_tick: Instant,
    _presence: Presence,
}

pub(crate) struct Joined {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) join_ref: Value,
    pub(crate) reference: Value,
    pub(crate) subscription_id: String,
    pub(crate) grants: Option<Arc<[String]>>,
    pub(crate) presence: Presence,
}

impl Channel {
    pub(crate) fn new(joined: Joined, now: Instant) -> Self {
        let limits = &joined.shared.config.limits;
        let queue = OutboundQueue::new(limits.queue_topics, limits.max_strikes);
        let next_tick = now + joined.shared.config.timeouts.channel_tick();
        Self {
            shared: joined.shared,
            mailbox: joined.mailbox,
            instance: match joined.join_ref {
                Value::Null | Value::Bool(false) => joined.reference,
                ref join_ref => join_ref.clone(),
            },
            join_ref: joined.join_ref,
            subscription_id: joined.subscription_id,
            grants: joined.grants,
            subscribed: Vec::new(),
            watermarks: BTreeMap::new(),
            planted: BTreeMap::new(),
            live_events: 0,
            subscribes: 0,
            is_resumed: false,
            is_dead: false,
            inbox: VecDeque::new(),
            replay: None,
            held_until: None,
            queue,
            last_request: now,
            next_tick,
            _presence: joined.presence,
        }
    }

    pub(crate) fn join_ref(&self) -> &Value {
        &self.join_ref
    }

    /// Queues a message behind those that came before it. A message of another join is dropped, unless the channel was
    /// joined without a join_ref.
    pub(crate) fn receive(&mut self, message: Inbound, now: Instant) {
        if !self.join_ref.is_null() && message.join_ref != self.join_ref {
            return;
        }
        if matches!(message.event.as_str(), "sync:subscribe" | "sync:unsubscribe" | "sync:heartbeat") {
            self.last_request = now;
        }
        self.inbox.push_back(message);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.inbox.len() >= MAX_INBOX
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.held_until.map_or(self.next_tick, |until| until.min(self.next_tick))
    }

    /// At each tick: pushes a heartbeat, or ends a channel that has been idle for too long.
    pub(crate) fn tick(&mut self, now: Instant, out: &mut Outbox) -> Option<End> {
        if now < self.next_tick {
            return None;
        }
        let timeouts = &self.shared.config.timeouts;
        // From the last tick, not from now, so that ticks do not drift. A missed tick is skipped.
        self.next_tick = (self.next_tick + timeouts.channel_tick()).max(now);
        if now.duration_since(self.last_request) >= timeouts.channel_idle() {
            return Some(End::Close);
        }
        self.push_heartbeat(out);
        None
    }

    /// Works while there is room: first a replay to its end, then requests in their order, then the live tail. So no
    /// live push is sent within a replay, and the replay's reply is sent after it.
    pub(crate) fn work(&mut self, out: &mut Outbox) -> Option<End> {
        loop {
            if self.held_until.is_some_and(|until| Instant::now() < until) {
                return None;
            }
            self.held_until = None;
            if let Some(replay) = self.replay.take() {
                self.replay = self.go_on(replay, out);
                if self.replay.is_some() {
                    return None;
                }
            } else if let Some(message) = self.inbox.pop_front() {
                if let Some(end) = self.handle(&message, out) {
                    return Some(end);
                }
            } else {
                return self.send_live(out);
            }
        }
    }

    fn handle(&mut self, message: &Inbound, out: &mut Outbox) -> Option<End> {
        let object = match &message.payload {
            Payload::Json(Value::Object(object)) => Some(object),
            _ => None,
        };
        match (message.event.as_str(), object) {
            ("phx_leave", _) => {
                out.reply(&self.instance, &message.reference, CHANNEL_TOPIC, &Ok(json!({})));
                return Some(End::Close);
            }
            ("sync:heartbeat", _) => {
                if !(self.subscribes > 1 && self.shared.config.defects.has(Defect::HeartbeatUnpushed)) {
                    self.push_heartbeat(out);
                }
                let watermarks = self.heartbeat_watermarks();
                let answer = json!({"subscription_id": self.subscription_id, "watermarks": watermarks});
                self.reply(message, &Ok(answer), out);
            }
            ("sync:subscribe", Some(payload)) => self.subscribe(message, payload, out),
            ("sync:unsubscribe", Some(payload)) => {
                let answer = self.unsubscribe(payload);
                self.reply(message, &answer, out);
            }
            // An unknown event, or a payload of another type, ends the channel.
            _ => return Some(End::Error),
        }
        None
    }

    fn unsubscribe(&mut self, payload: &Map<String, Value>) -> Result<Value, Value> {
        let topics = request::topics(payload).map_err(|_| bad_subscription())?;
        let shared = self.shared.clone();
        let defects = &shared.config.defects;
        let before = self.subscribed.clone();
        if defects.has(Defect::UnsubscribeSends) {
            let left: Vec<_> = before.iter().filter(|topic| !topics.contains(topic)).collect();
            return Ok(json!({"subscription_id": self.subscription_id, "topics": left}));
        }
        for topic in &topics {
            self.shared.store.hub().unsubscribe(topic, &self.mailbox);
            self.queue.remove(topic);
            if !defects.has(Defect::KeepWatermark) {
                self.watermarks.remove(topic);
            }
        }
        self.subscribed.retain(|topic| !topics.contains(topic));
        let topics = if defects.has(Defect::UnsubscribeLists) { &before } else { &self.subscribed };
        Ok(json!({"subscription_id": self.subscription_id, "topics": topics}))
    }

    fn reply(&self, message: &Inbound, answer: &Result<Value, Value>, out: &mut Outbox) {
        out.reply(&self.instance, &message.reference, CHANNEL_TOPIC, answer);
    }

    fn push_heartbeat(&self, out: &mut Outbox) {
        let payload = json!({"watermarks": self.heartbeat_watermarks()});
        out.push(&self.instance, CHANNEL_TOPIC, "sync:heartbeat", &raw(&payload));
    }

    fn watermarks_of(&self, topics: &[String]) -> Value {
        let watermarks =
            topics.iter().map(|topic| batch::Watermark { topic, watermark: self.watermark(topic) }).collect::<Vec<_>>();
        json!(watermarks)
    }

    fn heartbeat_watermarks(&self) -> Value {
        plant::heartbeat(self.watermarks_of(&self.subscribed), &self.shared.config.defects)
    }

    fn watermark(&self, topic: &str) -> u64 {
        self.watermarks.get(topic).copied().unwrap_or(0)
    }

    fn push_error(&self, topic: &str, error: &Value, out: &mut Outbox) {
        if self.shared.config.defects.has(Defect::StaleWithoutError) {
            return;
        }
        let payload = raw(error);
        out.push(&self.instance, CHANNEL_TOPIC, "sync:error", &payload);
        let frame = batch::frame(topic, 0, batch::KIND_ERROR, &payload);
        if !self.shared.config.defects.has(Defect::StaleWithoutFrame) {
            out.push(&self.instance, CHANNEL_TOPIC, "sync:frame", &frame);
        }
    }

    pub(crate) fn push_revoked(&self, out: &mut Outbox) {
        let error = json!({"code": "reauth_required", "message": "session access was revoked; sign in again"});
        self.push_error("sync.auth", &error, out);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        for topic in &self.subscribed {
            self.shared.store.hub().unsubscribe(topic, &self.mailbox);
        }
    }
}

fn bad_subscription() -> Value {
    json!({"code": "bad_subscription"})
}
