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
mod tests;
