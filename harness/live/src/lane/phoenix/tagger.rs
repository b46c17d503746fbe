//! Says what a Phoenix frame carries.

#![allow(missing_docs, reason = "the names say it")]

mod publish;

use std::sync::Arc;

use cutover_core::history::{Refusal, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{MessageKind, Serializer};
use serde_json::value::RawValue;

use super::batch::{FrameCopy, read_batch, read_frame};
use super::codec::{Message, decode, frame_body};
use super::edit;
use super::heads;
use super::object::{RawObject, quoted};
use super::probe::PROBE_REF;
use super::profile::PhoenixProfile;
use super::session::{BEAT_REF, RESUME_REF, read_channel_refusal, read_heads};
use super::values::Values;
use crate::frame::{Body, Carried, Contents, Direction, Edit, Facts, Frame, FrameTag, FrameTagger, Kinds, pointer};
use crate::lane::generic;
use crate::lane::names::Names;

#[derive(Debug, Clone)]
pub struct Tagger {
    serializer: Serializer,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
}

fn is_probe(message: &Message) -> bool {
    message.msg_ref.as_str().is_some_and(|msg_ref| msg_ref.starts_with(PROBE_REF))
}

impl Tagger {
    pub fn new(serializer: Serializer, profile: Arc<PhoenixProfile>, names: Arc<Names>) -> Tagger {
        Tagger { serializer, profile, names }
    }

    fn tag_to_lane(&self, message: &Message) -> FrameTag {
        let events = &self.profile.events;
        if self.is_the_only_heartbeat(message) && message.event == "heartbeat" {
            return FrameTag::Heartbeat;
        }
        if !self.profile.is_channel(&message.topic) {
            return FrameTag::Other;
        }
        match message.event.as_str() {
            "phx_join" if self.profile.joins_to_subscribe() => self.tag_subscribe(message),
            "phx_join" => FrameTag::Join,
            name if name == events.heartbeat => FrameTag::Heartbeat,
            name if name == events.subscribe => self.tag_subscribe(message),
            _ => FrameTag::Other,
        }
    }

    fn tag_subscribe(&self, message: &Message) -> FrameTag {
        // A probe is a question of the session's own.
        let cursors = if is_probe(message) { None } else { self.cursors(message) };
        cursors.map_or(FrameTag::Other, |cursors| FrameTag::Resume { cursors, opens: true })
    }

    fn cursors(&self, message: &Message) -> Option<Vec<(StreamId, Option<Cursor>)>> {
        let fields = &self.profile.fields;
        let payload = RawObject::parse(self.profile.requested(&message.payload)).ok()?;
        let resume = payload.get(&fields.resume_after).map(|text| self.profile.marks(&message.topic, text));
        let resume = resume.unwrap_or_default();
        let topics: Vec<Box<RawValue>> = match self.profile.topic_of_channel(&message.topic) {
            Some(topic) => vec![RawValue::from_string(quoted(topic)).ok()?],
            None => payload.list(&fields.topics)?,
        };
        let stream = |topic: &RawValue| {
            let topic: String = serde_json::from_str(topic.get()).ok()?;
            let cursor = resume.iter().rev().find(|(name, _)| *name == topic).map(|(_, cursor)| Cursor(*cursor));
            Some((self.names.stream_of_topic(topic.trim())?, cursor))
        };
        Some(topics.iter().filter_map(|topic| stream(topic)).collect())
    }

    fn is_the_only_heartbeat(&self, message: &Message) -> bool {
        message.topic == SOCKET_TOPIC && self.profile.events.heartbeat.is_empty()
    }

    fn tag_to_client(&self, message: &Message) -> FrameTag {
        let events = &self.profile.events;
        if self.is_the_only_heartbeat(message) && message.event == "phx_reply" {
            return FrameTag::HeartbeatReply;
        }
        if !self.profile.is_channel(&message.topic) {
            return FrameTag::Other;
        }
        let channel = &message.topic;
        match message.event.as_str() {
            "phx_reply" if is_probe(message) => FrameTag::Other,
            "phx_reply" => self.tag_reply(message),
            name if name == events.update_batch => {
                self.tag_batch(channel, self.profile.body(&message.payload), Via::UpdateBatch)
            }
            name if name == events.frame => match read_frame(&self.profile, self.profile.body(&message.payload)) {
                Ok(FrameCopy::Batch(batch)) => self.tag_batch(channel, &batch, Via::Frame),
                _ => FrameTag::Other,
            },
            _ => FrameTag::Other,
        }
    }

    /// Replies name their request only by ref. A session of ours says in it what it asks. The replies to other clients
    /// are identified by what only they contain: a join's `allowed_topics`, a subscribe's `topics` with
    /// `current_watermarks`, a heartbeat's `watermarks`, a refusal's `code`.
    fn tag_reply(&self, message: &Message) -> FrameTag {
        match message.msg_ref.as_str() {
            Some(msg_ref) if msg_ref.starts_with(RESUME_REF) => return FrameTag::ResumeReply,
            Some(msg_ref) if msg_ref.starts_with(BEAT_REF) => return FrameTag::HeartbeatReply,
            _ => {}
        }
        let fields = &self.profile.fields;
        let response = RawObject::parse(&message.payload).ok().and_then(|reply| {
            let response = reply.get("response")?;
            let at = if reply.text("status")? == "ok" {
                &self.profile.envelope.reply
            } else {
                &self.profile.envelope.refusal
            };
            RawObject::parse(pointer::find(response, at).unwrap_or(response)).ok()
        });
        let Some(response) = response else {
            return FrameTag::Other;
        };
        let has = |name: &str| response.get(name).is_some();
        // A join refused for its build or schema carries a code too, but that is no answer to a resume.
        let join = has(&fields.allowed_topics) || has(&self.profile.refusal.upgrade_required);
        if !join && (has(&self.profile.refusal.code) || (has(&fields.current_watermarks) && has(&fields.topics))) {
            FrameTag::ResumeReply
        } else if has(&fields.watermarks) {
            FrameTag::HeartbeatReply
        } else {
            FrameTag::Other
        }
    }

    fn tag_batch(&self, channel: &str, batch: &str, via: Via) -> FrameTag {
        self.delivery(heads::of_batch(&self.profile, channel, batch).unwrap_or_default(), via)
    }

    fn delivery(&self, events: Vec<(String, u64)>, via: Via) -> FrameTag {
        let named = |(topic, seq): (String, u64)| Some((self.names.stream_of_topic(&topic)?, Seq(seq)));
        FrameTag::Delivery { events: events.into_iter().filter_map(named).collect(), via }
    }

    /// The tag of a V2 update batch, which are most of what a lane sends, without taking the message apart.
    fn tag_at_sight(&self, frame: &Frame) -> Option<FrameTag> {
        let (Serializer::V2, Direction::Downstream, Body::Text(text)) = (self.serializer, frame.direction, &frame.body)
        else {
            return None;
        };
        let events = heads::of_v2(&self.profile, std::str::from_utf8(text).ok()?)?;
        Some(self.delivery(events, Via::UpdateBatch))
    }

    /// The sorts of message that have no tag, since the harness's own sessions don't count them: a join of another
    /// channel, and the socket's own heartbeat.
    fn untagged(message: &Message, direction: Direction) -> Kinds {
        let kind = match (direction, message.topic.as_str(), message.event.as_str()) {
            (Direction::Upstream, _, "phx_join") => MessageKind::Join,
            (Direction::Upstream, SOCKET_TOPIC, "heartbeat") => MessageKind::Heartbeat,
            (Direction::Downstream, SOCKET_TOPIC, "phx_reply") => MessageKind::HeartbeatReply,
            _ => MessageKind::Other,
        };
        Kinds::from(kind)
    }

    fn message(&self, frame: &Frame) -> Option<Message> {
        decode(self.serializer, frame.direction, &frame.body).ok()
    }

    fn delivered(&self, message: &Message) -> Vec<Carried> {
        let events = &self.profile.events;
        let (channel, body) = (&message.topic, self.profile.body(&message.payload));
        let updates = match message.event.as_str() {
            name if name == events.update_batch => read_batch(&self.profile, channel, body),
            name if name == events.frame => match read_frame(&self.profile, body) {
                Ok(FrameCopy::Batch(batch)) => read_batch(&self.profile, channel, &batch),
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let carried = updates.unwrap_or_default().into_iter().flatten().filter_map(|update| {
            Some(Carried {
                stream: self.names.stream_of_topic(&update.topic)?,
                seq: Some(Seq(update.seq)),
                payload: update.payload,
            })
        });
        carried.collect()
    }

    fn edited_payload(&self, message: &Message, direction: Direction, edit: &Edit) -> Option<String> {
        let body = match direction {
            Direction::Upstream => self.profile.requested(&message.payload),
            Direction::Downstream => self.profile.body(&message.payload),
        };
        let edited = self.edited_body(message, body, direction, edit)?;
        pointer::spliced(&message.payload, vec![(pointer::range_in(&message.payload, body)?, edited)])
    }

    fn edited_body(&self, message: &Message, body: &str, direction: Direction, edit: &Edit) -> Option<String> {
        let (profile, names, channel) = (&*self.profile, &*self.names, &*message.topic);
        let events = &profile.events;
        let is_subscribe =
            || message.event == if profile.joins_to_subscribe() { "phx_join" } else { events.subscribe.as_str() };
        match (direction, edit) {
            (Direction::Upstream, Edit::Cursor { stream, to }) if is_subscribe() => {
                edit::with_cursor(profile, channel, body, names.topic(stream)?, *to)
            }
            (Direction::Downstream, Edit::SetJson { .. } | Edit::SetColumn { .. }) => {
                let values = Values::new(profile, names, edit)?;
                match message.event.as_str() {
                    name if name == events.update_batch => values.in_batch(channel, body),
                    name if name == events.frame => values.in_frame(channel, body),
                    _ => None,
                }
            }
            (Direction::Downstream, edit) if message.event == events.update_batch => {
                edit::with_batch_edited(profile, names, channel, body, edit)
            }
            (Direction::Downstream, edit) if message.event == events.frame => {
                edit::with_frame_edited(profile, names, channel, body, edit)
            }
            _ => None,
        }
    }

    fn with_payload(&self, frame: &Frame, mut message: Message, payload: String) -> Option<Frame> {
        let body = match &frame.body {
            Body::Text(text) => {
                let at = match self.serializer {
                    Serializer::V1 => "/payload",
                    Serializer::V2 => "/4",
                };
                let text = pointer::replaced(std::str::from_utf8(text).ok()?, at, &payload)?;
                Body::Text(text.into())
            }
            _ => {
                message.payload = payload;
                frame_body(self.serializer, &message)
            }
        };
        Some(Frame { direction: frame.direction, body })
    }
}

const SOCKET_TOPIC: &str = "phoenix";

impl FrameTagger for Tagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        self.facts(frame).tag
    }

    fn facts(&self, frame: &Frame) -> Facts {
        if let Body::Http(bytes) = &frame.body {
            let mut facts = Facts::of(frame, self.tag_http(frame.direction, bytes));
            if facts.tag == FrameTag::Publish {
                facts.streams.extend(self.published(frame).map(|event| (event.stream, None)));
            }
            return facts;
        }
        if let Some(tag) = self.tag_at_sight(frame) {
            let mut facts = Facts::of(frame, tag);
            if self.names.is_any() {
                facts.streams.push((StreamId::new(&self.profile.channel), None));
            }
            return facts;
        }
        let Some(message) = self.message(frame) else {
            return Facts::of(frame, FrameTag::Other);
        };
        let tag = match frame.direction {
            Direction::Upstream => self.tag_to_lane(&message),
            Direction::Downstream => self.tag_to_client(&message),
        };
        let mut facts = Facts::of(frame, tag);
        facts.kinds = facts.kinds.and(Tagger::untagged(&message, frame.direction));
        if self.names.is_any() {
            facts.streams.push((StreamId::new(message.topic), None));
        }
        facts
    }

    fn is_plain(&self, frame: &Frame) -> bool {
        // A `sync:frame` holds its batch encoded.
        let encoded = pointer::last_name(&self.profile.fields.payload_bytes);
        let encoded = encoded.as_deref().unwrap_or(&self.profile.fields.payload_bytes).as_bytes();
        matches!(&frame.body, Body::Text(text) if memchr::memmem::find(text, encoded).is_none())
    }

    fn contents(&self, frame: &Frame) -> Contents {
        let mut contents = generic::GenericTagger.contents(frame);
        if let Body::Http(bytes) = &frame.body {
            contents.names = Vec::new();
            if self.tag_http(frame.direction, bytes) == FrameTag::Publish {
                contents.events.extend(self.published(frame));
            }
            return contents;
        }
        let Some(message) = self.message(frame) else {
            return contents;
        };
        if frame.direction == Direction::Downstream && self.profile.is_channel(&message.topic) {
            contents.events = self.delivered(&message);
        }
        contents.names = vec![message.event];
        contents
    }

    fn answer(&self, frame: &Frame) -> Option<Result<Vec<(StreamId, Seq)>, Refusal>> {
        if self.tag(frame) != FrameTag::ResumeReply {
            return None;
        }
        let message = self.message(frame)?;
        let reply = RawObject::parse(&message.payload).ok()?;
        let response = reply.get("response")?;
        Some(match reply.text("status").as_deref() {
            Some("ok") => Ok(read_heads(&self.profile, &self.names, (&message.topic, response))),
            _ => Err(read_channel_refusal(&self.profile, &self.names, response)),
        })
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let edited = if matches!(frame.body, Body::Http(_)) {
            let publishes = self.tag(frame) == FrameTag::Publish;
            publishes.then(|| self.edited_publish(frame, edit)).flatten()
        } else {
            let message = self.message(frame).filter(|message| self.profile.is_channel(&message.topic));
            message.and_then(|message| {
                let payload = self.edited_payload(&message, frame.direction, edit)?;
                self.with_payload(frame, message, payload)
            })
        };
        match (edited, edit) {
            (None, Edit::SetJson { pointer, value, .. }) => generic::with_value(frame, pointer, value),
            (edited, _) => edited,
        }
    }
}

#[cfg(test)]
mod tests;
