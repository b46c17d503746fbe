//! Phoenix messages and their two serializers: text in, message out, and back.

mod message;
mod v1;
mod v2;

use semver::Version;

pub(crate) use self::message::{Inbound, Malformed, Outbound, Payload, raw, reply_payload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsn {
    /// Objects without a join_ref.
    V1,
    /// Arrays of five.
    V2,
}

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

    pub fn decode_text(self, text: &str) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => v1::decode(text),
            Self::V2 => v2::decode(text),
        }
    }

    pub fn decode_binary(self, bytes: &[u8]) -> Result<Inbound, Malformed> {
        match self {
            Self::V1 => Err(Malformed("the serializer of version 1 has no binary frames".to_owned())),
            Self::V2 => v2::decode_binary(bytes),
        }
    }

    pub fn encode(self, message: &Outbound<'_>) -> String {
        match self {
            Self::V1 => v1::encode(message),
            Self::V2 => v2::encode(message),
        }
    }
}

#[cfg(test)]
mod tests;
