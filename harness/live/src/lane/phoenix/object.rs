//! A JSON object whose values stay the text that they were, so that reading one field, or changing one, leaves every
//! number, escape and key of the others as it came.

use std::fmt;

use cutover_core::plan::rules::pointer_key;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::frame::pointer;

/// An object: keys in the order in which they came, values as text.
#[derive(Debug, Clone, Default)]
pub struct RawObject(Vec<(String, Box<RawValue>)>);

impl RawObject {
    pub fn parse(text: &str) -> Result<RawObject, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of a value by its key, or by a pointer, which begins with `/`. Of several under one key it is the last,
    /// as other readers have it.
    pub fn get(&self, key: &str) -> Option<&str> {
        let member = |key: &str| self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.get());
        let Some(tokens) = key.strip_prefix('/') else { return member(key) };
        let first = tokens.split('/').next().unwrap_or_default();
        pointer::find(member(&pointer_key(first)?)?, &tokens[first.len()..])
    }

    pub fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }

    pub fn list(&self, key: &str) -> Option<Vec<Box<RawValue>>> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// Sets a value in its place, or adds it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error> {
        let value = RawValue::from_string(value.to_owned())?;
        match self.0.iter_mut().rev().find(|(name, _)| name == key) {
            Some((_, standing)) => *standing = value,
            None => self.0.push((key.to_owned(), value)),
        }
        Ok(())
    }

    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.get()))
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, Box<RawValue>>()? {
                    entries.push(entry);
                }
                Ok(RawObject(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
