//! What the service sent by itself: batches of events, their copies, and errors.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::hash::{payload_hash, sha256};
use serde_json::{Map, Value};

use super::requests::{marks_form, marks_names};
use super::{Findings, Read, escaped, objects, watermark};
use crate::lane::phoenix::forms::WatermarkForm;
use crate::lane::phoenix::profile::{FieldNames, HashKind};

type Object = Map<String, Value>;

/// Where the events of a message stand: the pointer to the body, the name in it, and the events.
struct Batch<'v> {
    at: String,
    name: String,
    events: Vec<&'v Object>,
}

pub(super) fn look_at(read: &[Read], found: &mut Findings) {
    let pushes: Vec<&Read> = read.iter().filter(|read| !read.is_up() && !read.is_own()).collect();
    let pushes: Vec<&Read> = pushes.into_iter().filter(|read| found.profile.is_channel(&read.message.topic)).collect();
    let seen: Vec<(&Read, Batch<'_>)> =
        pushes.iter().filter_map(|read| Some((*read, batch_in(&read.payload, found)?))).collect();
    let Some((first, batch)) = seen.first() else {
        return found.undecided.push("events.update_batch, [fields]: the session brought no event".to_owned());
    };
    let name = first.message.event.clone();
    let same: Vec<&Batch<'_>> =
        seen.iter().filter(|(read, _)| read.message.event == name).map(|(_, batch)| batch).collect();
    let events: Vec<&Object> = same.iter().flat_map(|batch| batch.events.iter().copied()).collect();
    found.profile.events.update_batch.clone_from(&name);
    found.profile.envelope.push.clone_from(&batch.at);
    found.profile.fields.updates.clone_from(&batch.name);
    let body = first.payload.pointer(&batch.at).and_then(Value::as_object);
    let bodies = seen.iter().filter_map(|(read, batch)| read.payload.pointer(&batch.at)?.as_object());
    read_body(&bodies.collect::<Vec<_>>(), body, found);
    read_event(&events, found);
    read_frames(&pushes, &name, found);
    read_errors(&pushes, &name, found);
}

/// The events of a payload: a list of objects that name a topic, or one such object, or the body itself.
fn batch_in<'v>(payload: &'v Value, found: &Findings) -> Option<Batch<'v>> {
    let by_channel = found.profile.channel_parts().is_some();
    let places = objects(payload);
    let listed = places.iter().find_map(|(at, members)| {
        members.iter().find_map(|(name, value)| {
            let list = value.as_array().filter(|list| !list.is_empty())?;
            let events: Option<Vec<&Object>> = list.iter().map(Value::as_object).collect();
            let events = events?;
            let fits = events.iter().all(|event| is_event(event, found, by_channel));
            fits.then(|| Batch { at: at.clone(), name: name.clone(), events })
        })
    });
    listed.or_else(|| {
        places.iter().find_map(|(at, members)| {
            if !is_event(members, found, by_channel) {
                return None;
            }
            let events = vec![*members];
            // One event under a name, or the body itself.
            let (outer, name) = at.rsplit_once('/').unwrap_or(("", ""));
            let name = name.replace("~1", "/").replace("~0", "~");
            Some(Batch { at: outer.to_owned(), name, events })
        })
    })
}

/// An event has a topic that was asked for, a watermark, and something that can be its payload.
fn is_event(event: &Object, found: &Findings, by_channel: bool) -> bool {
    let names_topic = event.values().any(|value| value.as_str().is_some_and(|text| found.topics.contains(text)));
    let marks = event.values().filter(|value| watermark(value).is_some()).count();
    (names_topic || by_channel) && marks > 0 && event.len() > if names_topic { 2 } else { 1 }
}

/// The fields beside the events: the heads, and whether the replay is complete.
fn read_body(bodies: &[&Object], first: Option<&Object>, found: &mut Findings) {
    let Some(first) = first else { return };
    let updates = found.profile.fields.updates.clone();
    let flags = first.iter().filter(|(_, value)| value.is_boolean());
    if let Some((name, _)) = flags.max_by_key(|(name, _)| name.as_str() == FieldNames::default().replay_complete) {
        found.profile.fields.replay_complete.clone_from(name);
    }
    for body in bodies {
        for (name, value) in body.iter().filter(|(name, _)| **name != updates) {
            let Some(form) = marks_form(value, found) else { continue };
            found.profile.fields.head_watermarks.clone_from(name);
            if let Some((topic, mark)) = marks_names(value, found) {
                (found.profile.fields.topic, found.profile.fields.watermark) = (topic, mark);
            }
            if let Ok(form) = WatermarkForm::try_from(form) {
                found.profile.forms.watermark = form;
            }
            return;
        }
    }
}

