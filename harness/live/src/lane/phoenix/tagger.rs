//! Says what a Phoenix frame carries.

use std::sync::Arc;

use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::Serializer;
use serde_json::value::RawValue;

use super::batch::{FrameCopy, read_batch, read_frame};
use super::codec::{Message, decode, frame_body};
use super::edit;
use super::object::RawObject;
use super::probe::PROBE_REF;
use crate::frame::{Body, Direction, Edit, Frame, FrameTag, FrameTagger, TaggerFactory};
use crate::lane::names::Names;
use crate::lane::profile::PhoenixProfile;

/// Knows the frames of one connection's serializer.
#[derive(Debug, Clone)]
pub struct Tagger {
    serializer: Serializer,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
}

/// Chooses the tagger by the upgrade's `vsn`.
#[derive(Debug, Clone)]
pub struct PhoenixTaggers {
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
}

impl PhoenixTaggers {
    /// Taggers for a lane with these streams.
    pub fn new(profile: Arc<PhoenixProfile>, names: Arc<Names>) -> PhoenixTaggers {
        PhoenixTaggers { profile, names }
    }
}

impl TaggerFactory for PhoenixTaggers {
    fn tagger(&self, request_target: &str, _subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        let query = request_target
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let vsn = query.split('&').find_map(|pair| pair.strip_prefix("vsn="));
        // A missing `vsn` means V1 (contract, "Transport").
        let serializer = if vsn.is_some_and(|vsn| vsn.starts_with("2.")) {
            Serializer::V2
        } else {
            Serializer::V1
        };
        Arc::new(Tagger::new(
            serializer,
            Arc::clone(&self.profile),
            Arc::clone(&self.names),
        ))
    }
}

/// Whether a message asks or answers a probe.
fn is_probe(message: &Message) -> bool {
    message
        .msg_ref
        .as_str()
        .is_some_and(|msg_ref| msg_ref.starts_with(PROBE_REF))
}

impl Tagger {
    /// A tagger for one serializer.
    pub fn new(serializer: Serializer, profile: Arc<PhoenixProfile>, names: Arc<Names>) -> Tagger {
        Tagger {
            serializer,
            profile,
            names,
        }
    }

    fn tag_to_lane(&self, message: &Message) -> FrameTag {
        let events = &self.profile.events;
        if message.topic != self.profile.channel {
            return FrameTag::Other;
        }
        match message.event.as_str() {
            "phx_join" => FrameTag::Join,
            name if name == events.heartbeat => FrameTag::Heartbeat,
            // A probe is a question of the session's own.
            name if name == events.subscribe && is_probe(message) => FrameTag::Other,
            name if name == events.subscribe => match self.cursors(&message.payload) {
                Some(cursors) => FrameTag::Resume { cursors, opens: true },
                None => FrameTag::Other,
            },
            _ => FrameTag::Other,
        }
    }

    fn cursors(&self, payload: &str) -> Option<Vec<(StreamId, Option<Cursor>)>> {
        let fields = &self.profile.fields;
        let payload = RawObject::parse(payload).ok()?;
        let resume = payload
            .get(&fields.resume_after)
            .map(|text| edit::read_cursors(fields, text))
            .unwrap_or_default();
        let topics: Vec<Box<RawValue>> = payload.list(&fields.topics)?;
        let stream = |topic: &RawValue| {
            let topic: String = serde_json::from_str(topic.get()).ok()?;
            let cursor = resume
                .iter()
                .rev()
                .find(|(name, _)| *name == topic)
                .map(|(_, cursor)| Cursor(*cursor));
            Some((self.names.stream_of_topic(topic.trim())?.clone(), cursor))
        };
        Some(topics.iter().filter_map(|topic| stream(topic)).collect())
    }

    fn tag_to_client(&self, message: &Message) -> FrameTag {
        let events = &self.profile.events;
        if message.topic != self.profile.channel {
            return FrameTag::Other;
        }
        match message.event.as_str() {
            "phx_reply" if is_probe(message) => FrameTag::Other,
            "phx_reply" => self.tag_reply(&message.payload),
            name if name == events.update_batch => self.tag_batch(&message.payload, Via::UpdateBatch),
            name if name == events.frame => match read_frame(&self.profile, &message.payload) {
                Ok(FrameCopy::Batch(batch)) => self.tag_batch(&batch, Via::Frame),
                _ => FrameTag::Other,
            },
            _ => FrameTag::Other,
        }
    }

