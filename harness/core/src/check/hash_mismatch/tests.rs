use super::*;

#[test]
fn values_are_compared_and_not_their_spellings() {
    let found = first_difference(r#"{"a":1.0,"b":1}"#, r#"{"b":2,"a":1}"#);
    let found = found.map(|found| (found.pointer, found.a, found.b));
    assert_eq!(found, Some(("/b".into(), Some("1".into()), Some("2".into()))));
}

#[test]
fn what_is_no_json_has_no_place() {
    assert_eq!(first_difference("{", "{}"), None);
}
