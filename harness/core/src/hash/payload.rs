//! The hash of one payload: SHA-256 over its canonical text, spelled `sha256:<64 lowercase hex digits>`.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How a hash is introduced in text, so that a reader knows the algorithm.
pub const HASH_PREFIX: &str = "sha256:";

/// Bytes of the text of a hash: the prefix and 64 hex digits.
pub const HASH_TEXT_BYTES: usize = HASH_PREFIX.len() + 64;

/// The SHA-256 of a payload's canonical text.
///
/// Displayed, parsed and serialized as `sha256:<64 lowercase hex digits>`; nothing else is accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadHash([u8; 32]);

impl PayloadHash {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hashes a text that is known to be canonical. For any other text,
    /// [`payload_hash`](super::payload_hash).
    pub fn of_canonical(canonical: &[u8]) -> Self {
        Self(Sha256::digest(canonical).into())
    }

    /// Reads a hash's text; `None` where it is not exactly one. For what is wrong with it, parse it as a `str`.
    pub fn from_text(text: &[u8; HASH_TEXT_BYTES]) -> Option<Self> {
        let digits = text.strip_prefix(HASH_PREFIX.as_bytes())?;
        let mut bytes = [0u8; 32];
        let mut odd = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (HEX_VALUES[usize::from(pair[0])], HEX_VALUES[usize::from(pair[1])]);
            odd |= high | low;
            *byte = high << 4 | low & 15;
        }
        (odd < 16).then_some(Self(bytes))
    }

    fn text(&self) -> [u8; HASH_TEXT_BYTES] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0u8; HASH_TEXT_BYTES];
        text[..HASH_PREFIX.len()].copy_from_slice(HASH_PREFIX.as_bytes());
        for (pair, byte) in text[HASH_PREFIX.len()..].chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        text
    }
}

/// `sha256:` and the lowercase hex SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    PayloadHash::of_canonical(bytes).to_string()
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseHashError {
    #[error("a payload hash starts with \"sha256:\", but this is {0:?}")]
    Prefix(String),
    #[error("a payload hash has 64 hex digits after \"sha256:\", but this one has {0}")]
    Length(usize),
    #[error("{0:?} is not a lowercase hex digit; payload hashes are written with 0-9 and a-f")]
    Digit(char),
}

impl FromStr for PayloadHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let Some(digits) = text.strip_prefix(HASH_PREFIX) else {
            return Err(ParseHashError::Prefix(text.chars().take(HASH_TEXT_BYTES).collect()));
        };
        if let Some(odd) = digits.chars().find(|c| !matches!(c, '0'..='9' | 'a'..='f')) {
            return Err(ParseHashError::Digit(odd));
        }
        let wrong_length = ParseHashError::Length(digits.len());
        text.as_bytes().try_into().ok().and_then(Self::from_text).ok_or(wrong_length)
    }
}

/// The value of a lowercase hex digit; above 15 for anything else.
const HEX_VALUES: [u8; 256] = {
    let mut values = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// A text that is ASCII by construction, so that the empty fallback is never taken.
fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ascii(&self.text()))
    }
}

impl fmt::Debug for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PayloadHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ascii(&self.text()))
    }
}

impl<'de> Deserialize<'de> for PayloadHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = PayloadHash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a payload hash, \"sha256:\" and 64 lowercase hex digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PayloadHash, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests;
