#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn values(name: &str) -> Option<Value> {
    match name {
        "stream" => Some(Value::from("s")),
        "seq" => Some(Value::from(7)),
        _ => None,
    }
}

#[test]
fn placeholders_become_values_at_any_depth_and_constants_stay() {
    let arguments =
        Arguments::from(vec![json!([["{stream}", "{seq}"]]), json!({"a": "{none}"}), json!("x{seq}"), json!(0)]);
    assert_eq!(arguments.filled(values), json!([[["s", 7]], {"a": null}, "x{seq}", 0]));
    assert_eq!(arguments.placeholders(), ["stream", "seq", "none"]);
    assert_eq!((arguments.place_of("seq"), Arguments::from(["{key}", "{seq}"]).place_of("seq")), (None, Some(1)));
}

#[test]
fn a_text_is_filled_and_braces_that_name_nothing_stay() {
    let value = |name: &str| (name == "id").then_some("a");
    assert_eq!(filled("sync/{id}/{other}{", value), "sync/a/{other}{");
}

#[test]
fn a_pattern_finds_its_values_anywhere_in_a_text() {
    let pattern = "sequence_conflict expected={expected} actual={actual}";
    let found = matched(pattern, "error: sequence_conflict expected=3 actual=12 (again)").unwrap();
    assert_eq!(found, [("expected".to_owned(), "3".to_owned()), ("actual".to_owned(), "12".to_owned())]);
    assert_eq!(matched("is required", "stream_id is required"), Some(Vec::new()));
    assert_eq!(matched(pattern, "sequence_conflict expected=3"), None);
    assert_eq!(matched("{name} is required", "key is required").unwrap()[0].1, "key");
}

proptest! {
    #[test]
    fn a_pattern_finds_again_what_was_filled_into_it(first in "[a-z0-9]{1,8}", second in "[0-9]{1,8}", around in "[ A-Z]{0,9}") {
        let pattern = "conflict key={key} seq={seq}";
        let text = filled(pattern, |name| Some(if name == "key" { first.as_str() } else { second.as_str() }));
        let found = matched(pattern, &format!("{around}{text} {around}")).unwrap();
        prop_assert_eq!(found, [("key".to_owned(), first), ("seq".to_owned(), second)]);
    }

    #[test]
    fn no_text_makes_a_match_panic(pattern in "\\PC{0,20}", text in "\\PC{0,30}") {
        let _ = matched(&pattern, &text);
    }
}
