//! Reads a message that came: an arrival, the answer to a request, the session's end, or nothing.

use cutover_core::history::{Closed, Contradiction, Via};
use cutover_core::ids::{Seq, StreamId};

use super::answers::Wrong;
use super::batch::{FrameCopy, Update, read_batch, read_frame};
use super::claims::Claims;
use super::codec::{Message, decode};
use super::object::RawObject;
use super::session::{PhoenixSession, Reply};
use crate::frame::{Body, Direction};
use crate::lane::Arrival;
use crate::lane::socket::Payload;

/// Codes of `sync:error` that only announce the error reply to a request. The reply has the details.
const ANNOUNCEMENTS: [&str; 3] = ["stale_cursor", "bad_subscription", "forbidden_topic"];

/// What Phoenix itself sends of the clients of a channel.
const PRESENCE: [&str; 2] = ["presence_state", "presence_diff"];

/// The code of a strike against a client that reads too slowly. The channel goes on until the last one.
const SLOW_CONSUMER: &str = "slow_consumer";

impl PhoenixSession {
    pub(super) fn read(&mut self, payload: Payload) {
        let body = match payload {
            Payload::Text(text) => Body::Text(text.into()),
            Payload::Binary(bytes) => Body::Binary(bytes),
        };
        let message = match decode(self.serializer, Direction::Downstream, &body) {
            Ok(message) => message,
            Err(error) => return self.connection.inbox.unreadable(error.to_string()),
        };
        if let Some(copies) = &self.copies {
            let _ = copies.send(message.clone());
        }
        if message.event == "phx_reply" {
            return self.take_reply(&message);
        }
        if !self.profile.is_channel(&message.topic) {
            return;
        }
        if message.event == "phx_close" && self.leaving.remove(&message.topic) {
            return;
        }
        // What an earlier instance of the channel still says is dropped, as phoenix.js does ("dropping outdated
        // message").
        let joined = self.joined.get(&message.topic);
        let outdated = !message.join_ref.is_null() && Some(&message.join_ref) != joined;
        if outdated || joined.is_none() {
            return;
        }
        let events = &self.profile.events;
        let (channel, body) = (&message.topic, self.profile.body(&message.payload));
        match message.event.as_str() {
            "phx_close" | "phx_error" => self.connection.inbox.end(Closed::Channel { event: message.event }),
            // The profile's name is empty where the service has no such event.
            "" => {}
            name if name == events.update_batch => {
                let claims = Claims::of_batch(&self.profile, channel, body);
                self.take_batch(channel, body, Via::UpdateBatch, &claims);
            }
            name if name == events.frame => self.take_frame(channel, body),
            name if name == events.error => self.take_error(&message.payload),
            name if name == events.heartbeat => {
                let wrong = self.told.beat(&message.payload);
                self.tell(wrong);
            }
            name if PRESENCE.contains(&name) => {}
            name => self.connection.inbox.push(Arrival::Ignored(format!("an event of the unknown name `{name:.80}`"))),
        }
    }

    fn take_reply(&mut self, message: &Message) {
        if self.connection.heartbeat_answered(&message.msg_ref) || !self.connection.waits_for(&message.msg_ref) {
            return;
        }
        let reply = RawObject::parse(&message.payload).ok().and_then(|reply| {
            let ok = reply.text("status")? == "ok";
            let (response, channel) = (reply.get("response").unwrap_or("null").to_owned(), message.topic.clone());
            Some(Reply { ok, response, channel })
        });
        match reply {
            Some(reply) => self.connection.answer(&message.msg_ref, reply),
            None => self.connection.inbox.unreadable(format!("a reply without a status: {}", message.payload)),
        }
    }

    fn take_batch(&mut self, channel: &str, batch: &str, via: Via, claims: &Claims) {
        let updates = match read_batch(&self.profile, channel, batch) {
            Ok(updates) => updates,
            Err(what) => return self.connection.inbox.unreadable(what),
        };
        self.compare(&updates.iter().flatten().collect::<Vec<_>>(), claims, batch, via);
        for update in updates {
            match update {
                Err(what) => self.connection.inbox.unreadable(what),
                Ok(update) => match self.names.stream_of_topic(&update.topic) {
                    Some(stream) if self.note(&stream, Seq(update.seq)) => {}
                    Some(stream) => self.take_update(stream, update, via),
                    None => {
                        self.connection.inbox.push(Arrival::Foreign { name: update.topic, seq: Seq(update.seq), via })
                    }
                },
            }
        }
    }

