//! What a journal record says, and its JSON.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::topics::TopicPolicy;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// An event was appended. `oldest` is the topic's oldest event after pruning, so that what was pruned stays so
    /// whatever the configuration says later.
    Event {
        topic: String,
        seq: u64,
        key: String,
        #[serde(with = "hash_text")]
        hash: [u8; 32],
        oldest: u64,
        #[serde(skip)]
        payload: Option<Box<RawValue>>,
    },
    Policy {
        topic: String,
        policy: TopicPolicy,
        oldest: u64,
    },
    Revoked {
        jti: String,
    },
    /// A planted defect: everything after `head` is gone, as if it had never been written.
    Forgotten {
        topic: String,
        head: u64,
    },
}

/// Writes a record as a line of JSON, and for an event the payload's text as a second one: the text is kept byte for
/// byte, which a value inside tagged JSON would not be.
pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut body = serde_json::to_vec(record).unwrap_or_default();
    if let Record::Event { payload: Some(payload), .. } = record {
        body.push(b'\n');
        body.extend_from_slice(payload.get().as_bytes());
    }
    body
}

pub(crate) fn decode(body: &[u8]) -> Result<Record, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let (head, rest) = match text.split_once('\n') {
        Some((head, rest)) => (head, Some(rest)),
        None => (text, None),
    };
    let mut record: Record = serde_json::from_str(head).map_err(|error| error.to_string())?;
    if let Record::Event { payload, .. } = &mut record {
        let text = rest.ok_or("an event has no payload")?;
        *payload = Some(RawValue::from_string(text.to_owned()).map_err(|error| error.to_string())?);
    }
    Ok(record)
}

mod hash_text {
    use serde::{Deserializer, Serializer, de::Error};

    use super::*;

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        bytes.try_into().map_err(|_| D::Error::custom("a hash has 32 bytes"))
    }
}
