//! Holds what a service sends against the names of its profile: which name stands for nothing, and what is there instead.
//!
//! All of it looks at messages that carry the event of a trial, which its marker tells. A name that the profile takes over
//! from the contract and that the lane can do without may be missing; a name that the profile gives of its own may not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::text::scrubbed;

use super::codec::Message;
use super::object::RawObject;
use super::profile::{HashKind, PhoenixProfile};
use crate::lane::trial::Mismatch;

/// So many keys of an object are shown.
const SHOWN_KEYS: usize = 16;
/// So much of a key is shown, in characters.
const KEY_CHARS: usize = 40;

/// What a value is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    TextOrNull,
    Number,
    Flag,
    List,
    Any,
}

/// Compares messages with the profile's names; true where one of them brought the event.
pub(super) fn compare(profile: &PhoenixProfile, marker: &str, heard: &[Message]) -> Result<bool, Mismatch> {
    let of_channel = || heard.iter().filter(|message| message.topic == profile.channel);
    let plain: Vec<&Message> = of_channel().filter(|message| message.payload.contains(marker)).collect();
    let encoded: Vec<&Message> = of_channel()
        .filter(|message| !message.payload.contains(marker) && holds_encoded(&message.payload, marker))
        .collect();
    let events = &profile.events;
    named(&plain, &events.frame, "events.update_batch", &events.update_batch)?;
    named(&encoded, &events.update_batch, "events.frame", &events.frame)?;
    for message in &plain {
        if message.event == events.update_batch {
            check_batch(profile, marker, &message.payload)?;
        } else if message.event == events.frame {
            check_frame(profile, marker, &message.payload)?;
        }
    }
    for message in &encoded {
        if message.event == events.frame {
            check_frame(profile, marker, &message.payload)?;
        }
    }
    Ok(!plain.is_empty() || !encoded.is_empty())
}

/// Whether a message carries the event.
pub(super) fn carries(message: &Message, marker: &str) -> bool {
    message.payload.contains(marker) || holds_encoded(&message.payload, marker)
}

/// Holds the reply to a subscribe against the profile's names.
pub(super) fn check_subscribed(profile: &PhoenixProfile, response: &str) -> Result<(), Mismatch> {
    let contract = PhoenixProfile::default().fields;
    let reply = RawObject::parse(response).unwrap_or_default();
    let (name, usual) = (&profile.fields.current_watermarks, &contract.current_watermarks);
    optional(&reply, "the reply to a subscribe", "fields.current_watermarks", name, usual, Kind::List)
}

/// Holds the answer to a publish against the profile's names.
pub(super) fn check_published(profile: &PhoenixProfile, answer: &str) -> Result<(), Mismatch> {
    let contract = PhoenixProfile::default().publish;
    let place = "the answer to a publish";
    let at = &profile.publish.answer;
    let inner = profile.publish.answered(answer);
    if inner.is_none() && !at.is_empty() {
        let whole = RawObject::parse(answer).unwrap_or_default();
        let wrong = format!("{place} has nothing there");
        return Err(Mismatch::new("publish.answer", at, wrong).seen(described(place, &whole)));
    }
    let Ok(object) = RawObject::parse(inner.unwrap_or(answer)) else {
        let wrong = format!("{place} is no JSON object{}", if at.is_empty() { "" } else { " there" });
        let seen = format!("it is {:.200}", answer.escape_debug().to_string());
        return Err(Mismatch::new("publish.seq", &profile.publish.seq, wrong).seen(seen));
    };
    required(&object, place, "publish.seq", &profile.publish.seq, Kind::Number)?;
    let (name, usual) = (&profile.publish.duplicate, &contract.duplicate);
    optional(&object, place, "publish.duplicate", name, usual, Kind::Flag)
}

/// Holds the answer to a policy against the profile's names, where it tells the policy.
pub(super) fn check_policy(profile: &PhoenixProfile, answer: &str) -> Result<(), Mismatch> {
    let contract = PhoenixProfile::default().policy;
    let policy = &profile.policy;
    let Ok(object) = RawObject::parse(answer) else {
        return Ok(());
    };
    let place = "the answer to a policy";
    let names = [
        ("policy.retention_events", &policy.retention_events, &contract.retention_events),
        ("policy.replay_budget_events", &policy.replay_budget_events, &contract.replay_budget_events),
    ];
    for (field, name, usual) in names {
        if object.entries().next().is_some() {
            optional(&object, place, field, name, usual, Kind::Number)?;
        }
    }
    Ok(())
}

