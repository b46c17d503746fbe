//! The two serializers of a Phoenix socket, and V2's binary frames.
//!
//! Layouts as Phoenix has them: `serializers/v1_json_serializer.ex`, `v2_json_serializer.ex`.

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
    /// The topic.
    pub topic: String,
    /// The event.
    pub event: String,
    /// The payload's JSON text; nothing where a binary frame carries something else.
    pub payload: String,
}

/// Why a frame is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame that is no Phoenix {vsn} message: {why}")]
pub struct CodecError {
    /// `V1` or `V2`.
    pub vsn: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a frame's message.
///
/// # Errors
/// Where it is none of that serializer.
pub fn decode(serializer: Serializer, direction: Direction, body: &Body) -> Result<Message, CodecError> {
    match (serializer, body) {
        (Serializer::V1, Body::Text(text)) => v1(text).map_err(|why| CodecError { vsn: "V1", why }),
        (Serializer::V2, Body::Text(text)) => v2(text).map_err(|why| CodecError { vsn: "V2", why }),
        (Serializer::V2, Body::Binary(bytes)) => binary(direction, bytes).map_err(|why| CodecError {
            vsn: "V2",
            why: format!("{why} in a binary frame"),
        }),
        (Serializer::V1, _) => Err(CodecError {
            vsn: "V1",
            why: "it is not text".to_owned(),
        }),
        (Serializer::V2, _) => Err(CodecError {
            vsn: "V2",
            why: "it is neither text nor binary".to_owned(),
        }),
    }
}

/// Writes a message as text. In V1 a join_ref that is null is left out, as the official client does.
pub fn encode(serializer: Serializer, message: &Message) -> String {
    let Message {
        join_ref,
        msg_ref,
        payload,
        ..
    } = message;
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

/// The message's frame, text like every frame that a client of ours sends.
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
    checked(
        refs,
        name(topic, "topic")?,
        name(event, "event")?,
        payload.get().to_owned(),
    )
}

fn checked(refs: (Value, Value), topic: String, event: String, payload: String) -> Result<Message, String> {
    let (join_ref, msg_ref) = refs;
    for (what, value) in [("join_ref", &join_ref), ("ref", &msg_ref)] {
        if !(value.is_null() || value.is_string() || value.is_number()) {
            return Err(format!("its {what} is neither string, number nor null"));
        }
    }
    Ok(Message {
        join_ref,
        msg_ref,
        topic,
        event,
        payload,
    })
}

/// Reads `kind, sizes, fields, data`; each size is one byte.
fn binary(direction: Direction, bytes: &[u8]) -> Result<Message, String> {
    let (&kind, rest) = bytes.split_first().ok_or("there is nothing")?;
    let names: &[&str] = match (kind, direction) {
        (0, Direction::ToLane) => &["join_ref", "ref", "topic", "event"],
        (0, Direction::ToClient) => &["join_ref", "topic", "event"],
        (1, Direction::ToClient) => &["join_ref", "ref", "topic", "status"],
        (2, Direction::ToClient) => &["topic", "event"],
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
        let (field, tail) = rest
            .split_at_checked(usize::from(*size))
            .ok_or_else(|| format!("the {name} is cut short"))?;
        rest = tail;
        let field = std::str::from_utf8(field)
            .map_err(|_| format!("the {name} is no UTF-8"))?
            .to_owned();
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Body {
        Body::Text(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn read(serializer: Serializer, body: &Body) -> Result<Message, CodecError> {
        decode(serializer, Direction::ToClient, body)
    }

    #[test]
    fn a_ref_that_is_a_number_keeps_its_type() {
        let message = read(Serializer::V2, &text(r#"[null,1,"t","e",{}]"#)).unwrap();
        assert_eq!(message.msg_ref, json!(1));
        assert_ne!(message.msg_ref, json!("1"));
    }

    #[test]
    fn a_sixth_element_is_ignored_and_a_missing_fifth_is_an_error() {
        assert!(read(Serializer::V2, &text(r#"[null,null,"t","e",{},"more"]"#)).is_ok());
        let error = read(Serializer::V2, &text(r#"[null,null,"t","e"]"#)).err().unwrap();
        assert!(error.to_string().contains("4 elements"), "{error}");
    }

    #[test]
    fn a_v1_message_of_the_server_has_no_join_ref() {
        let message = read(
            Serializer::V1,
            &text(r#"{"topic":"t","event":"e","payload":{"n":1.0},"ref":null}"#),
        )
        .unwrap();
        assert_eq!(
            (message.join_ref, message.payload.as_str()),
            (Value::Null, r#"{"n":1.0}"#)
        );
    }

    #[test]
    fn a_binary_push_and_a_binary_reply_are_read() {
        let push = Bytes::from_static(b"\x00\x01\x01\x013te{\"n\":1}");
        let push = read(Serializer::V2, &Body::Binary(push)).unwrap();
        assert_eq!(
            (push.join_ref, push.topic.as_str(), push.payload.as_str()),
            (json!("3"), "t", r#"{"n":1}"#)
        );
        let reply = Bytes::from_static(b"\x01\x01\x01\x01\x0234tok{}");
        let reply = read(Serializer::V2, &Body::Binary(reply)).unwrap();
        assert_eq!(reply.payload, r#"{"status":"ok","response":{}}"#);
        assert_eq!((reply.msg_ref, reply.event.as_str()), (json!("4"), "phx_reply"));
    }

    #[test]
    fn a_binary_frame_that_is_cut_short_says_where() {
        for bytes in [
            &b""[..],
            b"\x00",
            b"\x00\x05\x01\x01abc",
            b"\x07\x00",
            b"\x02\x01\x01\xffe{}",
            b"\x02\x01\x02te",
        ] {
            assert!(
                read(Serializer::V2, &Body::Binary(Bytes::copy_from_slice(bytes))).is_err(),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_binary_frame_of_anything_is_told_by_topic_and_event() {
        let frame = Bytes::from_static(b"\x02\x06\x05room:1photo\xff\xd8\x00");
        let message = read(Serializer::V2, &Body::Binary(frame)).unwrap();
        assert_eq!(
            (message.topic.as_str(), message.event.as_str(), message.payload.as_str()),
            ("room:1", "photo", "")
        );
    }

    fn any_ref() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<u32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            join_ref in any_ref(), msg_ref in any_ref(), topic: String, event: String, payload: String, v1: bool,
        ) {
            let serializer = if v1 { Serializer::V1 } else { Serializer::V2 };
            let payload = format!(r#"{{"text":{}}}"#, quoted(&payload));
            let message = Message { join_ref, msg_ref, topic, event, payload };
            prop_assert_eq!(read(serializer, &frame_body(serializer, &message)), Ok(message));
        }

        #[test]
        fn no_bytes_make_the_codec_panic(bytes: Vec<u8>, to_lane: bool, v1: bool, as_text: bool) {
            let serializer = if v1 { Serializer::V1 } else { Serializer::V2 };
            let direction = if to_lane { Direction::ToLane } else { Direction::ToClient };
            let bytes = Bytes::from(bytes);
            let _ = decode(serializer, direction, &if as_text { Body::Text(bytes) } else { Body::Binary(bytes) });
        }
    }
}
