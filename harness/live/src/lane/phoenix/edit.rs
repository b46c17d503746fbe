//! Changes to what a Phoenix payload carries; what is not changed keeps its text.

use cutover_core::hash::payload_hash;
use cutover_core::ids::{Cursor, Seq, StreamId};
use serde_json::value::RawValue;

use super::batch::{FrameCopy, read_frame, wire_bytes, wire_hash};
use super::object::{RawObject, quoted};
use super::profile::{FieldNames, PhoenixProfile};
use crate::frame::Edit;
use crate::lane::names::Names;

/// Reads `resume_after` in either of its forms: an object, or a list of `{topic, watermark}`.
pub(super) fn read_cursors(fields: &FieldNames, text: &str) -> Vec<(String, u64)> {
    if let Ok(object) = RawObject::parse(text) {
        let entries = object.entries().map(|(topic, cursor)| Some((topic.to_owned(), cursor.parse().ok()?)));
        return entries.flatten().collect();
    }
    let list: Vec<RawObject> = serde_json::from_str(text).unwrap_or_default();
    list.iter().filter_map(|entry| Some((entry.text(&fields.topic)?, entry.number(&fields.watermark)?))).collect()
}

/// A subscribe's payload with another cursor for a topic. `None` where it does not ask for the topic.
pub(super) fn with_cursor(fields: &FieldNames, payload: &str, topic: &str, to: Cursor) -> Option<String> {
    let mut payload = RawObject::parse(payload).ok()?;
    let topics = payload.list(&fields.topics)?;
    let asked =
        topics.iter().any(|raw| serde_json::from_str::<String>(raw.get()).is_ok_and(|name| name.trim() == topic));
    if !asked {
        return None;
    }
    let standing = payload.get(&fields.resume_after).map(|text| read_cursors(fields, text)).unwrap_or_default();
    let mut cursors: Vec<(String, u64)> = standing.into_iter().filter(|(name, _)| name != topic).collect();
    cursors.push((topic.to_owned(), to.0));
    let cursors: Vec<String> = cursors.iter().map(|(name, cursor)| format!("{}:{cursor}", quoted(name))).collect();
    payload.set(&fields.resume_after, &format!("{{{}}}", cursors.join(","))).ok()?;
    payload.to_text().ok()
}

pub(super) fn with_frame_edited(profile: &PhoenixProfile, names: &Names, payload: &str, edit: &Edit) -> Option<String> {
    let Ok(FrameCopy::Batch(batch)) = read_frame(profile, payload) else {
        return None;
    };
    let edited = with_batch_edited(profile, names, &batch, edit)?;
    let mut payload = RawObject::parse(payload).ok()?;
    payload.set(&profile.fields.payload_bytes, &quoted(&wire_bytes(&edited))).ok()?;
    payload.to_text().ok()
}

pub(super) fn with_batch_edited(profile: &PhoenixProfile, names: &Names, batch: &str, edit: &Edit) -> Option<String> {
    let fields = &profile.fields;
    let mut batch = RawObject::parse(batch).ok()?;
    let updates: Vec<Box<RawValue>> = batch.list(&fields.updates)?;
    let (stream, seq) = event_of(edit)?;
    let topic = names.topic(stream)?;
    let mut hit = false;
    let mut edited: Vec<String> = Vec::new();
    for raw in &updates {
        let update = RawObject::parse(raw.get()).ok()?;
        let is_it =
            update.text(&fields.topic).as_deref() == Some(topic) && update.number(&fields.watermark) == Some(seq.0);
        if !is_it {
            edited.push(raw.get().to_owned());
            continue;
        }
        hit = true;
        edited.extend(edited_update(profile, names, update, edit)?);
    }
    if !hit {
        return None;
    }
    batch.set(&fields.updates, &format!("[{}]", edited.join(","))).ok()?;
    batch.to_text().ok()
}

fn event_of(edit: &Edit) -> Option<(&StreamId, Seq)> {
    match edit {
        Edit::Cursor { .. } | Edit::SetJson { .. } | Edit::SetColumn { .. } => None,
        Edit::RemoveEvent { stream, seq }
        | Edit::ReplacePayload { stream, seq, .. }
        | Edit::Misdeliver { stream, seq, .. } => Some((stream, *seq)),
    }
}

/// What replaces the event: nothing, another event, or the event and a second one.
fn edited_update(profile: &PhoenixProfile, names: &Names, mut update: RawObject, edit: &Edit) -> Option<Vec<String>> {
    let fields = &profile.fields;
    match edit {
        Edit::Cursor { .. } | Edit::SetJson { .. } | Edit::SetColumn { .. } => None,
        Edit::RemoveEvent { .. } => Some(Vec::new()),
        Edit::ReplacePayload { payload, .. } => {
            update.set(&fields.payload, payload).ok()?;
            let hash = payload_hash(payload.as_bytes()).map(|hash| quoted(&wire_hash(&hash)));
            // A payload without a canonical form has no hash to declare.
            update.set(&fields.payload_hash, hash.as_deref().unwrap_or("null")).ok()?;
            Some(vec![update.to_text().ok()?])
        }
        Edit::Misdeliver { to_stream, to_seq, .. } => {
            let original = update.to_text().ok()?;
            update.set(&fields.topic, &quoted(names.topic(to_stream)?)).ok()?;
            update.set(&fields.watermark, &to_seq.to_string()).ok()?;
            Some(vec![original, update.to_text().ok()?])
        }
    }
}