/// One of the messages that bring the event in this form has this name.
fn named(messages: &[&Message], other: &str, field: &'static str, name: &str) -> Result<(), Mismatch> {
    if messages.iter().any(|message| message.event == name) {
        return Ok(());
    }
    let mut seen: Vec<String> = Vec::new();
    for message in messages.iter().filter(|message| message.event != other) {
        let event = shown(&message.event);
        if !seen.contains(&event) {
            seen.push(event);
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    let wrong = "no message of this name came, and the event came in others";
    Err(Mismatch::new(field, name, wrong).seen(format!("events seen: {}", seen.join(", "))))
}

fn check_batch(profile: &PhoenixProfile, marker: &str, text: &str) -> Result<(), Mismatch> {
    let (names, contract) = (&profile.fields, PhoenixProfile::default().fields);
    let Ok(batch) = RawObject::parse(text) else {
        return Ok(());
    };
    let place = "a batch";
    required(&batch, place, "fields.updates", &names.updates, Kind::List)?;
    let updates = batch.list(&names.updates).unwrap_or_default();
    let Some(update) = updates.iter().find(|update| update.get().contains(marker)) else {
        let wrong = "the event is not in this list";
        return Err(Mismatch::new("fields.updates", &names.updates, wrong).seen(described(place, &batch)));
    };
    let (name, usual) = (&names.replay_complete, &contract.replay_complete);
    optional(&batch, place, "fields.replay_complete", name, usual, Kind::Flag)?;
    let (name, usual) = (&names.head_watermarks, &contract.head_watermarks);
    optional(&batch, place, "fields.head_watermarks", name, usual, Kind::List)?;
    let Ok(update) = RawObject::parse(update.get()) else {
        return Ok(());
    };
    let place = "an event of a batch";
    required(&update, place, "fields.topic", &names.topic, Kind::Text)?;
    required(&update, place, "fields.watermark", &names.watermark, Kind::Number)?;
    required(&update, place, "fields.payload", &names.payload, Kind::Any)?;
    if update.get(&names.payload).is_some_and(|payload| !payload.contains(marker)) {
        let wrong = "this is not what was published as the payload";
        return Err(Mismatch::new("fields.payload", &names.payload, wrong).seen(described(place, &update)));
    }
    if profile.payload_hash != HashKind::None {
        let (name, usual) = (&names.payload_hash, &contract.payload_hash);
        optional(&update, place, "fields.payload_hash", name, usual, Kind::TextOrNull)?;
    }
    Ok(())
}

fn check_frame(profile: &PhoenixProfile, marker: &str, text: &str) -> Result<(), Mismatch> {
    let (names, contract) = (&profile.fields, PhoenixProfile::default().fields);
    let Ok(frame) = RawObject::parse(text) else {
        return Ok(());
    };
    let place = "a frame";
    required(&frame, place, "fields.kind", &names.kind, Kind::Text)?;
    required(&frame, place, "fields.payload_bytes", &names.payload_bytes, Kind::Text)?;
    optional(&frame, place, "fields.seq", &names.seq, &contract.seq, Kind::Number)?;
    match frame.text(&names.payload_bytes).and_then(|text| decoded(&text)) {
        Some(batch) if batch.contains(marker) => check_batch(profile, marker, &batch),
        _ => {
            let wrong = "this is not the base64 of a batch";
            Err(Mismatch::new("fields.payload_bytes", &names.payload_bytes, wrong).seen(described(place, &frame)))
        }
    }
}

/// A field that the lane can't do without.
fn required(object: &RawObject, place: &str, field: &'static str, name: &str, kind: Kind) -> Result<(), Mismatch> {
    let wrong = match object.get(name) {
        Some(value) if is(value, kind) => return Ok(()),
        Some(value) => format!("in {place} this is {}, and {} is looked for", type_of(value), in_words(kind)),
        None => format!("{place} has no such field"),
    };
    Err(Mismatch::new(field, name, wrong).seen(described(place, object)))
}

/// A field that may be missing, unless the profile gives it a name of its own.
fn optional(
    object: &RawObject,
    place: &str,
    field: &'static str,
    name: &str,
    usual: &str,
    kind: Kind,
) -> Result<(), Mismatch> {
    if object.get(name).is_none() && name == usual {
        return Ok(());
    }
    required(object, place, field, name, kind)
}

fn is(value: &str, kind: Kind) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Text => value.starts_with('"'),
        Kind::TextOrNull => value.starts_with('"') || value == "null",
        Kind::Number => value.parse::<u64>().is_ok(),
        Kind::Flag => value == "true" || value == "false",
        Kind::List => value.starts_with('['),
    }
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "a value",
        Kind::Text | Kind::TextOrNull => "text",
        Kind::Number => "a whole number",
        Kind::Flag => "true or false",
        Kind::List => "a list",
    }
}

fn type_of(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The keys of an object with the types of their values.
fn described(place: &str, object: &RawObject) -> String {
    let mut keys: Vec<String> =
        object.entries().take(SHOWN_KEYS).map(|(key, value)| format!("{} ({})", shown(key), type_of(value))).collect();
    if object.entries().nth(SHOWN_KEYS).is_some() {
        keys.push("…".to_owned());
    }
    if keys.is_empty() {
        return format!("{place} is empty");
    }
    format!("{place} has {}", keys.join(", "))
}

/// The beginning of a name; secrets are masked before it is cut.
fn shown(name: &str) -> String {
    scrubbed(name).chars().take(KEY_CHARS).flat_map(char::escape_debug).collect()
}

/// Whether a value of the object is the base64 of a text that holds the marker.
fn holds_encoded(payload: &str, marker: &str) -> bool {
    RawObject::parse(payload).is_ok_and(|object| {
        object
            .entries()
            .filter_map(|(_, value)| decoded(&serde_json::from_str::<String>(value).ok()?))
            .any(|text| text.contains(marker))
    })
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests;