    /// Replies name no request but by ref, so they are told apart by what only they hold: a join's `allowed_topics`, a
    /// subscribe's `topics` with `current_watermarks`, a heartbeat's `watermarks`, a refusal's `code`.
    fn tag_reply(&self, payload: &str) -> FrameTag {
        let fields = &self.profile.fields;
        let reply = RawObject::parse(payload).ok();
        let response = reply
            .as_ref()
            .and_then(|reply| RawObject::parse(reply.get("response")?).ok());
        let Some(response) = response else {
            return FrameTag::Other;
        };
        let has = |name: &str| response.get(name).is_some();
        // A join refused for its build or schema carries a code too, but that is no answer to a resume.
        let join = has("allowed_topics") || has("upgrade_required");
        if !join && (has("code") || (has(&fields.current_watermarks) && has(&fields.topics))) {
            FrameTag::ResumeReply
        } else if has("watermarks") {
            FrameTag::HeartbeatReply
        } else {
            FrameTag::Other
        }
    }

    fn tag_batch(&self, batch: &str, via: Via) -> FrameTag {
        let updates = read_batch(&self.profile, batch).unwrap_or_default();
        let events = updates.into_iter().flatten().filter_map(|update| {
            let stream = self.names.stream_of_topic(&update.topic)?;
            Some((stream.clone(), Seq(update.seq)))
        });
        FrameTag::Delivery {
            events: events.collect(),
            via,
        }
    }

    fn tag_http(&self, direction: Direction, bytes: &[u8]) -> FrameTag {
        let text = String::from_utf8_lossy(bytes);
        match direction {
            Direction::ToLane => {
                let mut line = text.split_whitespace();
                let method = line.next().unwrap_or_default();
                let path = line
                    .next()
                    .and_then(|target| target.split('?').next())
                    .unwrap_or_default();
                let call = &self.profile.publish;
                let publishes =
                    method.eq_ignore_ascii_case(&call.method) && path == self.profile.writer_path(&call.path);
                if publishes { FrameTag::Publish } else { FrameTag::Other }
            }
            Direction::ToClient => {
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
                let has = |name: &str| body.contains(&format!("\"{name}\""));
                let acks = has(&self.profile.publish.seq) || has("code");
                if acks { FrameTag::Ack } else { FrameTag::Other }
            }
        }
    }

    fn message(&self, frame: &Frame) -> Option<Message> {
        decode(self.serializer, frame.direction, &frame.body).ok()
    }
}

impl FrameTagger for Tagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        if let Body::Http(bytes) = &frame.body {
            return self.tag_http(frame.direction, bytes);
        }
        match (self.message(frame), frame.direction) {
            (None, _) => FrameTag::Other,
            (Some(message), Direction::ToLane) => self.tag_to_lane(&message),
            (Some(message), Direction::ToClient) => self.tag_to_client(&message),
        }
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let mut message = self.message(frame)?;
        if message.topic != self.profile.channel {
            return None;
        }
        let events = &self.profile.events;
        message.payload = match (frame.direction, edit) {
            (Direction::ToLane, Edit::Cursor { stream, to }) if message.event == events.subscribe => {
                edit::with_cursor(&self.profile.fields, &message.payload, self.names.topic(stream)?, *to)?
            }
            (Direction::ToClient, edit) if message.event == events.update_batch => {
                edit::with_batch_edited(&self.profile, &self.names, &message.payload, edit)?
            }
            (Direction::ToClient, edit) if message.event == events.frame => {
                edit::with_frame_edited(&self.profile, &self.names, &message.payload, edit)?
            }
            _ => return None,
        };
        Some(Frame {
            direction: frame.direction,
            body: frame_body(self.serializer, &message),
        })
    }
}

#[cfg(test)]
mod tests;
