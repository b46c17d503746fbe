//! Reads a message toxic's attributes. A misspelt one would arm a fault that is not the one meant, so that, unlike
//! Toxiproxy's own types, these refuse what they do not know.

use std::collections::BTreeMap;

use cutover_core::plan::fault::spec::{Fallback, FaultSpec, Shape, Value};
use cutover_core::plan::rules;

use super::attributes;
use crate::go::decode::Raw;
use crate::go::write::quote;

/// How far a name may be from the one that is suggested.
const NEAR: usize = 2;

/// A message toxic's attributes, checked: what its type takes and no more, all that it needs.
#[derive(Debug, Clone)]
pub struct Attributes {
    pub(super) of: &'static FaultSpec,
    values: BTreeMap<&'static str, Value>,
}

impl Attributes {
    pub fn read(of: &'static FaultSpec, given: Option<Raw<'_>>) -> Result<Attributes, String> {
        let defaults = attributes(of).filter_map(|(key, attribute)| Some((key, attribute.fallback.value()?)));
        let read = Attributes { of, values: defaults.collect() };
        read.with(given)
    }

    /// These with others on top. `null` takes one away that need not be there; where any JSON may be, it is a value.
    pub fn with(&self, given: Option<Raw<'_>>) -> Result<Attributes, String> {
        let mut changed = self.clone();
        for (name, raw) in given.map(Raw::members).unwrap_or_default() {
            changed.set(&name, raw)?;
        }
        changed.check()?;
        Ok(changed)
    }

    fn set(&mut self, name: &str, raw: Raw<'_>) -> Result<(), String> {
        let found = attributes(self.of).find(|(key, _)| *key == name);
        let (key, attribute) = found.ok_or_else(|| unknown(self.of, name))?;
        if !raw.is_null() || attribute.shape == Shape::Json {
            let value = value_of(attribute.shape, raw).ok_or_else(|| {
                let (of, is, wanted) = (self.type_name(), raw.text(), wanted(attribute.shape));
                format!("attribute `{key}` of {of} is {is}: it has to be {wanted}")
            })?;
            self.values.insert(key, value);
        } else if attribute.fallback == Fallback::Nothing {
            self.values.remove(key);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let of = self.type_name();
        let mut required = attributes(self.of).filter(|(_, attribute)| attribute.fallback == Fallback::Required);
        if let Some((key, attribute)) = required.find(|(key, _)| !self.values.contains_key(key)) {
            return Err(format!("attribute `{key}` of {of} is missing: give {}", wanted(attribute.shape)));
        }
        if self.values.contains_key("equals") && !self.values.contains_key("pointer") {
            return Err(format!(
                "attribute `equals` of {of} needs `pointer`, which says where to look (\"\" for all of it)"
            ));
        }
        Ok(())
    }

    pub fn type_name(&self) -> &'static str {
        self.of.toxic.unwrap_or_default()
    }

    pub fn json(&self) -> String {
        let member = |(key, shape): (&str, Shape)| {
            let value = match self.values.get(key)? {
                Value::Whole(number) => number.to_string(),
                Value::Text(text) if shape == Shape::Json => text.clone(),
                Value::Text(text) => quote(text),
            };
            Some(format!("\"{key}\":{value}"))
        };
        let keys = attributes(self.of).map(|(key, attribute)| (key, attribute.shape));
        format!("{{{}}}", keys.filter_map(member).collect::<Vec<_>>().join(","))
    }

    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    pub(super) fn is_always(&self) -> bool {
        self.value("times") == Some(&Value::Text("always".to_owned()))
    }
}

fn value_of(shape: Shape, raw: Raw<'_>) -> Option<Value> {
    if let Some((least, most)) = shape.range() {
        let number = raw.text().parse().ok()?;
        return (least..=most).contains(&number).then_some(Value::Whole(number));
    }
    match shape {
        Shape::CloseCode => {
            let code = raw.text().parse().ok()?;
            rules::is_close_code(code).then_some(Value::Whole(code))
        }
        Shape::Json => Some(Value::Text(raw.text())),
        _ => raw.as_text().filter(|text| shape.takes(text)).map(Value::Text),
    }
}

fn wanted(shape: Shape) -> String {
    match (shape.range(), shape) {
        (Some((least, u64::MAX)), _) => format!("a whole number from {least}"),
        (Some((least, most)), _) => format!("a whole number from {least} to {most}"),
        (_, Shape::Word(words, _)) => format!("one of \"{}\"", words.join("\", \"")),
        (_, Shape::Pointer) => format!("a JSON Pointer: {}", rules::POINTERS),
        (_, Shape::CloseCode) => format!("the code of a close frame: {}", rules::CLOSE_CODES),
        (_, Shape::Json) => "JSON".to_owned(),
        _ => "a text".to_owned(),
    }
}

fn unknown(of: &'static FaultSpec, name: &str) -> String {
    let names: Vec<_> = attributes(of).map(|(key, _)| key).collect();
    let near = names.iter().min_by_key(|known| strsim::osa_distance(known, name));
    let near = near.filter(|known| strsim::osa_distance(known, name) <= NEAR);
    let did_you_mean = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    format!("{} has no attribute `{name}`: {did_you_mean}it takes {}", of.toxic.unwrap_or_default(), names.join(", "))
}

#[cfg(test)]
mod tests;
