//! JSON Pointers (RFC 6901) into JSON text: finds a value's text and puts another one there, and leaves every other byte as
//! it came.

use std::fmt;
use std::ops::Range;

use cutover_core::hash::canonicalize;
use cutover_core::plan::rules::{self, pointer_key};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Whether a text is one JSON value.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The last member's name on a pointer's way; `None` where there is none that is not perhaps an index.
pub fn last_name(pointer: &str) -> Option<String> {
    let tokens = pointer.split('/').skip(1).filter_map(pointer_key);
    let names = tokens.filter(|token| !token.is_empty() && !token.bytes().all(|byte| byte.is_ascii_digit()));
    names.last()
}

/// The text of the value that a pointer names; `None` where there is none, or the text is no JSON.
pub fn find<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    if !rules::is_pointer(pointer) {
        return None;
    }
    let mut at: &'a str = serde_json::from_str::<&RawValue>(text).ok()?.get();
    for token in pointer.split('/').skip(1) {
        let token = pointer_key(token)?;
        at = match at.as_bytes().first()? {
            b'{' => member(at, &token)?,
            b'[' => *elements(at)?.get(index(&token)?)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The text with another value where the pointer names one; `None` where it names none, or the value is no JSON.
pub fn replaced(text: &str, pointer: &str, value: &str) -> Option<String> {
    let standing = find(text, pointer)?;
    let value = serde_json::from_str::<&RawValue>(value).ok()?.get().to_owned();
    spliced(text, vec![(range_in(text, standing)?, value)])
}

/// Whether a value, where a pointer names one, is `canonical` in canonical form; any value is where that is `None`.
pub fn meets(text: &str, pointer: &str, canonical: Option<&[u8]>) -> bool {
    let Some(found) = find(text, pointer) else { return false };
    let Some(canonical) = canonical else { return true };
    let mut out = Vec::new();
    canonicalize(found.as_bytes(), &mut out).is_ok() && out == canonical
}

/// The text of an object's member; of several with one name the last, as other readers have it.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    struct Members<'n>(&'n str);

    impl<'de> Visitor<'de> for Members<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(name) = map.next_key::<String>()? {
                if name == self.0 {
                    found = Some(map.next_value::<&'de RawValue>()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(object);
    Some(reader.deserialize_map(Members(name)).ok()??.get())
}

/// The name and the text of an object's first member.
pub(crate) fn first_member(object: &str) -> Option<(String, &str)> {
    struct First;

    impl<'de> Visitor<'de> for First {
        type Value = Option<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let first = map.next_entry()?;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(object);
    let (name, value) = reader.deserialize_map(First).ok()??;
    Some((name, value.get()))
}

/// The texts of a list's elements.
pub(crate) fn elements(list: &str) -> Option<Vec<&str>> {
    struct Elements;

    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element::<&'de RawValue>()? {
                elements.push(element.get());
            }
            Ok(elements)
        }
    }

    serde_json::Deserializer::from_str(list).deserialize_seq(Elements).ok()
}

/// Where a part of a text lies in it; `None` where it is no part of it.
pub(crate) fn range_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    (text.get(range.clone())? == part).then_some(range)
}

/// The text with other text in these places, which do not overlap.
pub(crate) fn spliced(text: &str, mut places: Vec<(Range<usize>, String)>) -> Option<String> {
    places.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in places {
        out.push_str(text.get(at..range.start)?);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// An index has no sign and no leading zero (RFC 6901, 4).
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    plain.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
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
        for nowhere in [
            "/foo/2", "/foo/00", "/foo/-", "/foo/+1", "/foo/bar", "/nope", "foo", "/~", "/~2",
        ] {
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
}
