//! A subscriber's session with a Phoenix channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::history::{Closed, Spoken};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::Serializer;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::codec::{Message, encode};
use super::object::{RawObject, quoted};
use super::probe::PROBE_REF;
use super::vsn;
use crate::bounds::Bound;
use crate::lane::names::Names;
use crate::lane::profile::PhoenixProfile;
use crate::lane::refusal::{not_in_plan, read_refusal, refusal};
use crate::lane::socket::{Bounds, Inbox, Payload, Socket};
use crate::lane::{Answer, Arrival, Completion, Head, Op, OpenError, Session, UNMATCHED_TOPIC};

/// The code of a lane that limits the rate (contract, "Errors").
pub(super) const RATE_LIMITED: &str = "rate_limited";

/// An answer to a push of ours.
pub(super) struct Reply {
    pub(super) ok: bool,
    pub(super) response: String,
}

/// The session.
pub(super) struct PhoenixSession {
    socket: Socket,
    pub(super) serializer: Serializer,
    pub(super) profile: Arc<PhoenixProfile>,
    pub(super) names: Arc<Names>,
    bounds: Bounds,
    pub(super) inbox: Inbox,
    last_ref: u64,
    /// The current instance of the channel; null in V1, whose frames carry none.
    pub(super) join_ref: Value,
    /// The request that is waited for, and its answer.
    pub(super) pending: Option<(Value, Option<Reply>)>,
    /// The last heartbeat of the session's own, until it is answered.
    pub(super) unanswered: Option<Value>,
    keepalive_at: Instant,
    /// The newest event of each stream since it was asked for.
    pub(super) newest: BTreeMap<StreamId, Seq>,
    /// The last event of each stream's last batch since it was asked for, and whether that batch ended the replay.
    pub(super) complete: BTreeMap<StreamId, (Seq, bool)>,
    /// The cursors that are probed, each with whether the event at or behind it came.
    pub(super) probing: Option<BTreeMap<StreamId, (Cursor, bool)>>,
    /// Who hears every message that comes, where somebody does.
    pub(super) heard: Option<mpsc::UnboundedSender<Message>>,
}

/// Where each stream's head is: the lane's own word, but for those that a probe told to lie below their cursors.
fn placed(
    streams: &[(StreamId, Option<Cursor>)],
    heads: &[(StreamId, Seq)],
    beyond: &[StreamId],
) -> Vec<(StreamId, Head)> {
    let place = |stream: &StreamId| {
        if beyond.contains(stream) {
            return Head::BelowCursor;
        }
        let told = heads.iter().find(|(known, _)| known == stream);
        told.map_or(Head::Untold, |(_, seq)| Head::At(*seq))
    };
    streams.iter().map(|(stream, _)| (stream.clone(), place(stream))).collect()
}

impl PhoenixSession {
    /// Joins the channel on an open socket.
    pub(super) async fn join(
        socket: Socket,
        serializer: Serializer,
        profile: Arc<PhoenixProfile>,
        names: Arc<Names>,
        bounds: Bounds,
        client: &str,
    ) -> Result<PhoenixSession, OpenError> {
        let mut session = PhoenixSession {
            socket,
            serializer,
            profile,
            names,
            bounds,
            inbox: Inbox::default(),
            last_ref: 0,
            join_ref: Value::Null,
            pending: None,
            unanswered: None,
            keepalive_at: Instant::now() + bounds.keepalive,
            newest: BTreeMap::new(),
            complete: BTreeMap::new(),
            probing: None,
            heard: None,
        };
        let params = session.join_params(client)?;
        if serializer == Serializer::V2 {
            // As phoenix.js has it: the join's own ref names the instance.
            session.join_ref = Value::String("1".to_owned());
        }
        let channel = session.profile.channel.clone();
        let answered = session.request(&channel, "phx_join", params, bounds.open).await;
        let failed =
            |what: String, retryable| OpenError { what, hint: None, retryable, retry_after: None, refusal: None };
        match answered {
            Err(why) => Err(failed(format!("the join of `{channel}` was not answered: {why}"), true)),
            Ok(reply) if reply.ok => Ok(session),
            Ok(reply) => Err(session.join_refused(&channel, &reply.response)),
        }
    }

    fn join_params(&self, client: &str) -> Result<String, OpenError> {
        let mut params = self.profile.join.clone();
        params.entry("client").or_insert_with(|| client.into());
        serde_json::to_string(&params).map_err(|error| OpenError {
            what: format!("the profile's [join] can't be written as JSON: {error}"),
            hint: Some("use strings, numbers, booleans, lists and tables".to_owned()),
            retryable: false,
            retry_after: None,
            refusal: None,
        })
    }

