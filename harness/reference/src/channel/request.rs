//! Reads the payloads of `sync:subscribe` and `sync:unsubscribe`.

use serde_json::{Map, Number, Value};

/// How many topics one request may name: more is a mistake, and would make every list of the channel long.
const MAX_TOPICS: usize = 4096;

/// A payload that names no usable topic or cursor: `bad_subscription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadSubscription;

/// The topics of a request: trimmed, each once, at least one. What is no string is passed over.
pub(super) fn topics(payload: &Map<String, Value>) -> Result<Vec<String>, BadSubscription> {
    let items = payload.get("topics").and_then(Value::as_array).ok_or(BadSubscription)?;
    let mut topics: Vec<String> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for topic in items
        .iter()
        .filter_map(Value::as_str)
        .map(str::trim)
        .filter(|topic| !topic.is_empty())
    {
        if seen.insert(topic) {
            topics.push(topic.to_owned());
        }
    }
    if topics.is_empty() || topics.len() > MAX_TOPICS {
        Err(BadSubscription)
    } else {
        Ok(topics)
    }
}

/// The cursors of a subscribe, as a map or as a list; none where `resume_after` is missing or null.
pub(super) fn resume_after(payload: &Map<String, Value>) -> Result<Vec<(String, u64)>, BadSubscription> {
    match payload.get("resume_after") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => map.iter().map(|(topic, value)| entry(topic, value)).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                let topic = item.get("topic").and_then(Value::as_str).ok_or(BadSubscription)?;
                entry(topic, item.get("watermark").unwrap_or(&Value::Null))
            })
            .collect(),
        Some(_) => Err(BadSubscription),
    }
}

fn entry(topic: &str, watermark: &Value) -> Result<(String, u64), BadSubscription> {
    let Value::Number(number) = watermark else {
        return Err(BadSubscription);
    };
    Ok((topic.trim().to_owned(), natural(number).ok_or(BadSubscription)?))
}

/// A natural number, if it is written as an integer. One that is too large for 64 bits is as good as the largest.
fn natural(number: &Number) -> Option<u64> {
    let text = number.to_string();
    let digits = if text == "-0" { "0" } else { text.as_str() };
    let is_natural = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_natural.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// The batch size that is asked for, if it is a positive integer.
pub(super) fn batch_size(payload: &Map<String, Value>) -> Option<u64> {
    match payload.get("replay_batch_size") {
        Some(Value::Number(number)) => natural(number).filter(|size| *size > 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn topics_are_trimmed_and_named_once() {
        let read = |text| topics(&object(text));
        assert_eq!(
            read(r#"{"topics": [" a ", "b", "a", 7, null, "  "]}"#).unwrap(),
            ["a", "b"]
        );
        for bad in [
            r#"{}"#,
            r#"{"topics": []}"#,
            r#"{"topics": "a"}"#,
            r#"{"topics": ["  ", 7]}"#,
        ] {
            assert_eq!(read(bad), Err(BadSubscription), "{bad}");
        }
    }

    #[test]
    fn cursors_are_natural_numbers_in_a_map_or_a_list() {
        let read = |text: &str| resume_after(&object(&format!("{{\"resume_after\": {text}}}")));
        assert_eq!(read("null").unwrap(), []);
        assert_eq!(
            read(r#"{"a": 3, " b ": 0}"#).unwrap(),
            [("b".to_owned(), 0), ("a".to_owned(), 3)]
        );
        assert_eq!(
            read(r#"[{"topic": "a", "watermark": 3}]"#).unwrap(),
            [("a".to_owned(), 3)]
        );
        assert_eq!(
            read(r#"{"a": 99999999999999999999999}"#).unwrap(),
            [("a".to_owned(), u64::MAX)]
        );
        for bad in [
            r#"{"a": -1}"#,
            r#"{"a": 1.5}"#,
            r#"{"a": 1e2}"#,
            r#"{"a": "1"}"#,
            r#"{"a": null}"#,
            "\"1\"",
            "3",
        ] {
            assert_eq!(read(bad), Err(BadSubscription), "{bad}");
        }
        for bad in [r#"[{"topic": "a"}]"#, r#"[{"watermark": 1}]"#, r#"["a"]"#] {
            assert_eq!(read(bad), Err(BadSubscription), "{bad}");
        }
    }

    #[test]
    fn a_batch_size_that_is_not_positive_counts_as_none() {
        let read = |text: &str| batch_size(&object(&format!("{{\"replay_batch_size\": {text}}}")));
        assert_eq!(
            (read("2"), read("0"), read("-1"), read("\"2\""), read("1.5")),
            (Some(2), None, None, None, None)
        );
    }
}
