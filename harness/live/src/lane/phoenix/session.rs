//! A subscriber's session with a Phoenix channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::history::{Closed, Contradiction, Refusal, Spoken};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::Serializer;
use serde_json::Value;
use tokio::sync::mpsc;

use super::answers::Told;
use super::codec::{Message, encode};
use super::object::RawObject;
use super::odd::odd_requests;
use super::probe::PROBE_REF;
use super::profile::PhoenixProfile;
use super::vsn;
use crate::bounds::Bound;
use crate::lane::conversation::{Connection, Conversation};
use crate::lane::names::Names;
use crate::lane::refusal::{STALE_CURSOR, read_refusal, refusal, told};
use crate::lane::socket::{Bounds, Payload, Socket};
use crate::lane::{Arrival, ClientOptions, Completion, Head, Heads, OpError, OpenError, SubscriberSession};

/// The start of the ref of a subscribe, by which the proxy knows the answer to it.
pub(super) const RESUME_REF: &str = "resume-";

/// The start of the ref of a channel's heartbeat, by which the proxy knows the answer to it.
pub(super) const BEAT_REF: &str = "beat-";

pub(super) const JOIN: &str = "phx_join";

const SOCKET_HEARTBEAT: (&str, &str) = ("phoenix", "heartbeat");

pub(super) struct Reply {
    pub(super) ok: bool,
    pub(super) response: String,
    /// The channel that it came on.
    pub(super) channel: String,
}

pub(super) struct PhoenixSession {
    pub(super) connection: Connection<Value, Reply>,
    pub(super) serializer: Serializer,
    pub(super) profile: Arc<PhoenixProfile>,
    pub(super) names: Arc<Names>,
    last_ref: u64,
    /// The current instance of each channel that is joined; null in V1, whose frames carry none.
    pub(super) joined: BTreeMap<String, Value>,
    /// The channels that were left and not closed yet.
    pub(super) leaving: BTreeSet<String>,
    /// The parameters of a join.
    pub(super) params: toml::Table,
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
    pub(super) client: Option<String>,
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
            joined: BTreeMap::new(),
            leaving: BTreeSet::new(),
            params: toml::Table::new(),
            newest: BTreeMap::new(),
            complete: BTreeMap::new(),
            batch_most: 0,
            probing: None,
            copies: None,
            client: None,
        };
        session.params = session.join_params(client);
        // A channel for each topic is joined when it is subscribed, unless the join itself is judged.
        let first = session.names.topics().next().map(str::to_owned);
        let channel = match session.profile.channel_parts() {
            None => session.profile.channel.clone(),
            Some(_) if client.join.is_none() => return Ok(session),
            Some(_) => session.profile.channel_of(&first.unwrap_or_default()),
        };
        let params = session.join_body(Vec::new())?;
        match session.push_and_wait(&channel, JOIN, params, bounds.open).await {
            Err(why) => Err(OpenError::passing(format!("the join of `{channel}` was not answered: {why}"))),
            Ok(reply) if reply.ok => {
                let wrong = session.told.joined(&reply.response);
                session.tell(wrong);
                Ok(session)
            }
            Ok(reply) => {
                let subscribed = client.join.is_some() && session.is_subscribed_all_the_same(&channel).await;
                Err(OpenError { subscribed, ..session.join_refused(&channel, &reply.response) })
            }
        }
    }

    pub(super) fn refusal(&self, response: &str) -> Refusal {
        read_channel_refusal(&self.profile, &self.names, response)
    }

    fn next_ref(&mut self, event: &str) -> Value {
        self.last_ref += 1;
        let subscribe = if self.profile.joins_to_subscribe() { JOIN } else { &self.profile.events.subscribe };
        let prefix = match self.probing {
            Some(_) => PROBE_REF,
            None if event == subscribe => RESUME_REF,
            None if event == self.profile.events.heartbeat => BEAT_REF,
            None => "",
        };
        Value::String(format!("{prefix}{}", self.last_ref))
    }

    fn push(&mut self, topic: &str, event: &str, payload: String) -> (Value, Payload) {
        let msg_ref = self.next_ref(event);
        if event == JOIN {
            // As phoenix.js has it: the join's own ref names the instance.
            let instance = if self.serializer == Serializer::V2 { msg_ref.clone() } else { Value::Null };
            self.joined.insert(topic.to_owned(), instance);
        }
        let message = Message {
            join_ref: self.joined.get(topic).cloned().unwrap_or_default(),
            msg_ref: msg_ref.clone(),
            topic: topic.to_owned(),
            event: event.to_owned(),
            payload,
        };
        (msg_ref, Payload::Text(encode(self.serializer, &message)))
    }

    pub(super) async fn push_and_wait(
        &mut self,
        topic: &str,
        event: &str,
        payload: String,
        within: Bound,
    ) -> Result<Reply, String> {
        let (msg_ref, message) = self.push(topic, event, payload);
        self.request(msg_ref, message, &format!("`{event}`"), within).await
    }

    pub(super) async fn ask_channel(
        &mut self,
        channel: &str,
        event: &str,
        payload: String,
        within: Bound,
    ) -> Completion<Reply> {
        match self.push_and_wait(channel, event, payload, within).await {
            Err(why) => Err(OpError::Unknown(why)),
            Ok(reply) if reply.ok => Ok(reply),
            Ok(reply) => Err(OpError::from(self.refusal(&reply.response))),
        }
    }
    fn channels(&self) -> Vec<String> {
        match self.profile.channel_parts() {
            None => vec![self.profile.channel.clone()],
            Some(_) => self.joined.keys().cloned().collect(),
        }
    }

    async fn send_socket_heartbeat(&mut self) -> Result<(), Closed> {
        let (topic, event) = SOCKET_HEARTBEAT;
        let (msg_ref, message) = self.push(topic, event, "{}".to_owned());
        self.connection.heartbeat_sent(msg_ref);
        self.connection.socket.send(message).await
    }
}

