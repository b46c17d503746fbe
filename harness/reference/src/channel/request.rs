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
    for topic in items.iter().filter_map(Value::as_str).map(str::trim).filter(|topic| !topic.is_empty()) {
        if seen.insert(topic) {
            topics.push(topic.to_owned());
        }
    }
    if topics.is_empty() || topics.len() > MAX_TOPICS { Err(BadSubscription) } else { Ok(topics) }
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
mod tests;