    fn join_refused(&self, channel: &str, response: &str) -> OpenError {
        let json: Value = serde_json::from_str(response).unwrap_or_default();
        let refusal = self.refusal(response);
        let hint = match refusal.code.as_str() {
            UNMATCHED_TOPIC => Some("the lane has no such channel; `channel` of the lane profile names it".to_owned()),
            _ if json.get("upgrade_required").is_some() => {
                Some("the lane refuses this client's build or schema; [join] of the lane profile sets them".to_owned())
            }
            _ => None,
        };
        let passing = ["join crashed", "too many channels joined", RATE_LIMITED].contains(&refusal.code.as_str());
        let retryable = json.get("retryable").and_then(Value::as_bool).unwrap_or(passing);
        let what = format!("the join of `{channel}` was refused: {}", refusal.code);
        OpenError { what, hint, retryable, retry_after: None, refusal: Some(Box::new(refusal)) }
    }

    fn refusal(&self, response: &str) -> cutover_core::history::Refusal {
        let json: Value = serde_json::from_str(response).unwrap_or_default();
        read_refusal(&json, |topic| self.names.stream_of_topic(topic)).unwrap_or_else(|| refusal("unknown", response))
    }

    fn next_ref(&mut self) -> Value {
        self.last_ref += 1;
        let prefix = if self.probing.is_some() { PROBE_REF } else { "" };
        Value::String(format!("{prefix}{}", self.last_ref))
    }

    /// Sends a push and returns its ref.
    async fn push(&mut self, topic: &str, event: &str, payload: String) -> Result<Value, Closed> {
        let msg_ref = self.next_ref();
        let on_channel = topic == self.profile.channel;
        let message = Message {
            join_ref: if on_channel { self.join_ref.clone() } else { Value::Null },
            msg_ref: msg_ref.clone(),
            topic: topic.to_owned(),
            event: event.to_owned(),
            payload,
        };
        self.socket.send(Payload::Text(encode(self.serializer, &message))).await?;
        Ok(msg_ref)
    }

    /// Sends a push and waits for its answer; what else comes is taken in. Without an answer the session is over.
    async fn request(&mut self, topic: &str, event: &str, payload: String, within: Bound) -> Result<Reply, String> {
        let mut running = within.begin();
        let sent = running.within(self.push(topic, event, payload)).await;
        match sent {
            Ok(Ok(msg_ref)) => self.pending = Some((msg_ref, None)),
            Ok(Err(closed)) => self.inbox.end(closed),
            Err(_) => self.inbox.end(Closed::Silent),
        }
        loop {
            if let Some((_, Some(_))) = &self.pending
                && let Some((_, Some(reply))) = self.pending.take()
            {
                return Ok(reply);
            }
            if let Some(closed) = self.inbox.ended() {
                return Err(told(closed));
            }
            match self.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => self.inbox.end(closed),
                Err(reached) => {
                    self.inbox.end(Closed::Silent);
                    return Err(format!("no answer to `{event}`: {reached}"));
                }
            }
        }
    }

    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], replay_batch: u32) -> Completion {
        self.newest.clear();
        self.complete.clear();
        match self.ask_for(streams, replay_batch).await {
            Err(completion) => completion,
            Ok(reply) if reply.ok => {
                self.check_complete();
                let heads = self.heads(&reply.response);
                match self.probe(streams, &heads, replay_batch).await {
                    Err(why) => Completion::Info(why),
                    Ok(beyond) => Completion::Ok(Answer::Subscribed(placed(streams, &heads, &beyond))),
                }
            }
            Ok(reply) => Completion::Fail(self.refusal(&reply.response)),
        }
    }

    /// Asks for streams and waits for the answer, which stands behind the replay.
    pub(super) async fn ask_for(
        &mut self,
        streams: &[(StreamId, Option<Cursor>)],
        replay_batch: u32,
    ) -> Result<Reply, Completion> {
        let mut topics = Vec::new();
        let mut cursors = Vec::new();
        for (stream, cursor) in streams {
            let Some(topic) = self.names.topic(stream) else {
                return Err(not_in_plan(stream));
            };
            topics.push(quoted(topic));
            cursors.extend(cursor.map(|cursor| format!("{}:{cursor}", quoted(topic))));
        }
        let fields = &self.profile.fields;
        let mut payload = format!("{{{}:[{}]", quoted(&fields.topics), topics.join(","));
        if !cursors.is_empty() {
            payload.push_str(&format!(",{}:{{{}}}", quoted(&fields.resume_after), cursors.join(",")));
        }
        payload.push_str(&format!(",{}:{replay_batch}}}", quoted(&fields.replay_batch_size)));
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.subscribe.clone());
        let answered = self.request(&channel, &event, payload, self.bounds.operation).await;
        answered.map_err(Completion::Info)
    }

    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion {
        let mut topics = Vec::new();
        for stream in streams {
            match self.names.topic(stream) {
                Some(topic) => topics.push(quoted(topic)),
                None => return not_in_plan(stream),
            }
        }
        let payload = format!("{{{}:[{}]}}", quoted(&self.profile.fields.topics), topics.join(","));
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.unsubscribe.clone());
        match self.request(&channel, &event, payload, self.bounds.operation).await {
            Err(why) => Completion::Info(why),
            Ok(reply) if reply.ok => Completion::Ok(Answer::Done),
            Ok(reply) => Completion::Fail(self.refusal(&reply.response)),
        }
    }

    fn heads(&self, response: &str) -> Vec<(StreamId, Seq)> {
        let fields = &self.profile.fields;
        let listed = RawObject::parse(response).ok().and_then(|reply| reply.list(&fields.current_watermarks));
        let head = |entry: &str| {
            let entry = RawObject::parse(entry).ok()?;
            let stream = self.names.stream_of_topic(&entry.text(&fields.topic)?)?;
            Some((stream, Seq(entry.number(&fields.watermark)?)))
        };
        listed.into_iter().flatten().filter_map(|entry| head(entry.get())).collect()
    }

    /// The socket's heartbeat, and behind it the channel's: only the latter's answer stands behind every delivery that the
    /// channel sent before it. A service without the latter is asked for the former alone.
    async fn heartbeat(&mut self) -> Completion {
        if self.profile.events.heartbeat.is_empty() {
            let answered = self.request("phoenix", "heartbeat", "{}".to_owned(), self.bounds.heartbeat).await;
            self.keepalive_at = Instant::now() + self.bounds.keepalive;
            return answered.map_or_else(Completion::Info, |_| Completion::Ok(Answer::Done));
        }
        match self.push("phoenix", "heartbeat", "{}".to_owned()).await {
            Ok(msg_ref) => self.unanswered = Some(msg_ref),
            Err(closed) => self.inbox.end(closed),
        }
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.heartbeat.clone());
        let answered = self.request(&channel, &event, "{}".to_owned(), self.bounds.heartbeat).await;
        self.keepalive_at = Instant::now() + self.bounds.keepalive;
        match answered {
            Err(why) => Completion::Info(why),
            Ok(reply) if reply.ok => Completion::Ok(Answer::Done),
            Ok(reply) => Completion::Fail(self.refusal(&reply.response)),
        }
    }

    /// Keeps socket and channel open while nobody asks for anything: the former counts any bytes, the latter only its own
    /// events. A heartbeat that the next one finds unanswered ends the session, as phoenix.js does.
    async fn keep_alive(&mut self) -> Result<(), Closed> {
        if self.unanswered.is_some() {
            return Err(Closed::Silent);
        }
        self.keepalive_at = Instant::now() + self.bounds.keepalive;
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.heartbeat.clone());
        if !event.is_empty() {
            self.push(&channel, &event, "{}".to_owned()).await?;
        }
        let msg_ref = self.push("phoenix", "heartbeat", "{}".to_owned()).await?;
        self.unanswered = Some(msg_ref);
        Ok(())
    }
}

