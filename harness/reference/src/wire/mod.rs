//! Phoenix messages and their two serializers: text in, message out, and back.

mod v1;
mod v2;

use semver::Version;
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
    /// The topic, of any JSON type: an unmatched one comes back in the reply.
    pub topic: Value,
    /// The event; empty where it is not text, which is an unknown event.
    pub event: String,
    pub payload: Payload,
}

/// A message of the server.
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

impl Vsn {
    /// The serializer that the `vsn` parameter asks for; `None` where there is none, and the upgrade is refused.
    pub fn negotiate(vsn: Option<&str>) -> Option<Self> {
        let Some(vsn) = vsn else { return Some(Self::V1) };
        let version = Version::parse(vsn).ok()?;
        // `~> 1.0.0` of Elixir: at least 1.0.0 and below 1.1.0, pre-releases and builds included.
        let fits = |major| (version.major, version.minor) == (major, 0) && version >= Version::new(major, 0, 0);
        match version.major {
            1 if fits(1) => Some(Self::V1),
            2 if fits(2) => Some(Self::V2),
            _ => None,
        }
    }

    /// Reads a text frame.
    pub fn decode_text(self, text: &str) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => v1::decode(text),
            Self::V2 => v2::decode(text),
        }
    }

    /// Reads a binary frame. V1 has none.
    pub fn decode_binary(self, bytes: &[u8]) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => Err(Malformed("the serializer of version 1 has no binary frames".to_owned())),
            Self::V2 => v2::decode_binary(bytes),
        }
    }

    /// Writes a message as the text of a frame.
    pub fn encode(self, message: &Outbound<'_>) -> String {
        match self {
            Self::V1 => v1::encode(message),
            Self::V2 => v2::encode(message),
        }
    }
}

/// An event's name; empty where it is not text, which is an unknown event.
fn event_of(value: Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The JSON text of a value that always has one.
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

fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
