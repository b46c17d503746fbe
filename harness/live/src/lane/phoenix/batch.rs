//! Reads the events of a `sync:update_batch`, and of the copy of it that a `sync:frame` holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::hash::{PayloadHash, sha256};
use cutover_core::history::Contradiction;
use serde_json::value::RawValue;

use super::answers::missing;
use super::fields::Kind;
use super::object::RawObject;
use super::profile::{HashKind, PhoenixProfile};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub topic: String,
    pub seq: u64,
    pub payload: String,
    /// The declared hash as `sha256:<hex>`; a hash that can't be read is kept as the lane wrote it.
    pub declared: Option<String>,
    /// The idempotency key, of a service that has every field.
    pub key: Option<String>,
    /// The rules that its other fields break, of such a service.
    pub broken: Vec<(Contradiction, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameCopy {
    Batch(String),
    Error(String),
    Heartbeat,
    /// What it is, in words.
    Ignored(String),
}

/// Reads the body of a batch that came on a channel: each event, or what is wrong with it.
pub fn read_batch(profile: &PhoenixProfile, channel: &str, batch: &str) -> Result<Vec<Result<Update, String>>, String> {
    if let Err(error) = serde_json::from_str::<&RawValue>(batch) {
        return Err(format!("a batch that is no object: {error}"));
    }
    let name = &profile.fields.updates;
    let updates = profile.events_in(batch).ok_or_else(|| format!("a batch without a list `{name}`"))?;
    Ok(updates.iter().enumerate().map(|(index, update)| read_update(profile, channel, index, update)).collect())
}

/// Reads a `sync:frame`'s body. An error where it has no kind, or its bytes are no base64 of UTF-8.
pub fn read_frame(profile: &PhoenixProfile, payload: &str) -> Result<FrameCopy, String> {
    let object = RawObject::parse(payload).map_err(|error| format!("a frame that is no object: {error}"))?;
    let kind = object.text(&profile.fields.kind).ok_or("a frame without a kind")?;
    let kinds = &profile.frame_kinds;
    match kind {
        kind if kind == kinds.update_batch => frame_bytes(profile, &object).map(FrameCopy::Batch),
        kind if kind == kinds.error => frame_bytes(profile, &object).map(FrameCopy::Error),
        kind if kind == kinds.heartbeat => Ok(FrameCopy::Heartbeat),
        kind if kinds.ignored.contains(&kind) => Ok(FrameCopy::Ignored(format!("a frame of the kind `{kind:.80}`"))),
        // A newer service may have more kinds. If events are in one of them, they are missed elsewhere.
        kind => Ok(FrameCopy::Ignored(format!("a frame of the unknown kind `{kind:.80}`"))),
    }
}

/// A hash as Phoenix payloads carry it: base64 of the raw 32 bytes.
pub fn wire_hash(hash: &PayloadHash) -> String {
    STANDARD.encode(hash.as_bytes())
}

pub fn wire_bytes(bytes: &str) -> String {
    STANDARD.encode(bytes)
}

fn frame_bytes(profile: &PhoenixProfile, object: &RawObject) -> Result<String, String> {
    let name = &profile.fields.payload_bytes;
    let encoded = object.text(name).ok_or_else(|| format!("a frame without `{name}`"))?;
    let bytes = STANDARD.decode(&encoded).map_err(|error| format!("a frame whose `{name}` is no base64: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("a frame whose `{name}` is no UTF-8"))
}

fn read_update(profile: &PhoenixProfile, channel: &str, index: usize, text: &str) -> Result<Update, String> {
    let fields = &profile.fields;
    let at = |what: String| format!("event {index} of a batch: {what}");
    let update = RawObject::parse(text).map_err(|error| at(error.to_string()))?;
    let topic = profile.topic_of(channel, text).ok_or_else(|| at(format!("no text `{}`", fields.topic)))?;
    let seq = profile.seq_of(text).ok_or_else(|| {
        let form = &profile.forms.watermark;
        let what =
            if form.is_usual() { "whole number".to_owned() } else { format!("watermark like {}", form.as_str()) };
        at(format!("no {what} `{}` (topic `{topic}`)", fields.watermark))
    })?;
    let payload = update
        .get(&fields.payload)
        .ok_or_else(|| at(format!("no `{}` (topic `{topic}`, seq {seq})", fields.payload)))?
        .to_owned();
    let declared = update.get(&fields.payload_hash).and_then(|raw| declared_hash_of(profile, raw, &payload));
    let every_field = profile.has_every_field();
    let key = update.text(&fields.doc_key).filter(|_| every_field);
    let broken = if every_field { broken_rules(profile, &update, seq, &payload) } else { Vec::new() };
    Ok(Update { topic, seq, payload, declared, key, broken })
}

fn broken_rules(profile: &PhoenixProfile, update: &RawObject, seq: u64, payload: &str) -> Vec<(Contradiction, String)> {
    let fields = &profile.fields;
    let wanted = [
        (fields.doc_key.as_str(), Kind::Text),
        (fields.doc_version.as_str(), Kind::Number),
        (fields.hydration_required.as_str(), Kind::Flag),
    ];
    let mut broken = missing("an event", &wanted, update);
    let version = update.number(&fields.doc_version).filter(|version| *version != seq);
    broken.extend(version.map(|version| (Contradiction::DocVersion, version.to_string())));
    let is_null = payload == "null";
    let hydration = update.get(&fields.hydration_required).and_then(|word| word.parse::<bool>().ok());
    let hydration = hydration.filter(|hydration| *hydration != is_null);
    broken.extend(hydration.map(|word| (Contradiction::Hydration, word.to_string())));
    let hash = update.get(&fields.payload_hash).unwrap_or("null");
    if profile.payload_hash != HashKind::None && !is_null && hash == "null" {
        broken.push((Contradiction::HashMissing, "no hash".to_owned()));
    }
    broken
}

/// The hash that the lane declares of a payload, as far as it is compared.
pub(super) fn declared_hash_of(profile: &PhoenixProfile, raw: &str, payload: &str) -> Option<String> {
    match profile.payload_hash {
        HashKind::None => None,
        HashKind::Canonical => declared_hash(profile, raw),
        HashKind::Either => declared_hash(profile, raw).filter(|declared| *declared != sha256(payload.as_bytes())),
    }
}

/// As `sha256:<hex>`. The contract writes a hash as base64; another service may write it as hex, too.
fn declared_hash(profile: &PhoenixProfile, raw: &str) -> Option<String> {
    let text = match serde_json::from_str::<Option<String>>(raw) {
        Ok(text) => text?,
        Err(_) => return Some(raw.to_owned()),
    };
    let hex = text.strip_prefix("sha256:").unwrap_or(&text);
    if !profile.has_every_field() && hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(format!("sha256:{}", hex.to_ascii_lowercase()));
    }
    let bytes: Option<[u8; 32]> = STANDARD.decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
    Some(bytes.map_or(text, |bytes| PayloadHash::from_bytes(bytes).to_string()))
}

#[cfg(test)]
mod tests;
