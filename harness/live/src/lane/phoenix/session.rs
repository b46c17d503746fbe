//! A subscriber's session with a Phoenix channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::history::{Closed, Contradiction, Refusal, Spoken};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{JoinParams, Serializer};
use serde_json::Value;
use tokio::sync::mpsc;

use super::answers::Told;
use super::codec::{Message, encode};
use super::object::{RawObject, quoted};
use super::odd::odd_requests;
use super::probe::PROBE_REF;
use super::profile::PhoenixProfile;
use super::vsn;
use crate::bounds::Bound;
use crate::lane::conversation::{Connection, Conversation};
use crate::lane::names::Names;
use crate::lane::refusal::{STALE_CURSOR, not_in_plan, read_refusal, refusal, said, told, with_own_protocol};
use crate::lane::socket::{Bounds, Payload, Socket};
use crate::lane::{Arrival, ClientOptions, Completion, Head, Heads, OpError, OpenError, SubscriberSession};

/// The code of a lane that limits the rate (contract, "Errors").
const RATE_LIMITED: &str = "rate_limited";

/// The parameters of a join that a window is about.
const NEGOTIATED: [&str; 3] = ["client_build_id", "protocol_version", "schema_version"];

/// The reason of Phoenix for a channel that it does not have.
const UNMATCHED_TOPIC: &str = "unmatched topic";

const SOCKET_HEARTBEAT: (&str, &str) = ("phoenix", "heartbeat");

pub(super) struct Reply {
    pub(super) ok: bool,
    pub(super) response: String,
}

pub(super) struct PhoenixSession {
    pub(super) connection: Connection<Value, Reply>,
    pub(super) serializer: Serializer,
    pub(super) profile: Arc<PhoenixProfile>,
    pub(super) names: Arc<Names>,
    last_ref: u64,
    /// The current instance of the channel; null in V1, whose frames carry none.
    pub(super) join_ref: Value,
    /// The newest event of each stream since it was asked for.
    pub(super) newest: BTreeMap<StreamId, Seq>,
    /// The last event of each stream's last batch since it was asked for, and whether that batch ended the replay.
    pub(super) complete: BTreeMap<StreamId, (Seq, bool)>,
    /// The most events of a batch that it asked for so far.
    pub(super) batch_most: u32,
    pub(super) told: Told,
    /// The cursors that are probed, each with whether the event at or behind it came.
    pub(super) probing: Option<BTreeMap<StreamId, (Cursor, bool)>>,
    /// Gets a copy of every message that comes, in a trial.
    pub(super) copies: Option<mpsc::UnboundedSender<Message>>,
    /// The name that it joined by, where the service lists its clients.
    client: Option<String>,
}

/// Where each stream's head is: what the lane reports, but for those that a probe found below their cursors.
fn heads_of(streams: &[(StreamId, Option<Cursor>)], heads: &[(StreamId, Seq)], beyond: &[StreamId]) -> Heads {
    let head = |stream: &StreamId| {
        if beyond.contains(stream) {
            return Head::BelowCursor;
        }
        let reported = heads.iter().find(|(known, _)| known == stream);
        reported.map_or(Head::Unreported, |(_, seq)| Head::At(*seq))
    };
    streams.iter().map(|(stream, _)| (stream.clone(), head(stream))).collect()
}

impl PhoenixSession {
    pub(super) async fn join(
        socket: Socket,
        serializer: Serializer,
        profile: Arc<PhoenixProfile>,
        names: Arc<Names>,
        bounds: Bounds,
        client: &ClientOptions,
    ) -> Result<PhoenixSession, OpenError> {
        let mut session = PhoenixSession {
            connection: Connection::new(socket, bounds),
            serializer,
            told: Told::new(Arc::clone(&profile), Arc::clone(&names)),
            profile,
            names,
            last_ref: 0,
            join_ref: Value::Null,
            newest: BTreeMap::new(),
            complete: BTreeMap::new(),
            batch_most: 0,
            probing: None,
            copies: None,
            client: None,
        };
        let params = session.join_params(client)?;
        if serializer == Serializer::V2 {
            // As phoenix.js has it: the join's own ref names the instance.
            session.join_ref = Value::String("1".to_owned());
        }
        let channel = session.profile.channel.clone();
        match session.push_and_wait(&channel, "phx_join", params, bounds.open).await {
            Err(why) => Err(OpenError::passing(format!("the join of `{channel}` was not answered: {why}"))),
            Ok(reply) if reply.ok => {
                let wrong = session.told.joined(&reply.response);
                session.tell(wrong);
                Ok(session)
            }
            Ok(reply) => {
                let subscribed = client.join.is_some() && session.is_subscribed_all_the_same().await;
                Err(OpenError { subscribed, ..session.join_refused(&channel, &reply.response) })
            }
        }
    }

