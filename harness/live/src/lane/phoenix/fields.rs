//! Compares what a service sends with the names of its profile: which name the service does not have, and what it has
//! instead.
//!
//! The messages are those with the event of a trial, which contains its marker. A name of the contract may be missing
//! where the lane does not need it. A name that the profile changes may not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::text::scrubbed;

use super::calls::{PolicyCall, PublishCall};
use super::codec::Message;
use super::object::RawObject;
use super::profile::{FieldNames, HashKind, PhoenixProfile};
use crate::frame::pointer;
use crate::lane::trial::Mismatch;

const SHOWN_KEYS: usize = 16;
/// So much of a key is shown, in characters.
const KEY_CHARS: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    TextOrNull,
    Number,
    Flag,
    List,
    /// A list of events, or one alone.
    Events,
    Any,
}

/// Compares messages with the profile's names; true where one of them brought the event.
pub(super) fn compare(profile: &PhoenixProfile, marker: &str, heard: &[Message]) -> Result<bool, Mismatch> {
    let of_channel = || heard.iter().filter(|message| profile.is_channel(&message.topic));
    let plain: Vec<&Message> = of_channel().filter(|message| message.payload.contains(marker)).collect();
    let encoded: Vec<&Message> = of_channel()
        .filter(|message| !message.payload.contains(marker) && holds_encoded(&message.payload, marker))
        .collect();
    let events = &profile.events;
    named(&plain, &events.frame, "events.update_batch", &events.update_batch)?;
    named(&encoded, &events.update_batch, "events.frame", &events.frame)?;
    for message in &plain {
        if message.event == events.update_batch {
            check_batch(profile, marker, &message.topic, body_of(profile, message)?)?;
        } else if message.event == events.frame {
            check_frame(profile, marker, &message.topic, body_of(profile, message)?)?;
        }
    }
    for message in &encoded {
        if message.event == events.frame {
            check_frame(profile, marker, &message.topic, body_of(profile, message)?)?;
        }
    }
    Ok(!plain.is_empty() || !encoded.is_empty())
}

pub(super) fn carries(message: &Message, marker: &str) -> bool {
    message.payload.contains(marker) || holds_encoded(&message.payload, marker)
}

/// The body of a push in its envelope.
fn body_of<'m>(profile: &PhoenixProfile, message: &'m Message) -> Result<&'m str, Mismatch> {
    enveloped(&message.payload, "envelope.push", &profile.envelope.push, "a push")
}

fn enveloped<'p>(payload: &'p str, key: &'static str, at: &str, place: &'static str) -> Result<&'p str, Mismatch> {
    pointer::find(payload, at).ok_or_else(|| {
        let object = RawObject::parse(payload).unwrap_or_default();
        Check { object: &object, place }.mismatch(key, at, format!("{place} has nothing there"))
    })
}

pub(super) fn check_subscribed(profile: &PhoenixProfile, channel: &str, response: &str) -> Result<(), Mismatch> {
    let (name, usual) = (&profile.fields.current_watermarks, FieldNames::default().current_watermarks);
    let place = "the reply to a subscribe";
    let body = enveloped(response, "envelope.reply", &profile.envelope.reply, place)?;
    let object = RawObject::parse(body).unwrap_or_default();
    let check = Check { object: &object, place };
    let Some(marks) = object.get(name).filter(|_| !profile.has_every_field()) else {
        return check.optional("fields.current_watermarks", name, &usual, Kind::List);
    };
    let is_own = !profile.forms.watermark.is_usual();
    if is_own && profile.marks(channel, marks).is_empty() && !is_empty(marks) {
        let wrong = format!("it is {marks:.100}, which has no watermark like {}", profile.forms.watermark.as_str());
        return Err(check.mismatch("forms.watermark", name, wrong));
    }
    Ok(())
}

fn is_empty(value: &str) -> bool {
    pointer::elements(value).is_some_and(|list| list.is_empty())
        || pointer::members(value).is_some_and(|members| members.is_empty())
}

pub(super) fn check_published(profile: &PhoenixProfile, answer: &str) -> Result<(), Mismatch> {
    let (publish, usual) = (&profile.publish, PublishCall::default());
    let place = "the answer to a publish";
    let at = &publish.answer;
    let inner = publish.answered(answer);
    if inner.is_none() && !at.is_empty() {
        let whole = RawObject::parse(answer).unwrap_or_default();
        let check = Check { object: &whole, place };
        return Err(check.mismatch("publish.answer", at, format!("{place} has nothing there")));
    }
    let Ok(object) = RawObject::parse(inner.unwrap_or(answer)) else {
        let wrong = format!("{place} is no JSON object{}", if at.is_empty() { "" } else { " there" });
        let seen = format!("it is {:.200}", answer.escape_debug().to_string());
        return Err(Mismatch::new("publish.seq", &publish.seq, wrong).seen(seen));
    };
    let check = Check { object: &object, place };
    let is_read = object.get(&publish.seq).is_some_and(|seq| profile.read_seq(seq).is_some());
    check.required("publish.seq", &publish.seq, if is_read { Kind::Any } else { Kind::Number })?;
    check.optional("publish.duplicate", &publish.duplicate, &usual.duplicate, Kind::Flag)
}