#[async_trait]
impl Session for PhoenixSession {
    async fn invoke(&mut self, op: &Op) -> Completion {
        match op {
            Op::Subscribe { streams, replay_batch } => self.subscribe(streams, *replay_batch).await,
            Op::Unsubscribe { streams } => self.unsubscribe(streams).await,
            Op::Heartbeat => self.heartbeat().await,
            // The legacy lane keeps no checkpoints: the client's own on disk is all there is.
            Op::Checkpoint { .. } => Completion::Ok(Answer::Done),
            Op::Publish { .. } | Op::Policy { .. } => {
                Completion::Fail(refusal("not_a_writer", "a subscriber's session does not write"))
            }
        }
    }

    async fn next(&mut self) -> Arrival {
        loop {
            if let Some(arrival) = self.inbox.pop() {
                return arrival;
            }
            let due = self.keepalive_at;
            match timeout_at(due, self.socket.recv()).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => self.inbox.end(closed),
                Err(_) => {
                    if let Err(closed) = self.keep_alive().await {
                        self.inbox.end(closed);
                    }
                }
            }
        }
    }

    fn spoken(&self) -> Option<Spoken> {
        Some(Spoken {
            protocol: format!("Phoenix, vsn {}", vsn(self.serializer)),
            compression: None,
            confirmed: None,
            once: self.profile.events.frame.is_empty(),
        })
    }

    async fn close(&mut self) {
        if self.inbox.ended().is_none() {
            self.socket.close(self.bounds.close).await;
            self.inbox.end(Closed::ByClient);
        }
    }
}

/// How a session ended, in a few words.
fn told(closed: &Closed) -> String {
    match closed {
        Closed::CloseFrame { code } => format!("the lane closed the socket with {code}"),
        Closed::Lost { why } => format!("the connection was lost: {why}"),
        Closed::Silent => "the lane went silent".to_owned(),
        Closed::OurLimit { what } => what.clone(),
        Closed::Channel { event } => format!("the channel ended with {event}"),
        other => format!("{other:?}"),
    }
}
