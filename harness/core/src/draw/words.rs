//! The features of a scenario file: its words and numbers, each with its key, as in `do policy` or `retention 200`. New
//! steps, keys and words need no line here.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::plan::TOXICS;
use crate::plan::fault::FAULTS;
use crate::plan::fault::spec::Effect;
use crate::scenario::step_words;
use crate::scenario::words::{cursor_words, key_words, keys, payload_words};

/// Keys whose texts are names, which every file chooses anew.
const NAMES: &[&str] = &[
    "name", "title", "topic", "stream", "streams", "client", "clients", "fault", "toxics", "delivery", "ack", "acked",
    "of", "pointer", "event", "proves", "proof", "key",
];
/// Steps that need identities, which are not drawn.
const OF_IDENTITIES: &[&str] = &["tokens", "attempt", "access"];
/// Steps that need a bridge, which is not drawn: each would start a process.
const OF_BRIDGES: &[&str] = &["relay", "await-relay", "await-outbox"];
/// A step that needs an event table, which no lane of ours has.
const OF_SIGNALS: &[&str] = &["signals"];
/// Keys at the top that say nothing of what happens.
const BESIDE: &[&str] = &["schema", "name", "title", "proves", "at_least", "expect"];

pub(super) fn features(text: &str) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    let Ok(document) = text.parse::<DocumentMut>() else {
        return features;
    };
    for (key, item) in document.iter().filter(|(key, _)| !BESIDE.contains(key)) {
        let tables: Vec<_> = tables(item);
        if matches!(key, "streams" | "clients" | "faults" | "toxics") {
            features.insert(number(key, tables.len() as u64));
        }
        for table in tables {
            walk(table, &mut features);
            if key == "faults"
                && let (Some(fault), Some(at)) = (table.get("do"), table.get("at").and_then(Item::as_table_like))
                && let Some((position, _)) = at.iter().next()
            {
                features.insert(format!("{} at {position}", fault.as_str().unwrap_or_default()));
            }
        }
    }
    features
}

/// What the reader knows, group by group; what a draw must not forget. A drawn file leaves the usual words out.
pub(super) fn known() -> Vec<(&'static str, Vec<String>)> {
    let under = |key: &str, words: Vec<&str>| words.into_iter().map(|word| format!("{key} {word}")).collect::<Vec<_>>();
    let without = |words: Vec<&'static str>, usual| words.into_iter().filter(|word| *word != usual).collect();
    let faults = FAULTS.iter().filter(|spec| !spec.does(Effect::Defect)).map(|spec| spec.word).collect();
    let positions = keys::POSITIONS.iter().filter(|key| **key != "proof").copied().collect();
    let left_out = [OF_IDENTITIES, OF_BRIDGES, OF_SIGNALS].concat();
    let steps = step_words().into_iter().filter(|word| !left_out.contains(word)).collect();
    vec![
        ("steps", under("do", steps)),
        ("faults", under("do", faults)),
        ("positions", under("at", positions)),
        ("toxics", under("type", TOXICS.iter().map(|spec| spec.name).collect())),
        ("payloads", under("payload", without(payload_words(), "small"))),
        ("keys", under("keys", without(key_words(), "own"))),
        ("cursors", under("to", cursor_words())),
    ]
}

fn tables(item: &Item) -> Vec<&dyn TableLike> {
    if let Some(array) = item.as_array() {
        return array.iter().filter_map(|value| value.as_inline_table().map(|table| table as &dyn TableLike)).collect();
    }
    if let Some(array) = item.as_array_of_tables() {
        return array.iter().map(|table| table as &dyn TableLike).collect();
    }
    item.as_table_like().into_iter().collect()
}

fn walk(table: &dyn TableLike, features: &mut BTreeSet<String>) {
    for (key, item) in table.iter() {
        if let Some(inner) = item.as_table_like() {
            walk(inner, features);
        } else if let Some(value) = item.as_value() {
            features.extend(feature(key, value));
        }
        if key == "at" {
            let positions = item.as_table_like().into_iter().flat_map(|at| at.iter());
            features.extend(positions.map(|(position, _)| format!("at {position}")));
        }
    }
}

fn feature(key: &str, value: &Value) -> Option<String> {
    if let Some(number_of) = value.as_integer() {
        return Some(number(key, u64::try_from(number_of).unwrap_or_default()));
    }
    if let Some(list) = value.as_array() {
        return Some(number(&format!("{key} of"), list.len() as u64));
    }
    let text = value.as_str()?;
    let form = || text.split(':').next().filter(|form| *form != text).unwrap_or("without an id");
    match key {
        "topic" => Some(format!("topic {}", form())),
        _ if NAMES.contains(&key) => None,
        _ => Some(format!("{key} {text}")),
    }
}

/// Numbers that are features of their own; the others are counted by their powers of two.
const EDGES: &[u64] = &[0, 1, 2, 199, 200, 201, 254, 255, 256, 257, 4096];

pub(super) fn number(key: &str, number: u64) -> String {
    if EDGES.contains(&number) {
        return format!("{key} {number}");
    }
    let low = 1u64 << number.max(1).ilog2();
    format!("{key} {low}..{}", low.saturating_mul(2) - 1)
}
