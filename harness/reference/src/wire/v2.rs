//! Serializer version 2: arrays `[join_ref, ref, topic, event, payload]`, and binary pushes.

use serde_json::Value;

use super::message::{Inbound, Malformed, Outbound, Payload, event_of, to_text};

/// The first byte of a binary push of a client.
const PUSH: u8 = 0;

pub(super) fn decode(text: &str) -> Result<Inbound, Malformed> {
    let value: Value = serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?;
    let Value::Array(items) = value else {
        return Err(Malformed("the frame is not an array".to_owned()));
    };
    // Elements beyond the fifth are ignored, as Phoenix ignores them.
    let mut items = items.into_iter();
    let mut next = || items.next().ok_or_else(|| Malformed("the array has fewer than five elements".to_owned()));
    let (join_ref, reference, topic, event, payload) = (next()?, next()?, next()?, next()?, next()?);
    Ok(Inbound { join_ref, reference, topic, event: event_of(event), payload: Payload::Json(payload) })
}

pub(super) fn decode_binary(bytes: &[u8]) -> Result<Inbound, Malformed> {
    let short = || Malformed("the binary frame ends too soon".to_owned());
    let [PUSH, sizes @ ..] = bytes else {
        return Err(Malformed("the binary frame is not a push".to_owned()));
    };
    let (sizes, mut rest) = sizes.split_at_checked(4).ok_or_else(short)?;
    let mut texts = Vec::with_capacity(4);
    for size in sizes {
        let (head, tail) = rest.split_at_checked(usize::from(*size)).ok_or_else(short)?;
        let text = std::str::from_utf8(head).map_err(|error| Malformed(error.to_string()))?;
        texts.push(text.to_owned());
        rest = tail;
    }
    let mut texts = texts.into_iter();
    let mut next = || texts.next().unwrap_or_default();
    let (join_ref, reference, topic, event) = (next(), next(), next(), next());
    Ok(Inbound {
        join_ref: Value::String(join_ref),
        reference: Value::String(reference),
        topic: Value::String(topic),
        event,
        payload: Payload::Binary(rest.to_vec()),
    })
}

pub(super) fn encode(message: &Outbound<'_>) -> String {
    to_text(&(message.join_ref, message.reference, message.topic, message.event, message.payload))
}