pub(super) fn check_policy(profile: &PhoenixProfile, answer: &str) -> Result<(), Mismatch> {
    let (policy, usual) = (&profile.policy, PolicyCall::default());
    let object = RawObject::parse(answer).unwrap_or_default();
    if object.entries().next().is_none() {
        return Ok(());
    }
    let check = Check { object: &object, place: "the answer to a policy" };
    check.optional("policy.retention_events", &policy.retention_events, &usual.retention_events, Kind::Number)?;
    let (name, usual) = (&policy.replay_budget_events, &usual.replay_budget_events);
    check.optional("policy.replay_budget_events", name, usual, Kind::Number)
}

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

fn check_batch(profile: &PhoenixProfile, marker: &str, channel: &str, text: &str) -> Result<(), Mismatch> {
    let (names, usual) = (&profile.fields, FieldNames::default());
    let batch = RawObject::parse(text).unwrap_or_default();
    let check = Check { object: &batch, place: "a batch" };
    let Some(updates) = profile.events_in(text) else {
        let wanted = if profile.has_every_field() { Kind::List } else { Kind::Events };
        return check.required("fields.updates", &names.updates, wanted);
    };
    let Some(update) = updates.iter().find(|update| update.contains(marker)) else {
        return Err(check.mismatch("fields.updates", &names.updates, "the event is not in this list"));
    };
    let flag = if profile.has_every_field() { Kind::Flag } else { Kind::Any };
    let list = if profile.has_every_field() { Kind::List } else { Kind::Any };
    check.optional("fields.replay_complete", &names.replay_complete, &usual.replay_complete, flag)?;
    check.optional("fields.head_watermarks", &names.head_watermarks, &usual.head_watermarks, list)?;
    let text = *update;
    let Ok(update) = RawObject::parse(text) else {
        return Ok(());
    };
    let check = Check { object: &update, place: "an event of a batch" };
    if !names.topic.is_empty() {
        check.required("fields.topic", &names.topic, Kind::Text)?;
    }
    let form = &profile.forms.watermark;
    check.required("fields.watermark", &names.watermark, if form.is_usual() { Kind::Number } else { Kind::Any })?;
    if profile.topic_of(channel, text).is_some() && profile.seq_of(text).is_none() {
        let got = update.get(&names.watermark).unwrap_or_default();
        let wrong = format!("the watermark of an event is {got:.100}");
        return Err(check.mismatch("forms.watermark", form.as_str(), wrong));
    }
    check.required("fields.payload", &names.payload, Kind::Any)?;
    if update.get(&names.payload).is_some_and(|payload| !payload.contains(marker)) {
        let wrong = "this is not what was published as the payload";
        return Err(check.mismatch("fields.payload", &names.payload, wrong));
    }
    if profile.payload_hash == HashKind::None {
        return Ok(());
    }
    check.optional("fields.payload_hash", &names.payload_hash, &usual.payload_hash, Kind::TextOrNull)
}

fn check_frame(profile: &PhoenixProfile, marker: &str, channel: &str, text: &str) -> Result<(), Mismatch> {
    let names = &profile.fields;
    let Ok(frame) = RawObject::parse(text) else {
        return Ok(());
    };
    let check = Check { object: &frame, place: "a frame" };
    check.required("fields.kind", &names.kind, Kind::Text)?;
    check.required("fields.payload_bytes", &names.payload_bytes, Kind::Text)?;
    let number = if profile.forms.watermark.is_usual() { Kind::Number } else { Kind::Any };
    check.optional("fields.seq", &names.seq, &FieldNames::default().seq, number)?;
    match frame.text(&names.payload_bytes).and_then(|text| decoded(&text)) {
        Some(batch) if batch.contains(marker) => check_batch(profile, marker, channel, &batch),
        _ => Err(check.mismatch("fields.payload_bytes", &names.payload_bytes, "this is not the base64 of a batch")),
    }
}

struct Check<'a> {
    object: &'a RawObject,
    place: &'static str,
}

impl Check<'_> {
    fn required(&self, key: &'static str, name: &str, kind: Kind) -> Result<(), Mismatch> {
        let place = self.place;
        let wrong = match self.object.get(name) {
            Some(value) if is(value, kind) => return Ok(()),
            Some(value) => format!("in {place} this is {}, and {} is looked for", type_of(value), in_words(kind)),
            None => format!("{place} has no such field"),
        };
        Err(self.mismatch(key, name, wrong))
    }

    /// A field that may be missing, unless the profile gives it another name than is usual.
    fn optional(&self, key: &'static str, name: &str, usual: &str, kind: Kind) -> Result<(), Mismatch> {
        if self.object.get(name).is_none() && name == usual {
            return Ok(());
        }
        self.required(key, name, kind)
    }

    fn mismatch(&self, key: &'static str, name: &str, wrong: impl Into<String>) -> Mismatch {
        Mismatch::new(key, name, wrong).seen(described(self.place, self.object))
    }
}

pub(super) fn is(value: &str, kind: Kind) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Text => value.starts_with('"'),
        Kind::TextOrNull => value.starts_with('"') || value == "null",
        Kind::Number => value.parse::<u64>().is_ok(),
        Kind::Flag => value == "true" || value == "false",
        Kind::List => value.starts_with('['),
        Kind::Events => value.starts_with(['[', '{']),
    }
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "a value",
        Kind::Text | Kind::TextOrNull => "text",
        Kind::Number => "a whole number",
        Kind::Flag => "true or false",
        Kind::List => "a list",
        Kind::Events => "a list or an object",
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

fn shown(name: &str) -> String {
    scrubbed(name).chars().take(KEY_CHARS).flat_map(char::escape_debug).collect()
}

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
