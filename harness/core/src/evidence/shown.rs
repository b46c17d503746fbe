//! A record of a history as a person reads it: who, what, where, and the rest field by field.

use serde_json::Value;

use crate::history::Record;
use crate::text::{cut, visible};

const MAX_CHARS: usize = 400;
const DIGEST_CHARS: usize = 19;

/// The fields at the front, which say whose record it is. The payload is left out: a finding shows the part of
/// it that is wrong.
const AHEAD: [&str; 4] = ["at", "client", "stream", "seq"];
const LEFT_OUT: [&str; 1] = ["payload"];

/// One line, as `desk delivered run:alpha:events seq 5 (conn 1, sub 1, via update-batch, verdict applied)`.
pub fn shown(record: &Record) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(record) else {
        return String::new();
    };
    let text = |name: &str| fields.get(name).map(value).filter(|text| !text.is_empty());
    let mut words: Vec<String> = [text("client"), text("at"), text("stream")].into_iter().flatten().collect();
    words.extend(text("seq").map(|seq| format!("seq {seq}")));
    let mut rest = Vec::new();
    for (name, value) in &fields {
        if !AHEAD.contains(&name.as_str()) && !LEFT_OUT.contains(&name.as_str()) {
            field(name, value, &mut rest);
        }
    }
    let mut line = words.join(" ");
    if !rest.is_empty() {
        line.push_str(&format!(" ({})", rest.join(", ")));
    }
    cut(&line, MAX_CHARS)
}

/// A field in words; what lies within it stands beside it.
fn field(name: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| field(name, value, into)),
        Value::Array(values) if values.is_empty() => {}
        plain => into.push(format!("{} {}", name.replace('_', " "), self::value(plain))),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with("sha256:") => cut(text, DIGEST_CHARS),
        Value::String(text) => visible(text),
        Value::Object(fields) => {
            let mut parts = Vec::new();
            fields.iter().for_each(|(name, value)| field(name, value, &mut parts));
            parts.join(" ")
        }
        Value::Array(values) => values.iter().map(self::value).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
