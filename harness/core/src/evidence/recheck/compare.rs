//! Compares what a bundle says was judged with what was computed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problem;
use crate::evidence::judged::Judged;
use crate::evidence::layout;
use crate::text::cut;

const MAX_DIFFERENCES: usize = 20;
/// A value longer than this is shortened where it is shown.
const MAX_SHOWN: usize = 120;
/// The members that identify the entries of a list: of scenarios, and of rows of the matrix.
const NAMES: [&str; 2] = ["name", "row"];

/// Compares the recorded judgement with the computed one, and names each difference by its JSON path. Scenarios that
/// can't be computed are not compared. If there are any, neither is what follows from all scenarios.
pub fn judged(recorded: &Judged, computed: &Judged, uncomputed: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    let [recorded, computed] = [recorded, computed].map(|judged| {
        let mut judged = judged.clone();
        judged.scenarios.retain(|scenario| !uncomputed.contains(&scenario.name));
        serde_json::to_value(judged).unwrap_or(Value::Null)
    });
    let mut differences = Vec::new();
    if uncomputed.is_empty() {
        walk("judged", &recorded, &computed, &mut differences);
    } else {
        let part = |judged: &Value| judged.get("scenarios").cloned().unwrap_or(Value::Null);
        walk("judged.scenarios", &part(&recorded), &part(&computed), &mut differences);
    }
    let more = differences.len().saturating_sub(MAX_DIFFERENCES);
    let reported = differences.into_iter().take(MAX_DIFFERENCES);
    problems.extend(reported.map(|(path, recorded, computed)| {
        let what = format!("`{path}` does not follow from the histories");
        Problem::between(layout::EVIDENCE, &what, computed, recorded)
    }));
    if more > 0 {
        let what = format!("{more} more values do not follow from the histories");
        problems.push(Problem::new(layout::EVIDENCE, what));
    }
}

fn walk(path: &str, recorded: &Value, computed: &Value, differences: &mut Vec<(String, String, String)>) {
    match (recorded, computed) {
        (a, b) if a == b => {}
        (Value::Object(a), Value::Object(b)) => {
            let only_computed = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_computed) {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                walk(&format!("{path}.{key}"), a, b, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) => match (by_name(a), by_name(b)) {
            // The same entries in another order are a difference too.
            (Some(a), Some(b)) if !(a == b) => walk(path, &Value::Object(a), &Value::Object(b), differences),
            (Some(_), Some(_)) => differences.push((format!("{path}, its order,"), names(a), names(b))),
            _ => {
                for index in 0..a.len().max(b.len()) {
                    let at = |list: &[Value]| list.get(index).cloned().unwrap_or(Value::Null);
                    walk(&format!("{path}[{index}]"), &at(a), &at(b), differences);
                }
            }
        },
        (a, b) => differences.push((path.to_owned(), shown(a), shown(b))),
    }
}

/// A list's entries by their names, where each has one of its own.
fn by_name(list: &[Value]) -> Option<Map<String, Value>> {
    let named: Option<Map<_, _>> = list.iter().map(|entry| Some((name(entry)?, entry.clone()))).collect();
    named.filter(|named| named.len() == list.len())
}

fn name(entry: &Value) -> Option<String> {
    NAMES.iter().find_map(|member| Some(entry.get(member)?.as_str()?.to_owned()))
}

fn names(list: &[Value]) -> String {
    let names: Vec<_> = list.iter().filter_map(name).collect();
    cut(&names.join(", "), MAX_SHOWN)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        other => cut(&other.to_string(), MAX_SHOWN),
    }
}
