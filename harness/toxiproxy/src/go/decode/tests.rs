#![allow(clippy::unwrap_used)]
use super::*;

fn raw(text: &str) -> Raw<'_> {
    Raw::first_of(text.as_bytes()).unwrap()
}

const NAME: Field<'static> = Field { structure: "Proxy", path: "name" };

#[test]
fn strings_are_unescaped() {
    for (text, expect) in [
        (r#""a\n\"\\\/\u0041""#, "a\n\"\\/A"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ude00""#, "\u{fffd}"),
        ("\"é\"", "é"),
    ] {
        assert_eq!(raw(text).string(), expect, "{text}");
    }
}

#[test]
fn keys_match_in_any_case_and_the_last_counts() {
    let mut decoder = Decoder::default();
    let fields = decoder.fields(
        raw(r#"{"NAME":"a","other":[1,{"x":2}],"name":"b","enabled":true}"#),
        None,
        "toxiproxy.Proxy",
        &["name", "enabled"],
    );
    assert_eq!(fields.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(fields[1].1.string(), "b");
}

#[test]
fn a_value_of_the_wrong_type_is_told_once_and_null_is_none() {
    let mut decoder = Decoder::default();
    let (mut text, mut number) = ("kept".to_owned(), 7);
    decoder.string(raw("null"), NAME, &mut text);
    decoder.string(raw("5"), NAME, &mut text);
    decoder.integer(raw("1.5"), NAME, "int64", &mut number);
    assert_eq!((text.as_str(), number), ("kept", 7));
    assert_eq!(
        decoder.finish().unwrap_err(),
        "json: cannot unmarshal number into Go struct field Proxy.name of type string"
    );
}

#[test]
fn numbers_out_of_their_type_are_told_with_their_digits() {
    let told = |fill: &dyn Fn(&mut Decoder)| {
        let mut decoder = Decoder::default();
        fill(&mut decoder);
        decoder.finish().unwrap_err()
    };
    let (mut whole, mut single) = (0, 0.0);
    assert_eq!(whole, 0);
    let said = told(&|decoder| decoder.integer(raw("1e3"), NAME, "int64", &mut whole.clone()));
    assert!(said.starts_with("json: cannot unmarshal number 1e3 into"), "{said}");
    let said = told(&|decoder| decoder.float32(raw("1e40"), NAME, &mut single.clone()));
    assert!(said.starts_with("json: cannot unmarshal number 1e40 into"), "{said}");
    let mut decoder = Decoder::default();
    decoder.integer(raw("-12"), NAME, "int64", &mut whole);
    decoder.float32(raw("0.8"), NAME, &mut single);
    decoder.finish().unwrap();
    assert_eq!((whole, single), (-12, 0.8));
}

#[test]
fn a_whole_of_the_wrong_type_is_told_without_a_field() {
    let mut decoder = Decoder::default();
    decoder.fields(raw("[]"), None, "toxiproxy.Proxy", &[]);
    assert_eq!(decoder.finish().unwrap_err(), "json: cannot unmarshal array into Go value of type toxiproxy.Proxy");
}