    /// Whether the channel that was refused takes a subscription.
    async fn is_subscribed_all_the_same(&mut self) -> bool {
        let Some(topic) = self.names.topics().next().map(quoted) else { return false };
        let payload = format!("{{{}:[{topic}]}}", quoted(&self.profile.fields.topics));
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.subscribe.clone());
        let answered = self.push_and_wait(&channel, &event, payload, self.connection.bounds.heartbeat).await;
        answered.is_ok_and(|reply| reply.ok)
    }

    fn join_params(&mut self, client: &ClientOptions) -> Result<String, OpenError> {
        let mut params = self.profile.join.clone();
        let name = self.names.client(&client.name);
        let is_empty = client.join == Some(JoinParams::default());
        if let Some(join) = &client.join {
            NEGOTIATED.iter().for_each(|field| drop(params.remove(*field)));
            let protocol = join.protocol.map(|protocol| said(protocol, self.profile.protocol_version()).into());
            let schema = join.schema.and_then(|schema| i64::try_from(schema).ok()).map(toml::Value::from);
            let values = [join.build.clone().map(toml::Value::from), protocol, schema];
            let said = NEGOTIATED.iter().zip(values).filter_map(|(field, value)| Some(((*field).to_owned(), value?)));
            params.extend(said);
        }
        if is_empty {
            params.clear();
        } else if !params.contains_key("client") {
            params.insert("client".to_owned(), name.clone().into());
            self.client = self.profile.presence.is_there().then_some(name);
        }
        serde_json::to_string(&params).map_err(|error| {
            OpenError::lasting(format!("the profile's [join] can't be written as JSON: {error}"))
                .hint("use strings, numbers, booleans, lists and tables")
        })
    }

    fn join_refused(&self, channel: &str, response: &str) -> OpenError {
        let json: Value = serde_json::from_str(response).unwrap_or_default();
        let refusal = with_own_protocol(self.refusal(response), self.profile.protocol_version());
        let is_of_the_profile = refusal.code == UNMATCHED_TOPIC;
        let hint = match json.get("upgrade_required") {
            _ if is_of_the_profile => "the lane has no such channel; `channel` of the lane profile names it",
            Some(_) => "the lane refuses this client's build or schema; [join] of the lane profile sets them",
            None => "",
        };
        let passing = ["join crashed", "too many channels joined", RATE_LIMITED].contains(&refusal.code.as_str());
        OpenError {
            what: format!("the join of `{channel}` was refused: {}", refusal.code),
            hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
            retryable: json.get("retryable").and_then(Value::as_bool).unwrap_or(passing),
            retry_after: None,
            refusal: Some(Box::new(refusal)),
            subscribed: false,
            is_of_the_profile,
        }
    }

    pub(super) fn refusal(&self, response: &str) -> Refusal {
        read_channel_refusal(&self.names, response)
    }

    fn next_ref(&mut self) -> Value {
        self.last_ref += 1;
        let prefix = if self.probing.is_some() { PROBE_REF } else { "" };
        Value::String(format!("{prefix}{}", self.last_ref))
    }

    fn push(&mut self, topic: &str, event: &str, payload: String) -> (Value, Payload) {
        let msg_ref = self.next_ref();
        let on_channel = topic == self.profile.channel;
        let message = Message {
            join_ref: if on_channel { self.join_ref.clone() } else { Value::Null },
            msg_ref: msg_ref.clone(),
            topic: topic.to_owned(),
            event: event.to_owned(),
            payload,
        };
        (msg_ref, Payload::Text(encode(self.serializer, &message)))
    }

    async fn push_and_wait(
        &mut self,
        topic: &str,
        event: &str,
        payload: String,
        within: Bound,
    ) -> Result<Reply, String> {
        let (msg_ref, message) = self.push(topic, event, payload);
        self.request(msg_ref, message, &format!("`{event}`"), within).await
    }

    async fn ask_channel(&mut self, event: &str, payload: String, within: Bound) -> Completion<Reply> {
        let channel = self.profile.channel.clone();
        match self.push_and_wait(&channel, event, payload, within).await {
            Err(why) => Err(OpError::Unknown(why)),
            Ok(reply) if reply.ok => Ok(reply),
            Ok(reply) => Err(OpError::from(self.refusal(&reply.response))),
        }
    }

    /// Asks for streams and waits for the answer, which comes after the replay.
    pub(super) async fn ask_for(
        &mut self,
        streams: &[(StreamId, Option<Cursor>)],
        replay_batch: u32,
    ) -> Completion<Reply> {
        self.batch_most = self.batch_most.max(replay_batch);
        let topics = self.topics(streams.iter().map(|(stream, _)| stream))?;
        let cursors = streams.iter().zip(&topics);
        let cursors = cursors.filter_map(|((_, cursor), topic)| Some(format!("{topic}:{}", (*cursor)?)));
        let cursors: Vec<String> = cursors.collect();
        let fields = &self.profile.fields;
        let mut payload = format!("{{{}:[{}]", quoted(&fields.topics), topics.join(","));
        if !cursors.is_empty() {
            payload.push_str(&format!(",{}:{{{}}}", quoted(&fields.resume_after), cursors.join(",")));
        }
        payload.push_str(&format!(",{}:{replay_batch}}}", quoted(&fields.replay_batch_size)));
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.subscribe.clone());
        let answered = self.push_and_wait(&channel, &event, payload, self.connection.bounds.operation).await;
        answered.map_err(OpError::Unknown)
    }

    fn topics<'a>(&self, streams: impl Iterator<Item = &'a StreamId>) -> Completion<Vec<String>> {
        let topic = |stream| self.names.topic(stream).map(quoted).ok_or_else(|| not_in_plan(stream));
        streams.map(topic).collect()
    }

    fn heads(&self, response: &str) -> Vec<(StreamId, Seq)> {
        read_heads(&self.profile, &self.names, response)
    }

    async fn send_socket_heartbeat(&mut self) -> Result<(), Closed> {
        let (topic, event) = SOCKET_HEARTBEAT;
        let (msg_ref, message) = self.push(topic, event, "{}".to_owned());
        self.connection.heartbeat_sent(msg_ref);
        self.connection.socket.send(message).await
    }
}

