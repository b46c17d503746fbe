//! Phoenix messages, as both serializers read and write them.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    Json(Value),
    Binary(Vec<u8>),
}

/// A message of a client. Refs keep their type: `"1"` is not `1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The join that it belongs to, or null.
    pub join_ref: Value,
    /// What the reply will carry, or null.
    pub reference: Value,
    /// The topic, of any JSON type: an unmatched one comes back in the reply.
    pub topic: Value,
    /// The event; empty where it is not text, which is an unknown event.
    pub event: String,
    pub payload: Payload,
}

#[derive(Clone, Debug)]
pub struct Outbound<'a> {
    pub join_ref: &'a Value,
    pub reference: &'a Value,
    pub topic: &'a Value,
    pub event: &'a str,
    pub payload: &'a RawValue,
}

/// A frame that is no message: the socket closes with 1011.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this serializer: {0}")]
pub struct Malformed(pub String);

/// An event's name; empty where it is not text, which is an unknown event.
pub(super) fn event_of(value: Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

pub(crate) fn reply_payload(status: &str, response: &Value) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Reply<'a> {
        status: &'a str,
        response: &'a Value,
    }
    raw(&Reply { status, response })
}

pub(super) fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
