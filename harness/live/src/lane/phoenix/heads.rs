//! Which events a batch brings, in one pass over its text: proxies ask that of every message, and need no more of most.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::batch::read_batch;
use super::profile::{FieldNames, PhoenixProfile};

/// The events that a batch names, by topic and seq; those that can't be read are left out, unlike
/// in [`read_batch`]. `None` where it is no batch.
pub(super) fn of_batch(profile: &PhoenixProfile, channel: &str, batch: &str) -> Option<Vec<(String, u64)>> {
    if profile.has_usual_forms()
        && let Some(events) = in_one_pass(profile, batch)
    {
        return Some(events);
    }
    let updates = read_batch(profile, channel, batch).ok()?;
    Some(updates.into_iter().flatten().map(|update| (update.topic, update.seq)).collect())
}

fn in_one_pass(profile: &PhoenixProfile, batch: &str) -> Option<Vec<(String, u64)>> {
    let mut reader = serde_json::Deserializer::from_str(batch);
    let events = Batch(&profile.fields).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    events
}

/// The same of a V2 message, where it is an update batch of the profile's channel; `None` where it is anything else, or
/// has other forms than the contract's.
pub(super) fn of_v2(profile: &PhoenixProfile, message: &str) -> Option<Vec<(String, u64)>> {
    if !profile.has_usual_forms() {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(message);
    let events = V2(profile).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    events
}

type Events = Option<Vec<(String, u64)>>;

macro_rules! seed {
    ($visitor:ident, $value:ty, $deserialize:ident) => {
        impl<'de> DeserializeSeed<'de> for $visitor<'_> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
                reader.$deserialize(self)
            }
        }
    };
}

struct V2<'p>(&'p PhoenixProfile);

seed!(V2, Events, deserialize_seq);

impl<'de> Visitor<'de> for V2<'_> {
    type Value = Events;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a V2 message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Events, A::Error> {
        let other = || A::Error::custom("another message");
        for _ in 0..2 {
            seq.next_element::<IgnoredAny>()?.ok_or_else(other)?;
        }
        for expected in [&self.0.channel, &self.0.events.update_batch] {
            let is: Cow<'_, str> = seq.next_element()?.ok_or_else(other)?;
            if is != expected.as_str() {
                return Err(other());
            }
        }
        let events = seq.next_element_seed(Batch(&self.0.fields))?.ok_or_else(other)?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(events)
    }
}

/// A batch: an object with a list of events in it. Of two lists the last one counts, as other readers have it.
struct Batch<'p>(&'p FieldNames);

seed!(Batch, Events, deserialize_map);

impl<'de> Visitor<'de> for Batch<'_> {
    type Value = Events;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Events, A::Error> {
        let mut events = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.0.updates.as_str() {
                events = Some(map.next_value_seed(Updates(self.0))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(events)
    }
}

struct Updates<'p>(&'p FieldNames);

seed!(Updates, Vec<(String, u64)>, deserialize_seq);

impl<'de> Visitor<'de> for Updates<'_> {
    type Value = Vec<(String, u64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(event) = seq.next_element_seed(Update(self.0))? {
            events.extend(event);
        }
        Ok(events)
    }
}

macro_rules! no_event {
    ($($visit:ident($scalar:ty)),+) => {
        $(fn $visit<E>(self, _: $scalar) -> Result<Self::Value, E> {
            Ok(None)
        })+
    };
}

/// An event, where it has a topic, a seq and a payload.
struct Update<'p>(&'p FieldNames);

seed!(Update, Option<(String, u64)>, deserialize_any);

impl<'de> Visitor<'de> for Update<'_> {
    type Value = Option<(String, u64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    no_event!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let fields = self.0;
        let (mut topic, mut seq, mut payload) = (None, None, false);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == fields.topic.as_str() {
                let text: &RawValue = map.next_value()?;
                topic = serde_json::from_str(text.get()).ok();
            } else if key == fields.watermark.as_str() {
                let text: &RawValue = map.next_value()?;
                seq = text.get().parse().ok();
            } else {
                payload |= key == fields.payload.as_str();
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(topic.zip(seq).filter(|_| payload))
    }
}

#[cfg(test)]
mod tests;