/// The heads that the answer to a subscribe names.
pub(super) fn read_heads(profile: &PhoenixProfile, names: &Names, response: &str) -> Vec<(StreamId, Seq)> {
    let fields = &profile.fields;
    let listed = RawObject::parse(response).ok().and_then(|reply| reply.list(&fields.current_watermarks));
    let head = |entry: &str| {
        let entry = RawObject::parse(entry).ok()?;
        let stream = names.stream_of_topic(&entry.text(&fields.topic)?)?;
        Some((stream, Seq(entry.number(&fields.watermark)?)))
    };
    listed.into_iter().flatten().filter_map(|entry| head(entry.get())).collect()
}

pub(super) fn read_channel_refusal(names: &Names, response: &str) -> Refusal {
    let json: Value = serde_json::from_str(response).unwrap_or_default();
    read_refusal(&json, |topic| names.stream_of_topic(topic)).unwrap_or_else(|| refusal("unknown", response))
}

impl Conversation for PhoenixSession {
    type Id = Value;
    type Reply = Reply;

    fn connection(&mut self) -> &mut Connection<Value, Reply> {
        &mut self.connection
    }

    fn take(&mut self, payload: Payload) {
        self.read(payload);
    }

    /// Keeps the channel open as well as the socket: a channel counts only its own events.
    async fn send_heartbeat(&mut self) -> Result<(), Closed> {
        let (channel, event) = (self.profile.channel.clone(), self.profile.events.heartbeat.clone());
        if !event.is_empty() {
            let (_, message) = self.push(&channel, &event, "{}".to_owned());
            self.connection.socket.send(message).await?;
        }
        self.send_socket_heartbeat().await
    }
}

