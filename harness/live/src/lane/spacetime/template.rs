//! Texts and argument lists with placeholders, such as `{stream}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::wall_clock_us;

/// What the placeholders of each call stand for.
pub(super) const APPEND: &[&str] =
    &["stream", "key", "payload", "hash", "claimed_hash", "expected_next_seq", "now_ms", "now_us", "none"];
pub(super) const CHECKPOINT: &[&str] = &["client", "stream", "seq", "durable_offset", "now_ms", "now_us", "none"];
pub(super) const HEARTBEAT: &[&str] = &["stream", "beyond_head", "now_ms", "now_us", "none"];
pub(super) const SIGNAL: &[&str] = &["stream", "number", "now_ms", "now_us", "none"];
pub(super) const POLICY: &[&str] = &["stream", "retention", "replay_budget", "none"];

/// The arguments of a call, in order. A text that is a placeholder stands for a value; all else is a constant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arguments(Vec<Value>);

impl<T: Into<Value>, const N: usize> From<[T; N]> for Arguments {
    fn from(arguments: [T; N]) -> Arguments {
        Arguments(arguments.map(Into::into).into())
    }
}

impl From<Vec<Value>> for Arguments {
    fn from(arguments: Vec<Value>) -> Arguments {
        Arguments(arguments)
    }
}

impl Arguments {
    /// A list in JSON. A placeholder without a value becomes `null`.
    pub(super) fn filled(&self, value: impl Fn(&str) -> Option<Value>) -> Value {
        let value: &dyn Fn(&str) -> Option<Value> = &value;
        Value::Array(self.0.iter().map(|argument| filled_value(argument, value)).collect())
    }

    /// The place of the argument that a placeholder alone makes.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|argument| placeholder(argument) == Some(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.placeholders().iter().any(|has| has == name)
    }

    pub(super) fn placeholders(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.0.iter().for_each(|argument| collect(argument, &mut found));
        found
    }

    pub(super) fn in_words(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn placeholder(argument: &Value) -> Option<&str> {
    argument.as_str()?.strip_prefix('{')?.strip_suffix('}')
}

fn filled_value(argument: &Value, value: &dyn Fn(&str) -> Option<Value>) -> Value {
    match (placeholder(argument), argument) {
        (Some(name), _) => value(name).unwrap_or(Value::Null),
        (None, Value::Array(list)) => Value::Array(list.iter().map(|inner| filled_value(inner, value)).collect()),
        (None, Value::Object(members)) => {
            Value::Object(members.iter().map(|(name, inner)| (name.clone(), filled_value(inner, value))).collect())
        }
        (None, constant) => constant.clone(),
    }
}

fn collect(argument: &Value, found: &mut Vec<String>) {
    match (placeholder(argument), argument) {
        (Some(name), _) => found.push(name.to_owned()),
        (None, Value::Array(list)) => list.iter().for_each(|inner| collect(inner, found)),
        (None, Value::Object(members)) => members.values().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

/// The time that a placeholder stands for.
pub(super) fn now(name: &str) -> Option<Value> {
    match name {
        "now_ms" => Some(Value::from(wall_clock_us() / 1000)),
        "now_us" => Some(Value::from(wall_clock_us())),
        _ => None,
    }
}

/// A text with its placeholders replaced. One without a value stays as it is.
pub(super) fn filled<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}').and_then(|(name, rest)| Some((value(name)?, rest))) {
            Some((value, behind)) => {
                out.push_str(value);
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

/// The values of a pattern's placeholders in a text that has the pattern's other parts in this order. A value is what
/// lies between two parts; behind the last part it ends at the first blank.
pub(super) fn matched(pattern: &str, text: &str) -> Option<Vec<(String, String)>> {
    let mut values = Vec::new();
    let (first, mut pattern) = pattern.split_at(pattern.find('{').unwrap_or(pattern.len()));
    let mut text = &text[text.find(first)? + first.len()..];
    while let Some((name, after)) = pattern.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        let (part, next) = after.split_at(after.find('{').unwrap_or(after.len()));
        let end = if part.is_empty() { text.find(char::is_whitespace).unwrap_or(text.len()) } else { text.find(part)? };
        values.push((name.to_owned(), text[..end].trim_matches([' ', ',', ';', '"', '`']).to_owned()));
        text = &text[end + part.len()..];
        pattern = next;
    }
    Some(values)
}

#[cfg(test)]
mod tests;
