//! Reads the writer's HTTP: which request is a publish, of which stream, and the same with another value.

use super::Tagger;
use crate::frame::{Body, Carried, Direction, Edit, Frame, FrameTag, pointer};
use crate::lane::generic::{self, json_of};
use crate::lane::phoenix::values::Values;
use crate::lane::wire_http;

impl Tagger {
    pub(super) fn tag_http(&self, direction: Direction, bytes: &[u8]) -> FrameTag {
        let text = String::from_utf8_lossy(bytes);
        match direction {
            Direction::Upstream => {
                if self.topic_in_path(&text).is_some() {
                    FrameTag::Publish
                } else {
                    FrameTag::Other
                }
            }
            Direction::Downstream => {
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
                let has = |name: &str| body.contains(&format!("\"{name}\""));
                let (seq, code) = (&self.profile.publish.seq, &self.profile.refusal.code);
                let named = |name: &str| has(&pointer::last_name(name).unwrap_or_else(|| name.to_owned()));
                if named(seq) || named(code) { FrameTag::Ack } else { FrameTag::Other }
            }
        }
    }

    fn topic_in_path(&self, request: &str) -> Option<Option<String>> {
        let (method, path) = wire_http::method_and_path(request)?;
        let call = &self.profile.publish;
        let is_method = method.eq_ignore_ascii_case(&call.method);
        let topic = call.topic_in(&self.profile.writer_path(&call.path), path);
        topic.filter(|_| is_method)
    }

    pub(super) fn published(&self, frame: &Frame) -> Option<Carried> {
        let body = json_of(frame)?;
        let body = std::str::from_utf8(&body).ok()?;
        let call = &self.profile.publish;
        let topic: String = match (&frame.body, call.topic.as_str()) {
            (Body::Http(message), "") => self.topic_in_path(wire_http::parts(message)?.0)??,
            _ => serde_json::from_str(pointer::member(body, &call.topic)?).ok()?,
        };
        Some(Carried {
            stream: self.names.stream_of_topic(&topic)?,
            seq: None,
            payload: call.payload_in(body)?.to_owned(),
        })
    }

    pub(super) fn edited_publish(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let published = self.published(frame)?;
        let body = json_of(frame)?;
        let values = Values::new(&self.profile, &self.names, edit)?;
        let changed = values.in_publish(&published, std::str::from_utf8(&body).ok()?)?;
        generic::with_json(frame, changed)
    }
}
