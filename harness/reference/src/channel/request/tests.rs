#![allow(clippy::unwrap_used)]
use super::*;

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn topics_are_trimmed_and_named_once() {
    let read = |text| topics(&object(text));
    assert_eq!(read(r#"{"topics": [" a ", "b", "a", 7, null, "  "]}"#).unwrap(), ["a", "b"]);
    for bad in [r#"{}"#, r#"{"topics": []}"#, r#"{"topics": "a"}"#, r#"{"topics": ["  ", 7]}"#] {
        assert_eq!(read(bad), Err(BadSubscription), "{bad}");
    }
}

#[test]
fn cursors_are_natural_numbers_in_a_map_or_a_list() {
    let read = |text: &str| resume_after(&object(&format!("{{\"resume_after\": {text}}}")));
    assert_eq!(read("null").unwrap(), []);
    assert_eq!(read(r#"{"a": 3, " b ": 0}"#).unwrap(), [("b".to_owned(), 0), ("a".to_owned(), 3)]);
    assert_eq!(read(r#"[{"topic": "a", "watermark": 3}]"#).unwrap(), [("a".to_owned(), 3)]);
    assert_eq!(read(r#"{"a": 99999999999999999999999}"#).unwrap(), [("a".to_owned(), u64::MAX)]);
    for bad in [r#"{"a": -1}"#, r#"{"a": 1.5}"#, r#"{"a": 1e2}"#, r#"{"a": "1"}"#, r#"{"a": null}"#, "\"1\"", "3"] {
        assert_eq!(read(bad), Err(BadSubscription), "{bad}");
    }
    for bad in [r#"[{"topic": "a"}]"#, r#"[{"watermark": 1}]"#, r#"["a"]"#] {
        assert_eq!(read(bad), Err(BadSubscription), "{bad}");
    }
}

#[test]
fn a_batch_size_that_is_not_positive_counts_as_none() {
    let read = |text: &str| batch_size(&object(&format!("{{\"replay_batch_size\": {text}}}")));
    assert_eq!((read("2"), read("0"), read("-1"), read("\"2\""), read("1.5")), (Some(2), None, None, None, None));
}
