//! What each wrong reading makes of a text.

use super::{CHANGES, MENDED, checksum, compose, cut, depth};
use crate::canonical::canonical;

fn change(name: &str, text: &str) -> String {
    CHANGES.iter().find(|(known, _)| *known == name).map_or_else(String::new, |(_, change)| change(text))
}

fn check(name: &str, text: &str, expect: &str) {
    assert_eq!(change(name, text), expect, "{name} of {text}");
}

#[test]
fn a_plain_payload_is_left_as_it_is_by_all() {
    let text = r#"{"a": [1, 2.5, true, null_], "b_c": "x \"y\" z", "d": {"e": "f"}}"#.replace("null_", "false");
    for (name, change) in CHANGES {
        assert_eq!(canonical(&change(&text)), canonical(&text), "{name}");
    }
}

#[test]
fn numbers_lose_digits() {
    check("integers-rounded", "[9007199254740993,1.5,7]", "[9.007199254740992e15,1.5,7e0]");
    check("numbers-of-15-digits", "0.30000000000000004", "3.00000000000000e-1");
    check("numbers-of-single-precision", "[0.1,16777217]", "[1.0000000149011612e-1,16777217]");
    check("exponents-written-out", "[1e21,1e3]", "[1000000000000000000000,1e3]");
    check(
        "numbers-from-strings",
        r#"{"1":["12","1e5","true","x","0x1","01"]}"#,
        r#"{"1":[12,1e5,true,"x","0x1","01"]}"#,
    );
}

#[test]
fn strings_change_and_keys_do_not() {
    check("strings-trimmed", r#"{"a ":"b "}"#, r#"{"a ":"b"}"#);
    check("strings-composed", "\"e\u{301}\"", "\"é\"");
    check("crlf-is-lf", r#""a\r\nb""#, r#""a\nb""#);
    check("dates-without-zone", r#"["2026-01-02T03:04:05Z","Z"]"#, r#"["2026-01-02T03:04:05","Z"]"#);
    check("empty-string-is-null", r#"{"":""}"#, r#"{"":null}"#);
    let long = format!("\"{}\\u00e9\"", "a".repeat(253));
    check("strings-cut-at-255", &long, &format!("\"{}\"", "a".repeat(253)));
}

#[test]
fn keys_change_and_strings_do_not() {
    check("keys-in-lower-case", r#"{"Ab" : "Cd"}"#, r#"{"ab" : "Cd"}"#);
    check("keys-in-snake-case", r#"{"userId":"aB"}"#, r#"{"user_id":"aB"}"#);
    check("keys-without-dots", r#"{"a.b":"c.d"}"#, r#"{"a_b":"c.d"}"#);
}

#[test]
fn members_are_dropped_with_their_commas() {
    check("nulls-dropped", r#"{"a":null,"b":[null,{"c":1,"d":null}],"e":null}"#, r#"{"b":[null,{"c":1}]}"#);
    check("empty-containers-dropped", r#"{"a":{},"b":[{},[]]}"#, r#"{"b":[{},[]]}"#);
    check("proto-dropped", r#"{"__proto__":{"x":[1,2]},"y":2}"#, r#"{"y":2}"#);
    check("bare-values-wrapped", "7", r#"{"value":7}"#);
}

#[test]
fn what_has_no_canonical_form_gets_one() {
    for text in [r#"{"a":1,"b":2,"a":3}"#, r#"["\ud800","\ud83d\ude00"]"#, "[1e999,-1e999]", "[1] 2"] {
        let kind = canonical(text).err().map(|error| error.kind);
        let mut of_this_kind = MENDED.iter().filter(|(_, mended, _)| Some(*mended) == kind);
        assert!(of_this_kind.any(|(_, _, mend)| canonical(&mend(text)).is_ok()), "{text}");
    }
}

#[test]
fn helpers_keep_whole_characters() {
    assert_eq!((cut("aé", 2), cut("ab", 9)), ("a", "ab"));
    assert_eq!(compose("e\u{301}"), "é");
    assert_eq!(depth(r#"[{"[":[]}]"#), 3);
    assert_ne!(checksum("ab"), checksum("ba"));
}