fn read_event(events: &[&Object], found: &mut Findings) {
    let usual = FieldNames::default();
    let names: Vec<String> = events[0].keys().cloned().collect();
    let all = |name: &str, fits: &dyn Fn(&Value) -> bool| events.iter().all(|event| event.get(name).is_some_and(fits));
    let is_topic = |value: &Value| value.as_str().is_some_and(|text| found.topics.contains(text));
    let topic = names.iter().find(|name| all(name, &is_topic)).cloned();
    let topic = topic.unwrap_or_default();
    let counts: Vec<&String> = names.iter().filter(|name| **name != topic && counts_up(events, name, &topic)).collect();
    // A number that is always the same counts nothing.
    let most = counts.iter().map(|name| distinct(events, name)).max().unwrap_or_default();
    let counts: Vec<&String> = counts.into_iter().filter(|name| distinct(events, name) == most).collect();
    let is_hash = |value: &Value| value.as_str().is_some_and(is_hash) || value.is_null();
    let any = |name: &str, fits: &dyn Fn(&Value) -> bool| events.iter().any(|event| event.get(name).is_some_and(fits));
    let hashed = |name: &&String| all(name, &is_hash) && any(name, &Value::is_string);
    let hash = names.iter().find(hashed).cloned();
    let mark = pick(&counts, &[&found.profile.fields.watermark, &usual.watermark], &["watermark", "seq", "offset"]);
    let Some(mark) = mark else {
        return found.undecided.push("fields.watermark: no field of an event counts up".to_owned());
    };
    let others = |name: &&String| **name != topic && **name != mark && Some(*name) != hash.as_ref();
    let rest: Vec<&String> = names.iter().filter(others).collect();
    let proven = hash.as_ref().and_then(|hash| rest.iter().find(|name| hashes_to(events, name, hash)).copied());
    let large: Vec<&String> =
        rest.iter().filter(|name| any(name, &|value| value.is_object() || value.is_array())).copied().collect();
    let payload = proven.cloned().or_else(|| pick(&large, &[&usual.payload], &["payload", "data", "body", "value"]));
    let payload = payload.or_else(|| pick(&rest, &[&usual.payload], &["payload", "data", "body", "value"]));
    if counts.len() > 1 {
        let names: Vec<&str> = counts.iter().map(|name| name.as_str()).collect();
        found.undecided.push(format!("fields.watermark: {} count alike, and `{mark}` was taken", names.join(", ")));
    }
    if let Some((_, form)) = events[0].get(&mark).and_then(watermark) {
        match WatermarkForm::try_from(form) {
            Ok(form) => found.profile.forms.watermark = form,
            Err(why) => found.undecided.push(format!("forms.watermark: {why}")),
        }
    }
    let fields = &mut found.profile.fields;
    (fields.topic, fields.watermark) = (topic, mark);
    match payload {
        Some(payload) => fields.payload = payload,
        None => found.undecided.push("fields.payload: no field of an event is like one".to_owned()),
    }
    match hash {
        Some(hash) => fields.payload_hash = hash,
        None => {
            found.profile.payload_hash = HashKind::None;
            found.undecided.push("fields.payload_hash: no field is like a SHA-256".to_owned());
        }
    }
}

/// The first of these names that is there; else one that contains one of these words; else any.
fn pick(names: &[&String], usual: &[&String], words: &[&str]) -> Option<String> {
    let named = usual.iter().find(|usual| names.contains(usual)).copied();
    let like = || words.iter().find_map(|word| names.iter().find(|name| name.to_lowercase().contains(word)).copied());
    named.or_else(like).or_else(|| names.first().copied()).cloned()
}

/// Whether a field is a watermark that goes up from event to event of each topic, by one where it is a new event.
fn counts_up(events: &[&Object], name: &str, topic: &str) -> bool {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    events.iter().all(|event| {
        let Some((number, _)) = event.get(name).and_then(watermark) else { return false };
        let topic = event.get(topic).and_then(Value::as_str).unwrap_or_default();
        let before = last.insert(topic, number);
        before.is_none_or(|before| number <= before + 1)
    })
}

