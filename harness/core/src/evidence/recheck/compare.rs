//! Compares what a bundle says with what is there, and what it says was judged with what was computed.

use serde_json::Value;

use super::Problem;
use crate::evidence::bundle::is_digested;
use crate::evidence::document::{Evidence, State, pretty};
use crate::evidence::judged::Judged;
use crate::evidence::layout::{self, FileEntry, Files};

/// So many differences are named one by one; more are only counted.
const MAX_DIFFERENCES: usize = 20;
/// A value longer than this is shortened where it is shown.
const MAX_SHOWN: usize = 120;

/// Every listed file must be there with its length and digest, and none may be there that is not listed.
pub fn digests(files: &Files, evidence: &Evidence, problems: &mut Vec<Problem>) {
    for (path, entry) in &evidence.files {
        match files.get(path).map(|content| FileEntry::of(content)) {
            None => problems.push(Problem::new(path, "is missing")),
            Some(found) if found.bytes != entry.bytes => {
                let (expected, found) = (format!("{} bytes", entry.bytes), format!("{} bytes", found.bytes));
                problems.push(Problem::between(
                    path,
                    "was edited or cut short: its length differs",
                    expected,
                    found,
                ));
            }
            Some(found) if found != *entry => {
                problems.push(Problem::between(
                    path,
                    "was edited: its digest differs",
                    &entry.digest,
                    found.digest,
                ));
            }
            Some(_) => {}
        }
    }
    // A run that did not come to its end has files that no document lists yet.
    if evidence.state == State::InProgress {
        return;
    }
    let surplus = files
        .keys()
        .filter(|path| is_digested(path) && !evidence.files.contains_key(*path));
    problems.extend(surplus.map(|path| Problem::new(path, "is not listed in evidence.json: it was added later")));
}

/// A scenario that is said to have been left out must have left nothing: what was driven can't be talked away.
pub fn left_out(files: &Files, evidence: &Evidence, problems: &mut Vec<Problem>) {
    for name in evidence.scope.left_out.keys() {
        let path = layout::plan(name);
        let judged = evidence.judged.scenarios.iter().any(|scenario| scenario.name == *name);
        if judged || files.contains_key(&path) {
            let what = format!("is of a scenario that {} says was left out", layout::EVIDENCE);
            problems.push(Problem::new(&path, what));
        }
    }
}

/// What was judged must be what was computed, byte for byte; each difference is named by its JSON path.
pub fn judged(recorded: &Judged, computed: &Judged, problems: &mut Vec<Problem>) {
    if pretty(recorded) == pretty(computed) {
        return;
    }
    let (recorded, computed) = (value(recorded), value(computed));
    let mut differences = Vec::new();
    walk("judged", &recorded, &computed, &mut differences);
    let more = differences.len().saturating_sub(MAX_DIFFERENCES);
    problems.extend(
        differences
            .into_iter()
            .take(MAX_DIFFERENCES)
            .map(|(path, recorded, computed)| {
                let what = format!("`{path}` does not follow from the histories");
                Problem::between(layout::EVIDENCE, &what, computed, recorded)
            }),
    );
    if more > 0 {
        problems.push(Problem::new(
            layout::EVIDENCE,
            format!("{more} more values do not follow from the histories"),
        ));
    }
}

fn value(judged: &Judged) -> Value {
    serde_json::to_value(judged).unwrap_or(Value::Null)
}

fn walk(path: &str, recorded: &Value, computed: &Value, differences: &mut Vec<(String, String, String)>) {
    match (recorded, computed) {
        (Value::Object(a), Value::Object(b)) => {
            let only_computed = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_computed) {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                walk(&format!("{path}.{key}"), a, b, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let (a, b) = (
                    a.get(index).unwrap_or(&Value::Null),
                    b.get(index).unwrap_or(&Value::Null),
                );
                walk(&format!("{path}[{index}]"), a, b, differences);
            }
        }
        (a, b) if a != b => differences.push((path.to_owned(), shown(a), shown(b))),
        _ => {}
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        other => crate::evidence::render::cut(&other.to_string(), MAX_SHOWN),
    }
}
