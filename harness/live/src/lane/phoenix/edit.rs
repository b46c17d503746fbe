//! Changes to what a Phoenix payload carries; what is not changed keeps its text.

use cutover_core::hash::payload_hash;
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::rules::pointer_key;

use super::batch::{FrameCopy, read_frame, wire_bytes, wire_hash};
use super::object::{RawObject, quoted};
use super::profile::PhoenixProfile;
use crate::frame::{Edit, pointer};
use crate::lane::names::Names;

/// A subscribe's body with another cursor for a topic. `None` where it does not ask for the topic.
pub(super) fn with_cursor(
    profile: &PhoenixProfile,
    channel: &str,
    body: &str,
    topic: &str,
    to: Cursor,
) -> Option<String> {
    let fields = &profile.fields;
    let mut body = RawObject::parse(body).ok()?;
    let asked = match body.list(&fields.topics) {
        Some(topics) => {
            topics.iter().any(|raw| serde_json::from_str::<String>(raw.get()).is_ok_and(|name| name.trim() == topic))
        }
        None => profile.topic_of_channel(channel) == Some(topic),
    };
    if !asked {
        return None;
    }
    let standing = body.get(&fields.resume_after).map(|text| profile.marks(channel, text)).unwrap_or_default();
    let others = standing.iter().filter(|(name, _)| name != topic).map(|(name, seq)| (name.as_str(), *seq));
    let cursors: Vec<(&str, u64)> = others.chain([(topic, to.0)]).collect();
    body.set(&fields.resume_after, &profile.cursors(&cursors)).ok()?;
    body.to_text().ok()
}

pub(super) fn with_frame_edited(
    profile: &PhoenixProfile,
    names: &Names,
    channel: &str,
    frame: &str,
    edit: &Edit,
) -> Option<String> {
    let Ok(FrameCopy::Batch(batch)) = read_frame(profile, frame) else {
        return None;
    };
    let edited = with_batch_edited(profile, names, channel, &batch, edit)?;
    with_value(frame, &profile.fields.payload_bytes, &quoted(&wire_bytes(&edited)))
}

/// A batch's body without the event, or with another one in its place.
pub(super) fn with_batch_edited(
    profile: &PhoenixProfile,
    names: &Names,
    channel: &str,
    batch: &str,
    edit: &Edit,
) -> Option<String> {
    let (stream, seq) = event_of(edit)?;
    let topic = names.topic(stream)?;
    let mut hit = false;
    let mut edited: Vec<String> = Vec::new();
    let updates = profile.events_in(batch)?;
    for update in &updates {
        let is_it =
            profile.topic_of(channel, update).as_deref() == Some(topic) && profile.seq_of(update) == Some(seq.0);
        if is_it {
            hit = true;
            edited.extend(edited_update(profile, names, update, edit)?);
        } else {
            edited.push((*update).to_owned());
        }
    }
    if !hit {
        return None;
    }
    // One event alone stays so, unless it is none or two now.
    let is_alone = updates.first().is_some_and(|only| standing_of(profile, batch) == Some(*only));
    let text = match edited.as_slice() {
        [only] if is_alone => only.clone(),
        edited => format!("[{}]", edited.join(",")),
    };
    let standing = standing_of(profile, batch)?;
    pointer::spliced(batch, vec![(pointer::range_in(batch, standing)?, text)])
}

/// What stands in a batch's body where the events are.
fn standing_of<'b>(profile: &PhoenixProfile, batch: &'b str) -> Option<&'b str> {
    match profile.fields.updates.as_str() {
        "" => Some(batch),
        name => pointer::named(batch, name),
    }
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
fn edited_update(profile: &PhoenixProfile, names: &Names, update: &str, edit: &Edit) -> Option<Vec<String>> {
    let fields = &profile.fields;
    match edit {
        Edit::Cursor { .. } | Edit::SetJson { .. } | Edit::SetColumn { .. } => None,
        Edit::RemoveEvent { .. } => Some(Vec::new()),
        Edit::ReplacePayload { payload, .. } => {
            let changed = with_value(update, &fields.payload, payload)?;
            let hash = payload_hash(payload.as_bytes()).map(|hash| quoted(&wire_hash(&hash)));
            // A payload without a canonical form has no hash to declare.
            let changed = with_value(&changed, &fields.payload_hash, hash.as_deref().unwrap_or("null"))?;
            Some(vec![changed])
        }
        Edit::Misdeliver { to_stream, to_seq, .. } => {
            let second = with_value(update, &fields.topic, &quoted(names.topic(to_stream)?))?;
            let second = with_value(&second, &fields.watermark, &profile.forms.watermark.write(to_seq.0))?;
            Some(vec![update.to_owned(), second])
        }
    }
}

/// An object with another value in a field, which is added where it is not there. `None` where it has no place.
fn with_value(object: &str, name: &str, value: &str) -> Option<String> {
    if let Some(standing) = pointer::named(object, name) {
        return pointer::spliced(object, vec![(pointer::range_in(object, standing)?, value.to_owned())]);
    }
    let name = match name.strip_prefix('/') {
        // An object inside that is not there is not made up.
        Some(token) if !token.contains('/') => pointer_key(token)?,
        Some(_) => return Some(object.to_owned()),
        None => name.to_owned(),
    };
    let mut object = RawObject::parse(object).ok()?;
    object.set(&name, value).ok()?;
    object.to_text().ok()
}
