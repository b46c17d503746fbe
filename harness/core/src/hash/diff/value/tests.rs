use super::*;

fn check(a: &str, b: &str, expected: (&str, Option<&str>, Option<&str>)) {
    let found = first_difference(a.as_bytes(), b.as_bytes());
    let found = found.as_ref().map(|found| (found.pointer.as_str(), found.a.as_deref(), found.b.as_deref()));
    assert_eq!(found, Some(expected), "{a} and {b}");
    let found = first_difference(b.as_bytes(), a.as_bytes());
    let found = found.as_ref().map(|found| (found.pointer.as_str(), found.b.as_deref(), found.a.as_deref()));
    assert_eq!(found, Some(expected), "{b} and {a}");
}

#[test]
fn equal_texts_have_no_difference() {
    for text in ["1", "[]", "{}", r#"{"a":[1,{"b":null}],"c":"\"\\"}"#, "[[[]],{}]"] {
        assert_eq!(first_difference(text.as_bytes(), text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_value_that_differs_is_named_by_its_pointer() {
    check("1", "12", ("", Some("1"), Some("12")));
    check("[1,12]", "[1,1]", ("/1", Some("12"), Some("1")));
    check(r#"{"a":{"b":[0,"x"]}}"#, r#"{"a":{"b":[0,"xy"]}}"#, ("/a/b/1", Some("\"x\""), Some("\"xy\"")));
    check(r#"{"a/b":{"m~n":{"\n":1}}}"#, r#"{"a/b":{"m~n":{"\n":2}}}"#, ("/a~1b/m~0n/\n", Some("1"), Some("2")));
}

#[test]
fn values_of_different_kinds_differ_as_a_whole() {
    check(r#"{"a":[1,[2]],"b":1}"#, r#"{"a":{"x":"]"},"b":1}"#, ("/a", Some("[1,[2]]"), Some(r#"{"x":"]"}"#)));
    check("[[]]", "[null]", ("/0", Some("[]"), Some("null")));
    check("{}", "[]", ("", Some("{}"), Some("[]")));
}

#[test]
fn a_member_that_one_lacks_is_absent_there() {
    check(r#"{"a":1,"b":{"c":2}}"#, r#"{"a":1}"#, ("/b", Some(r#"{"c":2}"#), None));
    check(r#"{"a":1,"c":1}"#, r#"{"b":1,"c":1}"#, ("/a", Some("1"), None));
    check(r#"{"\"":1,"a":2}"#, r#"{"a":2}"#, ("/\"", Some("1"), None));
    check(r#"{"x":{"":[]}}"#, r#"{"x":{}}"#, ("/x/", Some("[]"), None));
}

#[test]
fn an_element_that_one_lacks_is_absent_there() {
    check("[1,2,3]", "[1,2]", ("/2", Some("3"), None));
    check("[[]]", "[]", ("/0", Some("[]"), None));
    check(r#"{"a":[{"b":[]}]}"#, r#"{"a":[{"b":["x"]}]}"#, ("/a/0/b/0", None, Some("\"x\"")));
}

#[test]
fn long_values_are_shown_where_they_differ() {
    let (a, b) = (format!("\"{}Q{}\"", "p".repeat(500), "s".repeat(500)), format!("\"{}\"", "p".repeat(900)));
    let found = first_difference(a.as_bytes(), b.as_bytes()).map(|found| found.excerpts());
    let (pre, post) = ("p".repeat(30), "s".repeat(69));
    let expected = (format!("…{pre}Q{post}… (1003 bytes)"), format!("…{}… (902 bytes)", "p".repeat(100)));
    assert_eq!(found, Some(expected));
}
