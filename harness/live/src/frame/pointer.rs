//! JSON Pointers (RFC 6901) into JSON text: finds a value's text, replaces it, and changes no other byte.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use cutover_core::hash::canonicalize;
use cutover_core::plan::rules::{self, pointer_key};
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

#[allow(missing_docs, reason = "the name says it")]
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The last name in a pointer that is certainly a member's name and no index.
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

/// Whether a pointer names a value, and its canonical form is `canonical`, where that is given.
pub fn meets(text: &str, pointer: &str, canonical: Option<&[u8]>) -> bool {
    let Some(found) = find(text, pointer) else { return false };
    let Some(canonical) = canonical else { return true };
    let mut out = Vec::new();
    canonicalize(found.as_bytes(), &mut out).is_ok() && out == canonical
}

/// The text of an object's member. Where several have one name, it is the last, as in other readers.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    members(object)?.into_iter().rfind(|(known, _)| known == name).map(|(_, text)| text)
}

/// A member by its name, or by a pointer, which begins with `/`.
pub(crate) fn named<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    if name.starts_with('/') { find(object, name) } else { member(object, name) }
}

pub(crate) fn first_member(object: &str) -> Option<(Cow<'_, str>, &str)> {
    members(object)?.into_iter().next()
}

pub(crate) fn members(object: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                members.push((name, value.get()));
            }
            Ok(members)
        }
    }

    #[derive(serde::Deserialize)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

    serde_json::Deserializer::from_str(object).deserialize_map(Members).ok()
}

pub(crate) fn elements(list: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Where a part of a text lies in it; `None` where it is no part of it.
pub(crate) fn range_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    (text.get(range.clone())? == part).then_some(range)
}

/// The text with other text in these places, which must not overlap.
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
