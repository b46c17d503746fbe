//! Where two payloads part, as a JSON path with both values, for a witness.

use serde_json::Value;

use crate::text::around_difference;

/// The first place in canonical order where two JSON texts differ: its path from `$`, and both values as short text.
/// `None` where one can't be read or they are equal as values.
pub(super) fn first_difference(expected: &str, got: &str) -> Option<(String, String, String)> {
    let expected: Value = serde_json::from_str(expected).ok()?;
    let got: Value = serde_json::from_str(got).ok()?;
    let mut path = String::from("$");
    let (left, right) = walk(Some(&expected), Some(&got), &mut path)?;
    Some((path, left, right))
}

/// Goes down to the first difference. The parser bounds the depth.
fn walk(expected: Option<&Value>, got: Option<&Value>, path: &mut String) -> Option<(String, String)> {
    match (expected, got) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().find_map(|name| {
                let length = path.len();
                path.push('[');
                path.push_str(&Value::from(name.as_str()).to_string());
                path.push(']');
                let found = walk(left.get(name), right.get(name), path);
                if found.is_none() {
                    path.truncate(length);
                }
                found
            })
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => (0..left.len().max(right.len())).find_map(|at| {
            let length = path.len();
            path.push_str(&format!("[{at}]"));
            let found = walk(left.get(at), right.get(at), path);
            if found.is_none() {
                path.truncate(length);
            }
            found
        }),
        (left, right) if left == right => None,
        (left, right) => Some(shown(left, right)),
    }
}

/// Both values, each with the part that differs.
fn shown(left: Option<&Value>, right: Option<&Value>) -> (String, String) {
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    around_difference(&text(left), &text(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_with_both_values() {
        let found = first_difference(r#"{"b":1,"a":[1,{"x":2}]}"#, r#"{"a":[1,{"x":3}],"b":2}"#);
        assert_eq!(found, Some((r#"$["a"][1]["x"]"#.into(), "2".into(), "3".into())));
    }

    #[test]
    fn a_missing_member_is_shown_as_nothing() {
        assert_eq!(
            first_difference("{}", r#"{"a":1}"#),
            Some((r#"$["a"]"#.into(), "nothing".into(), "1".into()))
        );
    }

    #[test]
    fn what_is_no_json_has_no_path() {
        assert_eq!(first_difference("{", "{}"), None);
    }
}
