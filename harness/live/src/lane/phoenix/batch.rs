//! Reads the events of a `sync:update_batch`, and of the copy of it that a `sync:frame` holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::hash::PayloadHash;
use sha2::{Digest, Sha256};

use super::object::RawObject;
use crate::lane::profile::{HashKind, PhoenixProfile};

/// An event as it stands in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The topic on the wire.
    pub topic: String,
    /// Its seq.
    pub seq: u64,
    /// The payload's text.
    pub payload: String,
    /// The declared hash as `sha256:<hex>`; a hash that can't be read stands as the lane wrote it.
    pub declared: Option<String>,
}

/// What a `sync:frame` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameCopy {
    /// A batch's JSON text.
    Batch(String),
    /// An error's JSON text.
    Error(String),
    /// A heartbeat.
    Heartbeat,
    /// One of the kinds that the profile passes over.
    Ignored(String),
}

/// Reads a batch: each event, or what is wrong with it.
///
/// # Errors
/// Where it is no batch at all.
pub fn read_batch(profile: &PhoenixProfile, batch: &str) -> Result<Vec<Result<Update, String>>, String> {
    let batch = RawObject::parse(batch).map_err(|error| format!("a batch that is no object: {error}"))?;
    let name = &profile.fields.updates;
    let updates = batch
        .list(name)
        .ok_or_else(|| format!("a batch without a list `{name}`"))?;
    Ok(updates
        .iter()
        .enumerate()
        .map(|(index, update)| read_update(profile, index, update.get()))
        .collect())
}

/// Reads a `sync:frame`'s payload.
///
/// # Errors
/// Where its kind is unknown or its bytes are no base64 of UTF-8.
pub fn read_frame(profile: &PhoenixProfile, payload: &str) -> Result<FrameCopy, String> {
    let object = RawObject::parse(payload).map_err(|error| format!("a frame that is no object: {error}"))?;
    let kind = object.text(&profile.fields.kind).ok_or("a frame without a kind")?;
    let kinds = &profile.frame_kinds;
    match kind {
        kind if kind == kinds.update_batch => frame_bytes(profile, &object).map(FrameCopy::Batch),
        kind if kind == kinds.error => frame_bytes(profile, &object).map(FrameCopy::Error),
        kind if kind == kinds.heartbeat => Ok(FrameCopy::Heartbeat),
        kind if kinds.ignored.contains(&kind) => Ok(FrameCopy::Ignored(kind)),
        kind => Err(format!(
            "a frame of the unknown kind `{kind}` (`frame_kinds.ignored` of a lane profile lists kinds that carry no events)"
        )),
    }
}

/// A hash as Phoenix payloads carry it: base64 of the raw 32 bytes.
pub fn wire_hash(hash: &PayloadHash) -> String {
    STANDARD.encode(hash.as_bytes())
}

/// Bytes as a `sync:frame` carries them.
pub fn wire_bytes(bytes: &str) -> String {
    STANDARD.encode(bytes)
}