/// The heads that the answer to a subscribe names, which came on this channel.
pub(super) fn read_heads(
    profile: &PhoenixProfile,
    names: &Names,
    (channel, response): (&str, &str),
) -> Vec<(StreamId, Seq)> {
    let body = RawObject::parse(profile.replied(response)).unwrap_or_default();
    let named = body.get(&profile.fields.current_watermarks);
    let marks = named.map(|text| profile.marks(channel, text)).unwrap_or_default();
    marks.into_iter().filter_map(|(topic, seq)| Some((names.stream_of_topic(&topic)?, Seq(seq)))).collect()
}

pub(super) fn read_channel_refusal(profile: &PhoenixProfile, names: &Names, response: &str) -> Refusal {
    read_refusal(&profile.refused(response), |topic| names.stream_of_topic(topic))
        .unwrap_or_else(|| refusal("unknown", response))
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
        let event = self.profile.events.heartbeat.clone();
        for channel in self.channels().into_iter().filter(|_| !event.is_empty()) {
            let beat = self.profile.request("{}".to_owned());
            let (_, message) = self.push(&channel, &event, beat);
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
        let replies = self.ask_for(streams, replay_batch).await?;
        if let Some(reply) = replies.iter().find(|reply| !reply.ok) {
            self.told.refused(&new);
            let refusal = self.refusal_of(reply);
            if refusal.code == STALE_CURSOR {
                let wrong = self.told.stale(&reply.response);
                self.tell(wrong);
            }
            return Err(OpError::from(refusal));
        }
        self.check_complete();
        for reply in &replies {
            let wrong = self.told.subscribed(streams, &reply.response);
            self.tell(wrong);
        }
        let heads = self.heads(&replies);
        self.await_replay(streams, &new, &heads).await;
        let beyond = self.probe(streams, &heads, replay_batch).await?;
        beyond.iter().for_each(|stream| self.told.lose(stream));
        Ok(heads_of(streams, &heads, &beyond))
    }

    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion {
        let topics = self.topics(streams.iter())?;
        let event = self.profile.events.unsubscribe.clone();
        let each = if self.profile.channel_parts().is_some() { 1 } else { topics.len().max(1) };
        for (topics, streams) in topics.chunks(each).zip(streams.chunks(each)) {
            let channel = self.profile.channel_of(&topics[0]);
            if event.is_empty() {
                self.leave(&channel).await?;
                let wrong = self.told.unsubscribed(streams, "{}");
                self.tell(wrong);
                continue;
            }
            let payload = self.profile.request(self.topics_alone(topics));
            let reply = self.ask_channel(&channel, &event, payload, self.connection.bounds.operation).await?;
            let wrong = self.told.unsubscribed(streams, &reply.response);
            self.tell(wrong);
        }
        Ok(())
    }

    /// The socket's heartbeat, and behind it the channel's: only the answer to the channel's heartbeat comes after
    /// every delivery that the channel sent before it. A service without one is asked for the socket's alone.
    async fn heartbeat(&mut self) -> Completion {
        let within = self.connection.bounds.heartbeat;
        let event = self.profile.events.heartbeat.clone();
        let channels = self.channels();
        let answered = if event.is_empty() || channels.is_empty() {
            let (topic, event) = SOCKET_HEARTBEAT;
            self.push_and_wait(topic, event, "{}".to_owned(), within).await.map_err(OpError::Unknown).map(drop)
        } else {
            if let Err(closed) = self.send_socket_heartbeat().await {
                self.connection.inbox.end(closed);
            }
            self.told.beats();
            let mut all = Ok(());
            for channel in channels {
                let beat = self.profile.request("{}".to_owned());
                let answered = self.ask_channel(&channel, &event, beat, within).await;
                if let Ok(reply) = &answered {
                    let wrong = self.told.beat_answered(&reply.response);
                    self.tell(wrong);
                }
                all = all.and(answered.map(drop));
            }
            all
        };
        self.connection.postpone_keepalive();
        answered
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

    fn asks_one_by_one(&self) -> bool {
        self.profile.channel_parts().is_some()
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
