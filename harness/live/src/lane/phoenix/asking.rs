//! What a session asks of the channels: a subscribe to each topic, where it is, and whether the service sent what it
//! says that it has.

use cutover_core::history::{Refusal, StaleStream, UNSAID};
use cutover_core::ids::{Cursor, Seq, StreamId};

use super::object::quoted;
use super::session::{JOIN, PhoenixSession, Reply, read_heads};
use crate::lane::conversation::Conversation;
use crate::lane::refusal::{STALE_CURSOR, not_in_plan};
use crate::lane::{Completion, OpError};

const LEAVE: &str = "phx_leave";

impl PhoenixSession {
    /// Asks for streams and waits for the answer, which comes after the replay. The first refusal is the answer.
    pub(super) async fn ask_for(
        &mut self,
        streams: &[(StreamId, Option<Cursor>)],
        replay_batch: u32,
    ) -> Completion<Vec<Reply>> {
        self.batch_most = self.batch_most.max(replay_batch);
        let topics = self.topics(streams.iter().map(|(stream, _)| stream))?;
        let asked = topics.into_iter().zip(streams.iter().map(|(_, cursor)| cursor.map(|cursor| cursor.0)));
        let asked: Vec<(String, Option<u64>)> = asked.collect();
        let mut replies = Vec::new();
        let each = if self.profile.channel_parts().is_some() { 1 } else { asked.len().max(1) };
        for asked in asked.chunks(each) {
            let reply = self.ask_channel_for(asked, replay_batch).await?;
            if !reply.ok {
                return Ok(vec![reply]);
            }
            replies.push(reply);
        }
        Ok(replies)
    }

    /// Asks for topics on the channel that has them, which is joined first where it is not.
    pub(super) async fn ask_channel_for(
        &mut self,
        asked: &[(String, Option<u64>)],
        replay_batch: u32,
    ) -> Completion<Reply> {
        let channel = asked.first().map_or_else(String::new, |(topic, _)| self.profile.channel_of(topic));
        let within = self.connection.bounds.operation;
        let asked: Vec<(&str, Option<u64>)> = asked.iter().map(|(topic, cursor)| (topic.as_str(), *cursor)).collect();
        let fields = self.profile.subscribe_fields(&asked, replay_batch);
        let event = self.profile.events.subscribe.clone();
        let by_join = self.profile.joins_to_subscribe();
        let is_joined = self.joined.contains_key(&channel);
        if by_join && is_joined {
            self.leave(&channel).await?;
        }
        if by_join || !is_joined {
            let fields = if by_join { fields.clone() } else { Vec::new() };
            let params = self.join_body(fields).map_err(|error| OpError::Unknown(error.what))?;
            let reply = self.push_and_wait(&channel, JOIN, params, within).await.map_err(OpError::Unknown)?;
            if !reply.ok {
                self.joined.remove(&channel);
            }
            if by_join || !reply.ok {
                return Ok(reply);
            }
        }
        let payload = self.profile.request(format!("{{{}}}", fields.join(",")));
        self.push_and_wait(&channel, &event, payload, within).await.map_err(OpError::Unknown)
    }

    pub(super) async fn leave(&mut self, channel: &str) -> Completion {
        let within = self.connection.bounds.operation;
        self.leaving.insert(channel.to_owned());
        self.ask_channel(channel, LEAVE, "{}".to_owned(), within).await?;
        self.joined.remove(channel);
        Ok(())
    }

    pub(super) fn topics<'a>(&self, streams: impl Iterator<Item = &'a StreamId>) -> Completion<Vec<String>> {
        let topic = |stream| self.names.topic(stream).map(str::to_owned).ok_or_else(|| not_in_plan(stream));
        streams.map(topic).collect()
    }

    /// The body of a request that names topics and nothing else.
    pub(super) fn topics_alone(&self, topics: &[String]) -> String {
        let name = &self.profile.fields.topics;
        if name.is_empty() {
            return "{}".to_owned();
        }
        format!("{{{}:[{}]}}", quoted(name), topics.iter().map(|topic| quoted(topic)).collect::<Vec<_>>().join(","))
    }

    pub(super) fn heads(&self, replies: &[Reply]) -> Vec<(StreamId, Seq)> {
        let heads = |reply: &Reply| read_heads(&self.profile, &self.names, (&reply.channel, &reply.response));
        replies.iter().flat_map(heads).collect()
    }

    /// The refusal of a subscribe. Where a channel has one topic, it is that one which is stale.
    pub(super) fn refusal_of(&self, reply: &Reply) -> Refusal {
        let mut refusal = self.refusal(&reply.response);
        if refusal.code != STALE_CURSOR {
            return refusal;
        }
        let says_reasons = !self.profile.refusal.reason_codes.is_empty();
        if refusal.reasons.is_empty() && !says_reasons {
            refusal.reasons.push(UNSAID.to_owned());
        }
        if self.profile.refusal.reason.is_empty() {
            let reason = refusal.reasons.first().cloned().unwrap_or_default();
            refusal.stale.iter_mut().for_each(|stale| stale.reason.clone_from(&reason));
        }
        let topic = self.profile.topic_of_channel(&reply.channel).filter(|_| refusal.stale.is_empty());
        if let Some(stream) = topic.and_then(|topic| self.names.stream_of_topic(topic)) {
            let reason = refusal.reasons.first().cloned().unwrap_or_default();
            refusal.stale.push(StaleStream { reason, ..StaleStream::of(stream) });
        }
        refusal
    }

    /// Waits for the heads that a reply names, since a service of other forms may replay behind its reply.
    pub(super) async fn await_replay(
        &mut self,
        asked: &[(StreamId, Option<Cursor>)],
        new: &[StreamId],
        heads: &[(StreamId, Seq)],
    ) {
        if self.profile.has_every_field() {
            return;
        }
        let by_join = self.profile.joins_to_subscribe();
        let is_due = |(stream, head): &&(StreamId, Seq)| {
            let asked = asked.iter().find(|(known, _)| known == stream);
            asked.is_some_and(|(_, cursor)| {
                let is_sent = by_join || cursor.is_some() || new.contains(stream);
                is_sent && cursor.unwrap_or_default().0 < head.0
            })
        };
        let due: Vec<(StreamId, Seq)> = heads.iter().filter(is_due).cloned().collect();
        let came = |session: &PhoenixSession| {
            due.iter().all(|(stream, head)| session.newest.get(stream).is_some_and(|newest| newest >= head))
        };
        self.take_until(self.connection.bounds.heartbeat, came).await;
    }
}
