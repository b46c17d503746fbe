//! A record of a history as a person reads it: who, what, where, and the rest field by field.

use serde_json::Value;

use crate::history::Record;
use crate::text::visible;

/// A record is shown up to so many characters.
const MAX_CHARS: usize = 400;
/// So many characters of a digest are shown.
const DIGEST_CHARS: usize = 19;

/// Fields that stand in front, since they say whose record it is. The payload is left out: a finding shows the part of it
/// that is wrong.
const AHEAD: [&str; 4] = ["at", "client", "stream", "seq"];
const LEFT_OUT: [&str; 1] = ["payload"];

/// One line, as `desk delivered run:alpha:events seq 5 (conn 1, sub 1, via update-batch, verdict applied)`.
pub fn shown(record: &Record) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(record) else {
        return String::new();
    };
    let text = |name: &str| fields.get(name).map(value).filter(|text| !text.is_empty());
    let mut words: Vec<String> = [text("client"), text("at"), text("stream")]
        .into_iter()
        .flatten()
        .collect();
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
    super::render::cut(&line, MAX_CHARS)
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
        Value::String(text) if text.starts_with("sha256:") => super::render::cut(text, DIGEST_CHARS),
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown_json(text: &str) -> String {
        shown(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_delivery_reads_as_a_sentence_and_its_payload_is_left_out() {
        let text = r#"{"at":"delivered","client":"desk","conn":1,"sub":2,"stream":"run:alpha:events","seq":6,
            "hash":"sha256:8df45e023909bda6bb70e049089a492b57687aace8cf4a554d5a31dfe21d40d1","via":"update-batch",
            "verdict":"out_of_order","payload":"{\"a\":1}"}"#;
        assert_eq!(
            shown_json(text),
            "desk delivered run:alpha:events seq 6 (conn 1, hash sha256:8df45e02390…, sub 2, verdict out_of_order, via \
             update-batch)"
        );
    }

    #[test]
    fn what_lies_within_a_field_stands_beside_it() {
        let text = r#"{"at":"complete","op":5,"attempt":1,"completion":{"type":"ok","outcome":{"kind":"published","seq":5,
            "duplicate":null}}}"#;
        assert_eq!(
            shown_json(text),
            "complete (attempt 1, kind published, seq 5, type ok, op 5)"
        );
    }

    #[test]
    fn what_a_lane_said_can_not_write_to_the_terminal() {
        let text = r#"{"at":"closed","client":"desk","conn":1,"why":{"how":"lost","why":"\u001b[31mred\u202e"}}"#;
        assert_eq!(
            shown_json(text),
            "desk closed (conn 1, how lost, why \\u{1b}[31mred\\u{202e})"
        );
    }
}
