//! Puts another value into events of a Phoenix payload, and leaves every other byte of it as it came.

use std::ops::Range;

use cutover_core::ids::{Seq, StreamId};

use super::batch::{FrameCopy, read_frame, wire_bytes};
use super::object::quoted;
use super::profile::PhoenixProfile;
use crate::frame::{Carried, Edit, pointer};
use crate::lane::names::Names;

pub(super) struct Values<'a> {
    profile: &'a PhoenixProfile,
    names: &'a Names,
    events: &'a [(StreamId, Option<Seq>)],
    place: Place<'a>,
    value: &'a str,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Json(&'a str),
    Column(&'a str),
}

impl<'a> Values<'a> {
    /// `None` where the edit is of another kind, or its value is no JSON.
    pub(super) fn new(profile: &'a PhoenixProfile, names: &'a Names, edit: &'a Edit) -> Option<Values<'a>> {
        let (events, place, value) = match edit {
            Edit::SetJson { events, pointer, value } => (events, Place::Json(pointer), value),
            Edit::SetColumn { events, column, value } => (events, Place::Column(column), value),
            _ => return None,
        };
        pointer::is_json(value).then_some(Values { profile, names, events, place, value })
    }

    /// A batch's body with the value set in each of the events that has the place; `None` where none has it.
    pub(super) fn in_batch(&self, channel: &str, batch: &str) -> Option<String> {
        let places: Vec<(Range<usize>, String)> = self
            .profile
            .events_in(batch)?
            .into_iter()
            .filter(|update| self.is_meant(channel, update))
            .filter_map(|update| {
                let standing = self.standing_in(update)?;
                Some((pointer::range_in(batch, standing)?, self.value.to_owned()))
            })
            .collect();
        if places.is_empty() {
            return None;
        }
        pointer::spliced(batch, places)
    }

    /// A `sync:frame`'s body with the same done to its batch.
    pub(super) fn in_frame(&self, channel: &str, payload: &str) -> Option<String> {
        let Ok(FrameCopy::Batch(batch)) = read_frame(self.profile, payload) else {
            return None;
        };
        let changed = quoted(&wire_bytes(&self.in_batch(channel, &batch)?));
        let standing = pointer::named(payload, &self.profile.fields.payload_bytes)?;
        pointer::spliced(payload, vec![(pointer::range_in(payload, standing)?, changed)])
    }

    pub(super) fn in_publish(&self, published: &Carried, body: &str) -> Option<String> {
        if !self.events.is_empty() && !self.events.contains(&(published.stream.clone(), None)) {
            return None;
        }
        let call = &self.profile.publish;
        let standing = match self.place {
            Place::Json(at) => pointer::find(call.payload_in(body)?, at)?,
            Place::Column(column) => pointer::member(
                body,
                match column {
                    "stream_id" => &call.topic,
                    "idempotency_key" => &call.idempotency_key,
                    "payload" => &call.payload,
                    own => own,
                },
            )?,
        };
        pointer::spliced(body, vec![(pointer::range_in(body, standing)?, self.value.to_owned())])
    }

    fn is_meant(&self, channel: &str, update: &str) -> bool {
        let event = || {
            let topic = self.profile.topic_of(channel, update)?;
            let seq = self.profile.seq_of(update)?;
            Some((self.names.stream_of_topic(&topic)?, Some(Seq(seq))))
        };
        event().is_some_and(|event| self.events.is_empty() || self.events.contains(&event))
    }

    fn standing_in<'t>(&self, update: &'t str) -> Option<&'t str> {
        let fields = &self.profile.fields;
        match self.place {
            Place::Json(at) => pointer::find(pointer::named(update, &fields.payload)?, at),
            Place::Column(column) => pointer::named(
                update,
                match column {
                    "stream_id" => &fields.topic,
                    "seq" => &fields.watermark,
                    "payload" => &fields.payload,
                    "payload_hash" => &fields.payload_hash,
                    own => own,
                },
            ),
        }
    }
}
