//! Another payload that differs from one in a small thing: a type, a form of Unicode, a blank, a digit, the last
//! character.

use std::ops::Range;

use super::spelling::token_end;
use super::{Decks, canonical};
use crate::chance::Chance;
use crate::hash::payload_hash;

/// A small change of a token; `None` where it does not apply.
type Change = fn(&str) -> Option<String>;

/// The changes by what a careless service takes for the same.
pub(super) const CHANGES: &[(&str, Change)] = &[
    ("a number and its text", |token| is_number(token).then(|| format!("\"{token}\""))),
    ("a text and its number", |token| inside(token).filter(|text| is_number(text)).map(str::to_owned)),
    ("a word and its text", |token| matches!(token, "true" | "false" | "null").then(|| format!("\"{token}\""))),
    ("a text and its word", |token| inside(token).filter(|text| is_word(text)).map(str::to_owned)),
    ("null and an empty text", |token| (token == "null").then(|| "\"\"".to_owned())),
    ("null and nothing", |token| (token == "null").then(String::new)),
    ("an empty text and null", |token| (token == "\"\"").then(|| "null".to_owned())),
    ("an empty object and an empty array", |token| match token {
        "{}" => Some("[]".to_owned()),
        "[]" => Some("{}".to_owned()),
        _ => None,
    }),
    ("true and false", |token| (token == "true").then(|| "false".to_owned())),
    ("two forms of a character", other_form),
    ("a blank at the end", |token| inside(token).map(|text| format!("\"{text} \""))),
    ("a letter's case", other_case),
    ("the last digit", other_digit),
    ("the last character", |token| inside(token).filter(|text| !text.ends_with('\\')).and_then(other_end)),
];

/// A payload that is nearly the one given. The changes come by turns, as far as they apply.
pub(crate) fn nearly(chance: &mut Chance, decks: &mut Decks, stream: usize, payload: &str) -> Option<String> {
    let text = canonical(payload);
    let tokens = tokens(&text);
    let hash = payload_hash(payload.as_bytes()).ok();
    // Within so many turns, each change has its turn.
    for _ in 0..2 * CHANGES.len() {
        let (_, change) = CHANGES[decks.next(chance, "changes", stream, CHANGES.len())];
        let mut places: Vec<_> = tokens.iter().filter(|token| change(&text[(*token).clone()]).is_some()).collect();
        chance.shuffle(&mut places);
        // Of a long payload, what is far behind is what a careless reader does not see.
        places.sort_by_key(|place| usize::from(place.len() < LONG));
        for place in places.into_iter().take(TRIES) {
            let changed = change(&text[place.clone()]).unwrap_or_default();
            let other = match changed.is_empty() {
                true => without(&text, place),
                false => Some(format!("{}{changed}{}", &text[..place.start], &text[place.end..])),
            };
            // Two names may have become one.
            if let Some(other) = other
                && payload_hash(other.as_bytes()).is_ok_and(|other| Some(other) != hash)
            {
                return Some(other);
            }
        }
    }
    None
}

const LONG: usize = 1_000;
const TRIES: usize = 4;

/// The strings, numbers, words and empty containers of a canonical text, names too.
pub(super) fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        if is_empty(&text[at..]) {
            tokens.push(at..at + 2);
            at += 2;
            continue;
        }
        if matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':') {
            at += 1;
            continue;
        }
        let end = token_end(text, at);
        tokens.push(at..end);
        at = end;
    }
    tokens
}

/// The text without the member whose value is at `place`. Only a member with another one behind it is left out.
fn without(text: &str, place: &Range<usize>) -> Option<String> {
    let before = text[..place.start].strip_suffix("\":")?;
    let name = before.rfind('"').filter(|at| !before[..*at].ends_with('\\'))?;
    let behind = text[place.end..].strip_prefix(',')?;
    Some(format!("{}{behind}", &text[..name]))
}

fn is_empty(text: &str) -> bool {
    text.starts_with("{}") || text.starts_with("[]")
}

fn inside(token: &str) -> Option<&str> {
    token.strip_prefix('"')?.strip_suffix('"')
}

fn is_number(token: &str) -> bool {
    let digits = token.trim_start_matches('-');
    digits.starts_with(|c: char| c.is_ascii_digit()) && payload_hash(token.as_bytes()).is_ok()
}

fn is_word(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
}

fn other_form(token: &str) -> Option<String> {
    let (one, other) = ("\u{e9}", "e\u{301}");
    let changed = if token.contains(one) { token.replace(one, other) } else { token.replace(other, one) };
    (changed != token).then_some(changed)
}

fn other_case(token: &str) -> Option<String> {
    let text = inside(token).filter(|text| !text.contains('\\'))?;
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let c = char::from(text.as_bytes()[at]);
    let other = if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    Some(format!("\"{}{other}{}\"", &text[..at], &text[at + 1..]))
}

/// Of integers that a double does not tell apart, and of shorter ones.
fn other_digit(token: &str) -> Option<String> {
    let rest = token.strip_suffix(|c: char| c.is_ascii_digit()).filter(|_| is_number(token))?;
    let last = if token.ends_with('3') { '2' } else { '3' };
    Some(format!("{rest}{last}"))
}

fn other_end(text: &str) -> Option<String> {
    let last = text.chars().next_back().filter(|_| !text.contains('\\'))?;
    let other = if last == 'z' { 'y' } else { 'z' };
    Some(format!("\"{}{other}\"", &text[..text.len() - last.len_utf8()]))
}
