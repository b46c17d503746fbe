//! The two serializers of a Phoenix socket, and V2's binary frames.
//!
//! Layouts as Phoenix has them: `serializers/v1_json_serializer.ex`, `v2_json_serializer.ex`.

#![allow(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use cutover_core::plan::Serializer;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::object::quoted;
use crate::frame::{Body, Direction};

/// A message of a Phoenix socket. Refs are strings, numbers or null, and keep their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The channel instance that it belongs to. V1 has none from the server.
    pub join_ref: Value,
    /// What it answers, or what its answer will carry.
    pub msg_ref: Value,
    pub topic: String,
    pub event: String,
    /// The payload's JSON text; nothing where a binary frame carries something else.
    pub payload: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame that is no Phoenix {vsn} message: {why}")]
pub struct CodecError {
    pub vsn: &'static str,
    pub why: String,
}

pub fn decode(serializer: Serializer, direction: Direction, body: &Body) -> Result<Message, CodecError> {
    match (serializer, body) {
        (Serializer::V1, Body::Text(text)) => v1(text).map_err(|why| CodecError { vsn: "V1", why }),
        (Serializer::V2, Body::Text(text)) => v2(text).map_err(|why| CodecError { vsn: "V2", why }),
        (Serializer::V2, Body::Binary(bytes)) => {
            binary(direction, bytes).map_err(|why| CodecError { vsn: "V2", why: format!("{why} in a binary frame") })
        }
        (Serializer::V1, _) => Err(CodecError { vsn: "V1", why: "it is not text".to_owned() }),
        (Serializer::V2, _) => Err(CodecError { vsn: "V2", why: "it is neither text nor binary".to_owned() }),
    }
}

/// Writes a message as text. In V1 a join_ref that is null is left out, as the official client does.
pub fn encode(serializer: Serializer, message: &Message) -> String {
    let Message { join_ref, msg_ref, payload, .. } = message;
    let (topic, event) = (quoted(&message.topic), quoted(&message.event));
    match serializer {
        Serializer::V2 => format!("[{join_ref},{msg_ref},{topic},{event},{payload}]"),
        Serializer::V1 if join_ref.is_null() => {
            format!(r#"{{"topic":{topic},"event":{event},"payload":{payload},"ref":{msg_ref}}}"#)
        }
        Serializer::V1 => {
            format!(r#"{{"topic":{topic},"event":{event},"payload":{payload},"ref":{msg_ref},"join_ref":{join_ref}}}"#)
        }
    }
}

pub fn frame_body(serializer: Serializer, message: &Message) -> Body {
    Body::Text(Bytes::from(encode(serializer, message)))
}

#[derive(Deserialize)]
struct V1Message {
    topic: String,
    event: String,
    payload: Box<RawValue>,
    #[serde(default, rename = "ref")]
    msg_ref: Value,
    #[serde(default)]
    join_ref: Value,
}

fn v1(text: &[u8]) -> Result<Message, String> {
    let read: V1Message = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let refs = (read.join_ref, read.msg_ref);
    checked(refs, read.topic, read.event, read.payload.get().to_owned())
}

fn v2(text: &[u8]) -> Result<Message, String> {
    let elements: Vec<Box<RawValue>> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    // More than five are ignored, as Phoenix does.
    let [join_ref, msg_ref, topic, event, payload, ..] = elements.as_slice() else {
        return Err(format!("it has {} elements, not 5", elements.len()));
    };
    let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).map_err(|error| error.to_string());
    let name = |raw: &RawValue, what: &str| {
        serde_json::from_str::<String>(raw.get()).map_err(|_| format!("its {what} is no string"))
    };
    let refs = (value(join_ref)?, value(msg_ref)?);
    checked(refs, name(topic, "topic")?, name(event, "event")?, payload.get().to_owned())
}

fn checked(refs: (Value, Value), topic: String, event: String, payload: String) -> Result<Message, String> {
    let (join_ref, msg_ref) = refs;
    for (what, value) in [("join_ref", &join_ref), ("ref", &msg_ref)] {
        if !(value.is_null() || value.is_string() || value.is_number()) {
            return Err(format!("its {what} is neither string, number nor null"));
        }
    }
    Ok(Message { join_ref, msg_ref, topic, event, payload })
}

/// Reads `kind, sizes, fields, data`; each size is one byte.
fn binary(direction: Direction, bytes: &[u8]) -> Result<Message, String> {
    let (&kind, rest) = bytes.split_first().ok_or("there is nothing")?;
    let names: &[&str] = match (kind, direction) {
        (0, Direction::Upstream) => &["join_ref", "ref", "topic", "event"],
        (0, Direction::Downstream) => &["join_ref", "topic", "event"],
        (1, Direction::Downstream) => &["join_ref", "ref", "topic", "status"],
        (2, Direction::Downstream) => &["topic", "event"],
        (kind, _) => return Err(format!("there is no kind {kind} this way")),
    };
    let (sizes, mut rest) = rest.split_at_checked(names.len()).ok_or("the sizes are cut short")?;
    let mut message = Message {
        join_ref: Value::Null,
        msg_ref: Value::Null,
        topic: String::new(),
        event: "phx_reply".to_owned(),
        payload: String::new(),
    };
    let mut status = None;
    for (name, size) in names.iter().zip(sizes) {
        let (field, tail) =
            rest.split_at_checked(usize::from(*size)).ok_or_else(|| format!("the {name} is cut short"))?;
        rest = tail;
        let field = std::str::from_utf8(field).map_err(|_| format!("the {name} is no UTF-8"))?.to_owned();
        match *name {
            "join_ref" if !field.is_empty() => message.join_ref = Value::String(field),
            "ref" if !field.is_empty() => message.msg_ref = Value::String(field),
            "topic" => message.topic = field,
            "event" => message.event = field,
            "status" => status = Some(field),
            _ => {}
        }
    }
    // The channel's payloads are JSON; a binary frame of it carries that JSON's bytes. Other events may carry anything.
    let data = serde_json::from_slice::<Box<RawValue>>(rest);
    message.payload = match (data, status) {
        (Ok(data), Some(status)) => format!(r#"{{"status":{},"response":{}}}"#, quoted(&status), data.get()),
        (Ok(data), None) => data.get().to_owned(),
        (Err(_), _) => String::new(),
    };
    Ok(message)
}

#[cfg(test)]
mod tests;
