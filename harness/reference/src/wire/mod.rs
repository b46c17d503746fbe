//! Phoenix messages and their two serializers: text in, message out, and back.

mod v1;
mod v2;

use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// Which serializer a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsn {
    /// Objects without a join_ref.
    V1,
    /// Arrays of five.
    V2,
}

/// What a client sends as a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// JSON, as every text frame carries it.
    Json(Value),
    /// The bytes of a V2 binary push.
    Binary(Vec<u8>),
}

/// A message of a client. Refs keep their type: `"1"` is not `1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The join that it belongs to, or null.
    pub join_ref: Value,
    /// What the reply will carry, or null.
    pub reference: Value,
    /// The topic.
    pub topic: String,
    /// The event.
    pub event: String,
    /// The payload.
    pub payload: Payload,
}

/// A message of the server.
#[derive(Clone, Debug)]
pub struct Outbound<'a> {
    /// The join that it belongs to, or null.
    pub join_ref: &'a Value,
    /// The request that it answers, or null.
    pub reference: &'a Value,
    /// The topic.
    pub topic: &'a str,
    /// The event.
    pub event: &'a str,
    /// The payload, as JSON text.
    pub payload: &'a RawValue,
}

/// A frame that is no message: the socket closes with 1011.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this serializer: {0}")]
pub struct Malformed(pub String);

impl Vsn {
    /// The serializer that the `vsn` parameter asks for; `None` where there is none, and the upgrade is refused.
    #[must_use]
    pub fn negotiate(vsn: Option<&str>) -> Option<Self> {
        let Some(vsn) = vsn else { return Some(Self::V1) };
        let parts: Vec<&str> = vsn.split('.').collect();
        let is_number = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (*part == "0" || !part.starts_with('0'))
        };
        if parts.len() != 3 || !parts.iter().all(is_number) {
            return None;
        }
        match (parts[0], parts[1]) {
            ("1", _) => Some(Self::V1),
            ("2", "0") => Some(Self::V2),
            _ => None,
        }
    }

    /// Reads a text frame.
    ///
    /// # Errors
    /// The frame has not the serializer's shape.
    pub fn decode_text(self, text: &str) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => v1::decode(text),
            Self::V2 => v2::decode(text),
        }
    }

    /// Reads a binary frame. V1 has none.
    ///
    /// # Errors
    /// The frame has not the serializer's shape.
    pub fn decode_binary(self, bytes: &[u8]) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => Err(Malformed("the serializer of version 1 has no binary frames".to_owned())),
            Self::V2 => v2::decode_binary(bytes),
        }
    }

    /// Writes a message as the text of a frame.
    #[must_use]
    pub fn encode(self, message: &Outbound<'_>) -> String {
        match self {
            Self::V1 => v1::encode(message),
            Self::V2 => v2::encode(message),
        }
    }
}

/// The JSON text of something that always has one; an empty object where, against all reason, it has none.
pub(crate) fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The payload of a `phx_reply`.
pub(crate) fn reply_payload(status: &str, response: &Value) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Reply<'a> {
        status: &'a str,
        response: &'a Value,
    }
    raw(&Reply { status, response })
}

fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
