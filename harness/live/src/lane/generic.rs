//! WebSocket traffic of no lane: JSON text is looked into, anything else is opaque.

use std::sync::Arc;

use bytes::Bytes;

use super::wire_http;
use crate::frame::{Body, Contents, Edit, Frame, FrameTag, FrameTagger, TaggerFactory, pointer};

const NAMES: [&str; 3] = ["event", "type", "method"];

/// Knows what any JSON message has: maybe a name, and values.
#[derive(Debug, Clone, Copy, Default)]
pub struct GenericTagger;

#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the name says it")]
pub struct GenericTaggers;

impl TaggerFactory for GenericTaggers {
    fn tagger(&self, _request_target: &str, _subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        Arc::new(GenericTagger)
    }
}

impl FrameTagger for GenericTagger {
    fn tag(&self, _frame: &Frame) -> FrameTag {
        FrameTag::Other
    }

    fn is_plain(&self, frame: &Frame) -> bool {
        matches!(frame.body, Body::Text(_))
    }

    fn contents(&self, frame: &Frame) -> Contents {
        let Some(message) = json_of(frame) else {
            return Contents::default();
        };
        let text = std::str::from_utf8(&message).unwrap_or_default();
        let name = |key: &&str| serde_json::from_str(pointer::member(text, key)?).ok();
        Contents { names: NAMES.iter().filter_map(name).collect(), events: Vec::new(), message: Some(message) }
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        match edit {
            Edit::SetJson { pointer, value, .. } => with_value(frame, pointer, value),
            _ => None,
        }
    }
}

pub(super) fn json_of(frame: &Frame) -> Option<Bytes> {
    let json = match &frame.body {
        Body::Text(text) => text.clone(),
        Body::Http(message) => {
            let (_, body) = wire_http::parts(message)?;
            message.slice_ref(body.as_bytes())
        }
        _ => return None,
    };
    pointer::is_json(std::str::from_utf8(&json).ok()?).then_some(json)
}

pub(super) fn with_json(frame: &Frame, json: String) -> Option<Frame> {
    let body = match &frame.body {
        Body::Text(_) => Body::Text(Bytes::from(json)),
        Body::Http(message) => Body::Http(wire_http::with_body(message, &json)?),
        _ => return None,
    };
    Some(Frame { direction: frame.direction, body })
}

pub(super) fn with_value(frame: &Frame, at: &str, value: &str) -> Option<Frame> {
    let json = json_of(frame)?;
    with_json(frame, pointer::replaced(std::str::from_utf8(&json).ok()?, at, value)?)
}