#[async_trait]
impl SubscriberSession for PhoenixSession {
    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], replay_batch: u32) -> Completion<Heads> {
        self.newest.clear();
        self.complete.clear();
        let new = self.told.asked(streams);
        let reply = self.ask_for(streams, replay_batch).await?;
        if !reply.ok {
            self.told.refused(&new);
            let refusal = self.refusal(&reply.response);
            if refusal.code == STALE_CURSOR {
                let wrong = self.told.stale(&reply.response);
                self.tell(wrong);
            }
            return Err(OpError::from(refusal));
        }
        self.check_complete();
        let wrong = self.told.subscribed(streams, &reply.response);
        self.tell(wrong);
        let heads = self.heads(&reply.response);
        let beyond = self.probe(streams, &heads, replay_batch).await?;
        beyond.iter().for_each(|stream| self.told.lose(stream));
        Ok(heads_of(streams, &heads, &beyond))
    }

    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion {
        let topics = self.topics(streams.iter())?.join(",");
        let payload = format!("{{{}:[{topics}]}}", quoted(&self.profile.fields.topics));
        let event = self.profile.events.unsubscribe.clone();
        let reply = self.ask_channel(&event, payload, self.connection.bounds.operation).await?;
        let wrong = self.told.unsubscribed(streams, &reply.response);
        self.tell(wrong);
        Ok(())
    }

    /// The socket's heartbeat, and behind it the channel's: only the answer to the channel's heartbeat comes after
    /// every delivery that the channel sent before it. A service without one is asked for the socket's alone.
    async fn heartbeat(&mut self) -> Completion {
        let within = self.connection.bounds.heartbeat;
        let event = self.profile.events.heartbeat.clone();
        let answered = if event.is_empty() {
            let (topic, event) = SOCKET_HEARTBEAT;
            self.push_and_wait(topic, event, "{}".to_owned(), within).await.map_err(OpError::Unknown)
        } else {
            if let Err(closed) = self.send_socket_heartbeat().await {
                self.connection.inbox.end(closed);
            }
            self.told.beats();
            let answered = self.ask_channel(&event, "{}".to_owned(), within).await;
            if let Ok(reply) = &answered {
                let wrong = self.told.beat_answered(&reply.response);
                self.tell(wrong);
            }
            answered
        };
        self.connection.postpone_keepalive();
        answered.map(drop)
    }

    async fn ask_oddly(&mut self) -> Completion {
        let Some(topic) = self.told.topic().filter(|_| self.profile.has_every_field()) else { return Ok(()) };
        // Its refs are those of a probe: a fault takes none of this for a resume of the client.
        self.probing = Some(BTreeMap::new());
        let (channel, within) = (self.profile.channel.clone(), self.connection.bounds.heartbeat);
        for odd in odd_requests(&self.profile, &topic) {
            let reply =
                self.push_and_wait(&channel, &odd.event, odd.payload, within).await.map_err(OpError::Unknown)?;
            let refusal = self.refusal(&reply.response);
            let got = if reply.ok { "ok".to_owned() } else { told(&refusal) };
            if got != odd.expected {
                let said = format!("{got} to {}, and not {}", odd.what, odd.expected);
                self.tell([(None, 0, Contradiction::OddAnswer, said)]);
            }
        }
        self.probing = None;
        Ok(())
    }

    async fn next(&mut self) -> Arrival {
        self.next_arrival().await
    }

    fn connection_name(&self) -> Option<String> {
        self.client.clone()
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
        self.connection.close().await;
    }
}