fn frame_bytes(profile: &PhoenixProfile, object: &RawObject) -> Result<String, String> {
    let name = &profile.fields.payload_bytes;
    let encoded = object.text(name).ok_or_else(|| format!("a frame without `{name}`"))?;
    let bytes = STANDARD
        .decode(&encoded)
        .map_err(|error| format!("a frame whose `{name}` is no base64: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("a frame whose `{name}` is no UTF-8"))
}

fn read_update(profile: &PhoenixProfile, index: usize, text: &str) -> Result<Update, String> {
    let fields = &profile.fields;
    let at = |what: String| format!("event {index} of a batch: {what}");
    let update = RawObject::parse(text).map_err(|error| at(error.to_string()))?;
    let topic = update
        .text(&fields.topic)
        .ok_or_else(|| at(format!("no text `{}`", fields.topic)))?;
    let seq = update
        .number(&fields.watermark)
        .ok_or_else(|| at(format!("no whole number `{}` (topic `{topic}`)", fields.watermark)))?;
    let payload = update
        .get(&fields.payload)
        .ok_or_else(|| at(format!("no `{}` (topic `{topic}`, seq {seq})", fields.payload)))?
        .to_owned();
    let declared = match profile.payload_hash {
        HashKind::None => None,
        HashKind::Canonical => update.get(&fields.payload_hash).and_then(declared_hash),
        HashKind::Either => {
            let declared = update.get(&fields.payload_hash).and_then(declared_hash);
            declared.filter(|declared| *declared != hash_of_text(&payload))
        }
    };
    Ok(Update {
        topic,
        seq,
        payload,
        declared,
    })
}

/// The hash of a payload's text as it stands.
fn hash_of_text(payload: &str) -> String {
    PayloadHash::from_bytes(Sha256::digest(payload).into()).to_string()
}

fn declared_hash(raw: &str) -> Option<String> {
    let text = match serde_json::from_str::<Option<String>>(raw) {
        Ok(text) => text?,
        Err(_) => return Some(raw.to_owned()),
    };
    let bytes: Option<[u8; 32]> = STANDARD.decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
    Some(bytes.map_or(text, |bytes| PayloadHash::from_bytes(bytes).to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn profile() -> PhoenixProfile {
        PhoenixProfile::of_url("ws://lane").unwrap()
    }

    #[test]
    fn numbers_of_a_payload_stay_as_they_were_written() {
        let batch = r#"{"updates":[{"topic":"t","watermark":3,"payload":{"n":1.0e2,"big":12345678901234567890123},
            "payload_hash":"K/0U9D0X/HzqJOCReoh5tLL4gLi67sG52Q+6rWVecb0="}]}"#;
        let update = read_batch(&profile(), batch).unwrap().remove(0).unwrap();
        assert_eq!(update.payload, r#"{"n":1.0e2,"big":12345678901234567890123}"#);
        let declared = update.declared.unwrap();
        assert_eq!(
            declared,
            "sha256:2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd"
        );
    }

    #[test]
    fn a_null_payload_is_the_text_null_and_a_null_hash_is_none() {
        let batch = r#"{"updates":[{"topic":"t","watermark":3,"payload":null,"payload_hash":null}]}"#;
        let update = read_batch(&profile(), batch).unwrap().remove(0).unwrap();
        assert_eq!((update.payload.as_str(), update.declared), ("null", None));
    }

    #[test]
    fn an_event_that_can_not_be_read_does_not_hide_the_others() {
        let batch = r#"{"updates":[{"topic":"t","watermark":-1,"payload":1},{"topic":"t","watermark":2,"payload":2}]}"#;
        let updates = read_batch(&profile(), batch).unwrap();
        assert!(updates[0].as_ref().is_err_and(|what| what.contains("watermark")));
        assert!(updates[1].is_ok());
    }

    /// What is held against the client's own hash of an event `1.0` that declares the hash of this text.
    fn held_against(kind: HashKind, hashed: &str) -> Option<String> {
        let declared = STANDARD.encode(Sha256::digest(hashed));
        let batch =
            format!(r#"{{"updates":[{{"topic":"t","watermark":1,"payload":1.0,"payload_hash":"{declared}"}}]}}"#);
        let profile = PhoenixProfile {
            payload_hash: kind,
            ..profile()
        };
        read_batch(&profile, &batch).unwrap().remove(0).unwrap().declared
    }

    #[test]
    fn a_lane_may_hash_what_it_sends_unless_the_profile_says_otherwise() {
        assert_eq!(held_against(HashKind::Either, "1.0"), None);
        assert_eq!(held_against(HashKind::Either, "1"), Some(hash_of_text("1")));
        assert_eq!(held_against(HashKind::Either, "2"), Some(hash_of_text("2")));
        assert_eq!(held_against(HashKind::Canonical, "1.0"), Some(hash_of_text("1.0")));
        assert_eq!(held_against(HashKind::None, "2"), None);
    }

    #[test]
    fn a_hash_of_another_shape_stands_as_the_lane_wrote_it() {
        assert_eq!(declared_hash("\"AAAA\"").as_deref(), Some("AAAA"));
        assert_eq!(declared_hash("17").as_deref(), Some("17"));
    }

    #[test]
    fn a_frame_of_an_unknown_kind_is_told_unless_the_profile_passes_it_over() {
        assert!(read_frame(&profile(), r#"{"kind":"NEW"}"#).is_err_and(|what| what.contains("NEW")));
        let mut passes = profile();
        passes.frame_kinds.ignored.push("NEW".to_owned());
        assert_eq!(
            read_frame(&passes, r#"{"kind":"NEW"}"#),
            Ok(FrameCopy::Ignored("NEW".to_owned()))
        );
        assert!(
            read_frame(
                &profile(),
                r#"{"kind":"KHALA_FRAME_KIND_UPDATE_BATCH","payload_bytes":"*"}"#
            )
            .is_err()
        );
    }
}
