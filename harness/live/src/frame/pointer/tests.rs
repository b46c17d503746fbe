#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

#[test]
fn the_examples_of_the_rfc_are_found() {
    let text = r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#;
    for (pointer, found) in [
        ("/foo", r#"["bar", "baz"]"#),
        ("/foo/0", r#""bar""#),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/i\\j", "5"),
        ("/k\"l", "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
        ("", text),
    ] {
        assert_eq!(find(text, pointer), Some(found), "{pointer}");
    }
    for nowhere in ["/foo/2", "/foo/00", "/foo/-", "/foo/+1", "/foo/bar", "/nope", "foo", "/~", "/~2"] {
        assert_eq!(find(text, nowhere), None, "{nowhere}");
    }
}

#[test]
fn a_replaced_value_leaves_every_other_byte_as_it_came() {
    let text = "  { \"a\" : [ 1.50 ,\t{\"b\":\"\\u0041\"} ], \"a\\u0062\" : 2 }\n";
    assert_eq!(
        replaced(text, "/a/1/b", " null ").unwrap(),
        "  { \"a\" : [ 1.50 ,\t{\"b\":null} ], \"a\\u0062\" : 2 }\n"
    );
    assert_eq!(replaced(text, "/ab", "[]").unwrap(), text.replace(": 2", ": []"));
    assert_eq!(replaced(text, "/a/1/b", "nope"), None);
    assert_eq!(replaced(text, "/a/2", "1"), None);
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    assert_eq!(find(r#"{"n":1,"n":2}"#, "/n"), Some("2"));
}

#[test]
fn values_are_compared_in_canonical_form() {
    assert!(meets(r#"{"n": 1.0}"#, "/n", Some(b"1")));
    assert!(meets(r#"{"n": {"b":1,"a":2}}"#, "/n", Some(br#"{"a":2,"b":1}"#)));
    assert!(meets(r#"{"n": null}"#, "/n", None));
    assert!(!meets(r#"{"n": "1"}"#, "/n", Some(b"1")));
}

#[test]
fn a_text_of_any_depth_is_searched() {
    let deep = format!("{}7{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(find(&deep, "/0/0").map(str::len), Some(deep.len() - 4));
    assert_eq!(find(&"[".repeat(100_000), "/0"), None);
}

proptest! {
    #[test]
    fn what_is_put_somewhere_is_found_there(
        names in proptest::collection::vec(".*", 1..5), value in -1000i64..1000, before in ".*",
    ) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let innermost = r#"{"x":0}"#.to_owned();
        let text = names.iter().rev().fold(innermost, |inner, name| {
            format!(r#"{{"~before":{},{}:{inner}}}"#, quoted(&before), quoted(name))
        });
        let escaped = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let pointer: String = names.iter().map(escaped).chain(["/x".to_owned()]).collect();
        let value = value.to_string();
        let changed = replaced(&text, &pointer, &value).unwrap();
        prop_assert_eq!(find(&changed, &pointer), Some(value.as_str()));
        prop_assert_eq!(replaced(&changed, &pointer, "0").unwrap(), text);
    }

    #[test]
    fn no_text_and_no_pointer_make_it_panic(text: String, pointer: String) {
        let _ = (find(&text, &pointer), replaced(&text, &pointer, "1"), first_member(&text), elements(&text));
    }
}
