#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_change_leaves_every_other_value_as_it_came() {
    let mut object = RawObject::parse(r#"{"a": 1.50, "b":"\u0041", "a2":{"x":1,"x":2}}"#).unwrap();
    object.set("b", "true").unwrap();
    object.set("c", "[]").unwrap();
    assert_eq!(object.to_text().unwrap(), r#"{"a":1.50,"b":true,"a2":{"x":1,"x":2},"c":[]}"#);
}

#[test]
fn of_two_values_under_one_key_the_last_counts() {
    assert_eq!(RawObject::parse(r#"{"n":1,"n":2}"#).unwrap().number("n"), Some(2));
}

#[test]
fn what_is_no_object_or_no_value_is_refused() {
    assert!(RawObject::parse("[]").is_err());
    assert!(RawObject::default().set("a", "nope").is_err());
}
