//! Serializer version 1: objects `{topic, event, payload, ref}`.

use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::message::{Inbound, Malformed, Outbound, Payload, event_of, to_text};

pub(super) fn decode(text: &str) -> Result<Inbound, Malformed> {
    let value: Value = serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?;
    let Value::Object(mut object) = value else {
        return Err(Malformed("the frame is not an object".to_owned()));
    };
    let mut take = |name: &str| object.remove(name).ok_or_else(|| Malformed(format!("there is no `{name}`")));
    let (topic, event, payload, reference) = (take("topic")?, take("event")?, take("payload")?, take("ref")?);
    let join_ref = object.remove("join_ref").unwrap_or(Value::Null);
    Ok(Inbound { join_ref, reference, topic, event: event_of(event), payload: Payload::Json(payload) })
}

pub(super) fn encode(message: &Outbound<'_>) -> String {
    #[derive(Serialize)]
    struct Frame<'a> {
        #[serde(rename = "ref")]
        reference: &'a Value,
        topic: &'a Value,
        event: &'a str,
        payload: &'a RawValue,
    }
    to_text(&Frame {
        reference: message.reference,
        topic: message.topic,
        event: message.event,
        payload: message.payload,
    })
}