    fn take_update(&mut self, stream: StreamId, update: Update, via: Via) {
        if self.told.came(&stream, update.seq) {
            let said = "the event".to_owned();
            self.told_wrong(Some(&stream), update.seq, Contradiction::AfterUnsubscribe, said);
        }
        for (what, said) in update.broken {
            self.told_wrong(Some(&stream), update.seq, what, said);
        }
        self.connection.inbox.push(Arrival::Event {
            stream,
            seq: Seq(update.seq),
            payload: update.payload,
            declared: update.declared,
            key: update.key,
            via,
        });
    }

    /// Compares what a message says of its events with them. What a probe asked for is no part of the run.
    fn compare(&mut self, updates: &[&Update], claims: &Claims, batch: &str, via: Via) {
        let Some(last) = updates.iter().max_by_key(|update| update.seq) else {
            return;
        };
        let Some(stream) = self.names.stream_of_topic(&last.topic) else {
            return;
        };
        if self.probing.is_some() {
            return;
        }
        if self.profile.has_every_field() && updates.len() > self.batch_most.max(1) as usize {
            let said = format!("{} events", updates.len());
            self.told_wrong(Some(&stream), last.seq, Contradiction::BatchTooLong, said);
        }
        let head = claims.head_of(&last.topic).unwrap_or(last.seq);
        for (what, said) in claims.contradictions(updates) {
            let by_head = matches!(what, Contradiction::CompleteTooSoon | Contradiction::CompleteTooLate);
            self.told_wrong(Some(&stream), if by_head { head } else { last.seq }, what, said);
        }
        if via == Via::UpdateBatch {
            self.told.head(&stream, head);
        }
        if self.told.differs(&last.topic, last.seq, batch, via == Via::Frame) {
            self.told_wrong(Some(&stream), last.seq, Contradiction::CopiesDiffer, "another text".to_owned());
        }
        if let Some(complete) = claims.complete {
            self.complete.insert(stream, (Seq(last.seq), complete));
        }
    }

    /// The reply to a subscribe came: every replay must have said that it is complete.
    pub(super) fn check_complete(&mut self) {
        for (stream, (seq, complete)) in std::mem::take(&mut self.complete) {
            if !complete {
                self.told_wrong(Some(&stream), seq.0, Contradiction::NeverComplete, "more to replay".to_owned());
            }
        }
    }

    fn told_wrong(&mut self, stream: Option<&StreamId>, seq: u64, what: Contradiction, said: String) {
        self.tell([(stream.cloned(), seq, what, said)]);
    }

    pub(super) fn tell(&mut self, wrong: impl IntoIterator<Item = Wrong>) {
        for (stream, seq, what, said) in wrong {
            self.connection.inbox.push(Arrival::Contradiction { stream, seq: Seq(seq), what, said });
        }
    }

    fn take_frame(&mut self, channel: &str, payload: &str) {
        match read_frame(&self.profile, payload) {
            Ok(FrameCopy::Batch(batch)) => {
                let claims = Claims::of_frame(&self.profile, payload);
                self.take_batch(channel, &batch, Via::Frame, &claims);
            }
            Ok(FrameCopy::Error(copy)) => {
                let wrong = self.told.error_frame(payload, copy);
                self.tell(wrong);
            }
            Ok(FrameCopy::Heartbeat) => {}
            Ok(FrameCopy::Ignored(what)) => self.connection.inbox.push(Arrival::Ignored(what)),
            Err(what) => self.connection.inbox.unreadable(what),
        }
    }

    fn take_error(&mut self, payload: &str) {
        let error = RawObject::parse(&self.profile.error_of(payload).to_string()).unwrap_or_default();
        let code = error.text("code").unwrap_or_default();
        if code == SLOW_CONSUMER {
            let (strike, wait, wrong) = self.told.strike(payload, &error);
            self.tell(wrong);
            return self.connection.inbox.push(Arrival::Struck { strike, wait });
        }
        if self.connection.is_waiting() && ANNOUNCEMENTS.contains(&code.as_str()) {
            return self.told.error(payload);
        }
        // The lane will drop the socket: only a new session is sure.
        self.connection.inbox.end(Closed::Channel { event: format!("{} {code}", self.profile.events.error) });
    }
}
