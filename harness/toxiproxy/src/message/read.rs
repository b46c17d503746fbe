//! Reads a message toxic's attributes. A misspelt one would arm a fault that is not the one meant, so that, unlike
//! Toxiproxy's own types, these refuse what they do not know.

use std::collections::BTreeMap;

use cutover_core::plan::rules;

use super::attributes::{Attribute, MessageType, Otherwise, Shape};
use crate::go::decode::Raw;
use crate::go::write::quote;

/// How far a name may be from the one that is suggested.
const NEAR: usize = 2;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Whole(u64),
    Text(String),
    /// JSON text.
    Json(String),
}

/// A message toxic's attributes, checked: what its type takes and no more, all that it needs.
#[derive(Debug, Clone)]
pub struct Attributes {
    pub(super) of: &'static MessageType,
    values: BTreeMap<&'static str, Value>,
}

impl Attributes {
    /// Attributes as they were given, on top of what is left out.
    ///
    /// # Errors
    /// Which one is wrong, and what it may be.
    pub fn read(of: &'static MessageType, given: Option<Raw<'_>>) -> Result<Attributes, String> {
        let mut read = Attributes { of, values: BTreeMap::new() };
        for attribute in of.attributes() {
            let value = match attribute.otherwise {
                Otherwise::Whole(number) => Value::Whole(number),
                Otherwise::Word(word) => Value::Text(word.to_owned()),
                Otherwise::Nothing | Otherwise::Required => continue,
            };
            read.values.insert(attribute.name, value);
        }
        read.with(given)
    }

    /// These with others on top. `null` takes one away that need not be there; where any JSON may be, it is a value.
    ///
    /// # Errors
    /// Which one is wrong, and what it may be.
    pub fn with(&self, given: Option<Raw<'_>>) -> Result<Attributes, String> {
        let mut changed = self.clone();
        for (name, raw) in given.map(Raw::members).unwrap_or_default() {
            changed.set(&name, raw)?;
        }
        changed.check()?;
        Ok(changed)
    }

    fn set(&mut self, name: &str, raw: Raw<'_>) -> Result<(), String> {
        let attribute = self.of.attributes().find(|attribute| attribute.name == name);
        let attribute = attribute.ok_or_else(|| unknown(self.of, name))?;
        if !raw.is_null() || attribute.shape == Shape::Json {
            let value = value_of(attribute.shape, raw).ok_or_else(|| {
                let (name, of, is) = (attribute.name, self.of.name, raw.text());
                format!("attribute `{name}` of {of} is {is}: it has to be {}", wanted(attribute.shape))
            })?;
            self.values.insert(attribute.name, value);
        } else if attribute.otherwise == Otherwise::Nothing {
            self.values.remove(attribute.name);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let of = self.of.name;
        let missing = |attribute: &&Attribute| {
            attribute.otherwise == Otherwise::Required && !self.values.contains_key(attribute.name)
        };
        if let Some(missing) = self.of.attributes().find(missing) {
            let (name, shape) = (missing.name, wanted(missing.shape));
            return Err(format!("attribute `{name}` of {of} is missing: give {shape}"));
        }
        if self.values.contains_key("equals") && !self.values.contains_key("pointer") {
            return Err(format!(
                "attribute `equals` of {of} needs `pointer`, which says where to look (\"\" for all of it)"
            ));
        }
        Ok(())
    }

    /// Their type's name.
    pub fn type_name(&self) -> &'static str {
        self.of.name
    }

    /// As a JSON object, in the type's order.
    pub fn json(&self) -> String {
        let members: Vec<String> = self
            .of
            .attributes()
            .filter_map(|attribute| {
                let value = match self.values.get(attribute.name)? {
                    Value::Whole(number) => number.to_string(),
                    Value::Text(text) => quote(text),
                    Value::Json(text) => text.clone(),
                };
                Some(format!("\"{}\":{value}", attribute.name))
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        match self.values.get(name)? {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Value::Text(text) | Value::Json(text) => Some(text),
            Value::Whole(_) => None,
        }
    }
}

fn value_of(shape: Shape, raw: Raw<'_>) -> Option<Value> {
    let text = raw.as_text();
    match shape {
        Shape::Whole(least, most) => {
            let number = raw.text().parse().ok()?;
            (least..=most).contains(&number).then_some(Value::Whole(number))
        }
        Shape::Word(words) => {
            let text = text?;
            words.contains(&text.as_str()).then_some(Value::Text(text))
        }
        Shape::Text => text.filter(|text| !text.is_empty()).map(Value::Text),
        Shape::Pointer => text.filter(|text| rules::is_pointer(text)).map(Value::Text),
        Shape::CloseCode => {
            let code = raw.text().parse().ok()?;
            rules::is_close_code(code).then_some(Value::Whole(code))
        }
        Shape::Json => Some(Value::Json(raw.text())),
    }
}

fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Whole(least, u64::MAX) => format!("a whole number from {least}"),
        Shape::Whole(least, most) => format!("a whole number from {least} to {most}"),
        Shape::Word(words) => format!("one of \"{}\"", words.join("\", \"")),
        Shape::Text => "a text".to_owned(),
        Shape::Pointer => format!("a JSON Pointer: {}", rules::POINTERS),
        Shape::CloseCode => format!("the code of a close frame: {}", rules::CLOSE_CODES),
        Shape::Json => "JSON".to_owned(),
    }
}

fn unknown(of: &MessageType, name: &str) -> String {
    let names: Vec<_> = of.attributes().map(|attribute| attribute.name).collect();
    let near = names.iter().min_by_key(|known| strsim::osa_distance(known, name));
    let near = near.filter(|known| strsim::osa_distance(known, name) <= NEAR);
    let did_you_mean = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let of = of.name;
    format!("{of} has no attribute `{name}`: {did_you_mean}it takes {}", names.join(", "))
}

#[cfg(test)]
mod tests;