fn distinct(events: &[&Object], name: &str) -> usize {
    let numbers = events.iter().filter_map(|event| Some(watermark(event.get(name)?)?.0));
    numbers.collect::<std::collections::BTreeSet<u64>>().len()
}

fn is_hash(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

fn hashes_to(events: &[&Object], name: &str, hash: &str) -> bool {
    events.iter().any(|event| {
        let (Some(value), Some(declared)) = (event.get(name), event.get(hash).and_then(Value::as_str)) else {
            return false;
        };
        let text = value.to_string();
        let hashes = [payload_hash(text.as_bytes()).map(|hash| hash.to_string()).ok(), Some(sha256(text.as_bytes()))];
        let bytes = STANDARD.decode(declared).unwrap_or_default();
        let declared_hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let declared = declared.strip_prefix("sha256:").unwrap_or(declared);
        hashes.into_iter().flatten().any(|own| {
            let own = own.strip_prefix("sha256:").unwrap_or(&own).to_owned();
            own == declared || own == declared_hex
        })
    })
}

/// Copies of batches as base64 in messages of another name.
fn read_frames(pushes: &[&Read], batch: &str, found: &mut Findings) {
    let mut any = false;
    for push in pushes.iter().filter(|push| push.message.event != batch) {
        let Some(body) = push.payload.pointer(&found.profile.envelope.push).and_then(Value::as_object) else {
            continue;
        };
        let copy = body.iter().find_map(|(name, value)| Some((name, decoded(value.as_str()?)?)));
        let Some((bytes, inner)) = copy else { continue };
        let is_batch = batch_in(&inner, found).is_some();
        let kinds = body.iter().filter(|(name, value)| {
            *name != bytes && value.as_str().is_some_and(|text| !found.topics.contains(text) && !is_mark(text))
        });
        let Some((kind, word)) = kinds.max_by_key(|(name, _)| name.as_str() == "kind") else { continue };
        let (kind, word, bytes) = (kind.clone(), word.as_str().unwrap_or_default().to_owned(), bytes.clone());
        let profile = &mut found.profile;
        if is_batch {
            any = true;
            profile.events.frame.clone_from(&push.message.event);
            profile.frame_kinds.update_batch = word;
            (profile.fields.kind, profile.fields.payload_bytes) = (kind, bytes);
            let seqs = body.iter().filter(|(_, value)| watermark(value).is_some() && value.as_u64() != Some(1));
            if let Some((name, _)) = seqs.max_by_key(|(name, _)| name.as_str() == FieldNames::default().seq) {
                profile.fields.seq.clone_from(name);
            }
        } else {
            profile.frame_kinds.error = word;
        }
    }
    if !any {
        found.profile.events.frame = String::new();
    }
}

fn is_mark(text: &str) -> bool {
    watermark(&Value::from(text)).is_some()
}

fn decoded(text: &str) -> Option<Value> {
    serde_json::from_slice::<Value>(&STANDARD.decode(text).ok()?).ok().filter(Value::is_object)
}

/// An error that the service sends beside a refusal has the fields of it.
fn read_errors(pushes: &[&Read], batch: &str, found: &mut Findings) {
    let known = [batch.to_owned(), found.profile.events.frame.clone(), found.profile.events.heartbeat.clone()];
    let mut error = None;
    for push in pushes.iter().filter(|push| !known.contains(&push.message.event)) {
        let body = push.payload.pointer(&found.profile.envelope.push).and_then(Value::as_object);
        let code = ["code", "error_code", "error", "reason"];
        let is_error = body.is_some_and(|body| code.iter().any(|name| body.get(*name).is_some_and(Value::is_string)));
        let event = push.message.event.clone();
        if is_error || event.contains("error") {
            error = Some(event);
        } else if !event.starts_with("presence_") {
            let note = format!("an event `{}` came, whose meaning is not known", escaped(&event));
            if !found.undecided.contains(&note) {
                found.undecided.push(note);
            }
        }
    }
    match error {
        Some(event) => found.profile.events.error = event,
        None => found.undecided.push("events.error: the session has no error".to_owned()),
    }
}
