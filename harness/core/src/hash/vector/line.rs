//! One line of a vector file.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::hash::canonical::plain_end;
use crate::hash::payload::{HASH_TEXT_BYTES, PayloadHash};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventLine<'a> {
    #[serde(borrow)]
    pub client: Cow<'a, str>,
    #[serde(borrow)]
    pub stream: Cow<'a, str>,
    pub seq: u64,
    pub hash: PayloadHash,
    #[serde(borrow, default, deserialize_with = "kept", skip_serializing_if = "Option::is_none")]
    pub payload: Option<&'a RawValue>,
}

/// Reads a payload that is there, `null` included.
fn kept<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> EventLine<'a> {
    /// Reads a line, in whatever spelling and order of fields.
    pub fn parse(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        match Self::as_written(line) {
            Some(event) => Ok(event),
            None => serde_json::from_slice(line),
        }
    }

    /// Reads a line that is spelled as this tool writes it, names without escapes; `None` where it is not. Most lines
    /// are, and comparing files is mostly reading them.
    fn as_written(line: &'a [u8]) -> Option<Self> {
        let (client, rest) = plain_text(line.strip_prefix(b"{\"client\":\"")?)?;
        let (stream, rest) = plain_text(rest.strip_prefix(b",\"stream\":\"")?)?;
        let (seq, rest) = number(rest.strip_prefix(b",\"seq\":")?)?;
        let (hash, rest) = rest.strip_prefix(b",\"hash\":\"")?.split_first_chunk::<HASH_TEXT_BYTES>()?;
        let hash = PayloadHash::from_text(hash)?;
        let payload = match rest {
            b"\"}" => None,
            _ => {
                let payload = rest.strip_prefix(b"\",\"payload\":")?.strip_suffix(b"}")?;
                Some(serde_json::from_slice(payload).ok()?)
            }
        };
        Some(Self { client: Cow::Borrowed(client), stream: Cow::Borrowed(stream), seq, hash, payload })
    }
}

/// A text up to its quote, and what follows the quote.
fn plain_text(rest: &[u8]) -> Option<(&str, &[u8])> {
    let end = plain_end(rest, 0);
    let after = rest.get(end..)?.strip_prefix(b"\"")?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, after))
}

/// A number that fits 64 bits for sure, and what follows it.
fn number(rest: &[u8]) -> Option<(u64, &[u8])> {
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 || len > 19 || (len > 1 && rest[0] == b'0') {
        return None;
    }
    let value = rest[..len].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some((value, &rest[len..]))
}

#[cfg(test)]
mod tests;
