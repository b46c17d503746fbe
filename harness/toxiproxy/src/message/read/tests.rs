#![allow(clippy::unwrap_used)]
use cutover_core::plan::fault::FAULTS;

use super::super::message_type;
use super::*;

fn read(of: &str, text: &str) -> Result<Attributes, String> {
    let raw = Raw::first_of(text.as_bytes()).unwrap();
    Attributes::read(message_type(of).unwrap(), Some(raw))
}

#[test]
fn what_is_left_out_has_its_default() {
    assert_eq!(
        read("ws_cut", r#"{"kind":"delivery","nth":3}"#).unwrap().json(),
        r#"{"how":"close","code":1012,"when":"after","kind":"delivery","nth":3,"per":"proxy","times":"once"}"#
    );
}

#[test]
fn others_go_on_top_and_null_takes_one_away() {
    let raw = |text: &'static str| Some(Raw::first_of(text.as_bytes()).unwrap());
    let first = read("ws_delay", r#"{"ms":5,"topic":"a:b","equals":{"x":[1]},"pointer":"/p"}"#).unwrap();
    let second = first.with(raw(r#"{"ms":9,"topic":null}"#)).unwrap();
    assert_eq!(second.json(), r#"{"ms":9,"pointer":"/p","equals":{"x":[1]},"per":"proxy","times":"once"}"#);
    assert!(first.with(raw(r#"{"pointer":null}"#)).is_err());
}

#[test]
fn what_is_wrong_is_named_with_what_it_may_be() {
    let wrong: Vec<String> = [
        ("ws_repeat", r#"{"mroe":2}"#),
        ("ws_repeat", r#"{"colour":"red"}"#),
        ("ws_repeat", r#"{"more":0}"#),
        ("ws_repeat", r#"{"more":1.5}"#),
        ("ws_repeat", r#"{"more":"1"}"#),
        ("ws_drop", r#"{"kind":"reply"}"#),
        ("ws_drop", r#"{"event":""}"#),
        ("ws_drop", r#"{"pointer":"a"}"#),
        ("ws_set_json", r#"{"set_pointer":"/a~9","set_value":1}"#),
        ("ws_cut", r#"{"code":1006}"#),
        ("ws_drain", r#"{"code":2000}"#),
        ("ws_drop", r#"{"equals":1}"#),
        ("ws_delay", "{}"),
        ("ws_rewrite_cursor", r#"{"to":1}"#),
        ("ws_starve_heartbeats", r#"{"kind":"ack"}"#),
    ]
    .into_iter()
    .map(|(of, text)| read(of, text).unwrap_err())
    .collect();
    insta::assert_snapshot!(wrong.join("\n"));
}

#[test]
fn no_type_takes_two_attributes_of_one_name() {
    for known in FAULTS.iter().filter(|spec| spec.toxic.is_some()) {
        let names: Vec<_> = attributes(known).map(|(key, _)| key).collect();
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{}", known.word);
    }
}
