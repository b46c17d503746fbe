//! What the canonical form must be, and what has none.

use super::{JsonErrorKind, MAX_DEPTH, canonical, payload_hash};

fn check(text: &str, expect: &str) {
    assert_eq!(canonical(text).as_deref(), Ok(expect), "for {text}");
}

fn refuse(text: &str, kind: JsonErrorKind, offset_bytes: usize) {
    match canonical(text) {
        Ok(written) => panic!("{text} was written as {written}"),
        Err(error) => assert_eq!((error.kind, error.offset_bytes), (kind, offset_bytes), "for {text}"),
    }
}

#[test]
fn members_are_ordered_by_their_keys_utf16_units() {
    check(r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#);
    // The pair of surrogates of U+1F600 begins with D83D, which is below FB33, though the code point is above.
    check("{\"\u{fb33}\":1,\"\u{1f600}\":2}", "{\"\u{1f600}\":2,\"\u{fb33}\":1}");
    check(r#"{"a":{"d":[],"c":{}},"":0}"#, r#"{"":0,"a":{"c":{},"d":[]}}"#);
}

#[test]
fn the_rfcs_own_example_is_written_as_the_rfc_writes_it() {
    let text = r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
    let expect = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
        \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    check(text, expect);
}

#[test]
fn spacing_and_escape_spelling_make_no_difference() {
    check("  [ 1 ,\t\"\\u0061\\/\" ,\r\n{ } ] ", "[1,\"a/\",{}]");
    check(r#""\ud83d\ude00""#, "\"\u{1f600}\"");
    check("\"\\b\\f\\u001f\u{7f}\"", "\"\\b\\f\\u001f\u{7f}\"");
}

#[test]
fn a_document_may_be_a_lone_value() {
    check("null", "null");
    check("\"\"", "\"\"");
    check("-1.50", "-1.5");
}

#[test]
fn what_is_not_json_is_refused_where_it_goes_wrong() {
    refuse("", JsonErrorKind::Syntax, 0);
    refuse("[1,]", JsonErrorKind::Syntax, 3);
    refuse("{\"a\" 1}", JsonErrorKind::Syntax, 5);
    refuse("{\"a\":1,}", JsonErrorKind::Syntax, 7);
    refuse("[1}", JsonErrorKind::Syntax, 2);
    refuse("01", JsonErrorKind::Syntax, 1);
    refuse("1.", JsonErrorKind::Syntax, 2);
    refuse("-", JsonErrorKind::Syntax, 1);
    refuse("+1", JsonErrorKind::Syntax, 0);
    refuse("nul", JsonErrorKind::Syntax, 0);
    refuse("NaN", JsonErrorKind::Syntax, 0);
    refuse("\"a\nb\"", JsonErrorKind::Syntax, 2);
    refuse("\"a", JsonErrorKind::Syntax, 2);
    refuse("\"\\x\"", JsonErrorKind::Syntax, 2);
    refuse("[1] 2", JsonErrorKind::Syntax, 4);
    refuse("\u{feff}1", JsonErrorKind::Syntax, 0);
}

#[test]
fn a_key_given_twice_is_refused_even_if_spelled_otherwise() {
    refuse(r#"{"a":1,"b":2,"\u0061":3}"#, JsonErrorKind::DuplicateKey, 13);
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    refuse(r#"["\ud83d"]"#, JsonErrorKind::LoneSurrogate, 2);
    refuse(r#""\ude00""#, JsonErrorKind::LoneSurrogate, 1);
    refuse(r#""\ud83d\u0041""#, JsonErrorKind::LoneSurrogate, 1);
}

#[test]
fn a_number_too_large_for_a_double_is_refused() {
    refuse("[1, 1e999]", JsonErrorKind::NumberOverflow, 4);
}

#[test]
fn nesting_has_a_limit_that_is_reached_without_harm() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    check(&deep, &deep);
    refuse(&format!("[{deep}]"), JsonErrorKind::TooDeep, MAX_DEPTH);
}

#[test]
fn the_hash_is_over_the_canonical_form() {
    let hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(payload_hash("{}").as_deref(), Ok(hash));
    assert_eq!(payload_hash(" { } ").as_deref(), Ok(hash));
}
