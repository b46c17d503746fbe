//! Texts, wrongly read or written. Nothing here touches the database.

use sha2::{Digest, Sha256};

use crate::canonical::JsonErrorKind;

type Change = fn(&str) -> String;

/// Defects that store another payload than the one that came.
pub const CHANGES: &[(&str, Change)] = &[
    ("integers-rounded", |text| numbers(text, |number| as_double(number).filter(|_| is_integer(number)))),
    ("numbers-of-15-digits", |text| numbers(text, fifteen_digits)),
    ("numbers-of-single-precision", |text| numbers(text, single_precision)),
    ("exponents-written-out", |text| numbers(text, written_out)),
    ("strings-trimmed", |text| strings(text, |string| string.trim_end().to_owned())),
    ("strings-cut-at-255", |text| strings(text, |string| cut_escaped(string, 255))),
    ("strings-cut-at-4096", |text| strings(text, |string| cut_escaped(string, 4096))),
    ("strings-cut-at-65535", |text| strings(text, |string| cut_escaped(string, 65_535))),
    ("strings-composed", |text| strings(text, compose)),
    ("crlf-is-lf", |text| strings(text, |string| string.replace("\\r\\n", "\\n"))),
    ("controls-removed", |text| {
        strings(text, |string| without(string, &['\u{7f}', '\u{2028}', '\u{feff}'], "\\u0000"))
    }),
    ("bidi-removed", |text| {
        strings(text, |string| {
            without(string, &['\u{200e}', '\u{200f}', '\u{202a}', '\u{202c}', '\u{202e}', '\u{2066}', '\u{2069}'], "")
        })
    }),
    ("html-escaped", |text| strings(text, |string| string.replace('<', "&lt;").replace('>', "&gt;"))),
    ("dates-without-zone", |text| strings(text, without_zone)),
    ("numbers-from-strings", |text| map(text, |part| part.is_value().then(|| unquoted(part.text)).flatten())),
    ("empty-string-is-null", |text| {
        map(text, |part| (part.is_value() && part.text == "\"\"").then(|| "null".to_owned()))
    }),
    ("keys-in-lower-case", |text| keys(text, |key| key.to_lowercase())),
    ("keys-in-snake-case", |text| keys(text, snake_case)),
    ("keys-without-dots", |text| keys(text, |key| key.replace('.', "_"))),
    ("keys-trimmed", |text| keys(text, |key| key.trim().to_owned())),
    ("keys-composed", |text| keys(text, compose)),
    ("nulls-dropped", without_nulls),
    ("empty-containers-dropped", |text| without_members(text, |member| matches!(member.value, "{}" | "[]"))),
    ("proto-dropped", |text| without_members(text, |member| member.key == "\"__proto__\"")),
    ("members-beyond-255-dropped", |text| without_members(text, |member| member.index >= 255)),
    ("members-beyond-32-dropped", |text| without_members(text, |member| member.index >= 32)),
    ("members-beyond-1000-dropped", |text| without_members(text, |member| member.index >= 1000)),
    ("bare-values-wrapped", |text| {
        if text.trim_start().starts_with(['{', '[']) { text.to_owned() } else { format!("{{\"value\":{text}}}") }
    }),
];

/// Defects that accept a payload without a canonical form: each makes one that has one.
pub const MENDED: &[(&str, JsonErrorKind, Change)] = &[
    ("duplicate-keys-accepted", JsonErrorKind::DuplicateKey, |text| {
        let mut seen: Vec<String> = Vec::new();
        without_members(text, |member| {
            let again = seen.iter().any(|key| key == member.key);
            seen.push(member.key.to_owned());
            again
        })
    }),
    ("lone-surrogates-replaced", JsonErrorKind::LoneSurrogate, |text| strings(text, replace_surrogates)),
    ("trailing-text-ignored", JsonErrorKind::Syntax, |text| first_value(text).to_owned()),
    ("no-json-is-null", JsonErrorKind::Syntax, |_| "null".to_owned()),
    ("large-numbers-clamped", JsonErrorKind::NumberOverflow, |text| {
        numbers(text, |number| {
            let is_too_large = number.parse::<f64>().is_ok_and(f64::is_infinite);
            is_too_large.then(|| {
                if number.starts_with('-') { "-1.7976931348623157e308" } else { "1.7976931348623157e308" }.to_owned()
            })
        })
    }),
];

/// At most so many bytes of a text, without half a character.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Some letters with marks, each as one character.
pub fn compose(text: &str) -> String {
    const PAIRS: [(&str, &str); 8] = [
        ("e\u{301}", "é"),
        ("a\u{301}", "á"),
        ("o\u{308}", "ö"),
        ("u\u{308}", "ü"),
        ("a\u{308}", "ä"),
        ("n\u{303}", "ñ"),
        ("A\u{30a}", "Å"),
        ("c\u{327}", "ç"),
    ];
    PAIRS.iter().fold(text.to_owned(), |text, (apart, composed)| text.replace(apart, composed))
}

pub fn without_nulls(text: &str) -> String {
    without_members(text, |member| member.value == "null")
}

/// A checksum so short that two of some hundred keys share one.
pub fn checksum(text: &str) -> u16 {
    text.bytes().fold(0, |sum: u16, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)))
}

/// The hash of a text as it is.
pub fn plain_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold("sha256:".to_owned(), |hash, byte| format!("{hash}{byte:02x}"))
}

/// How deep a JSON text is nested.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for part in parts(text) {
        match part.text {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A string, a number, a word, a mark or space of a JSON text.
struct Part<'a> {
    text: &'a str,
    is_key: bool,
}

impl Part<'_> {
    fn is_string(&self) -> bool {
        self.text.starts_with('"')
    }

    fn is_value(&self) -> bool {
        self.is_string() && !self.is_key
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => rest[1..]
                .find(['"', '{', '}', '[', ']', ',', ':', ' ', '\t', '\r', '\n'])
                .map_or(rest.len(), |end| end + 1),
        };
        if first == b':'
            && let Some(key) = parts.iter_mut().rfind(|part| !part.text.trim().is_empty())
        {
            key.is_key = true;
        }
        parts.push(Part { text: &rest[..length], is_key: false });
        rest = &rest[length..];
    }
    parts
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Changes parts of a text where `change` says so.
fn map(text: &str, change: impl Fn(&Part<'_>) -> Option<String>) -> String {
    parts(text).iter().map(|part| change(part).unwrap_or_else(|| part.text.to_owned())).collect()
}

fn quoted(part: &Part<'_>, change: impl Fn(&str) -> String) -> String {
    let inside = part.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    format!("\"{}\"", change(inside.unwrap_or_default()))
}

fn strings(text: &str, change: impl Fn(&str) -> String) -> String {
    map(text, |part| part.is_value().then(|| quoted(part, &change)))
}

fn keys(text: &str, change: impl Fn(&str) -> String) -> String {
    map(text, |part| part.is_key.then(|| quoted(part, &change)))
}

fn numbers(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    map(text, |part| {
        part.text.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then(|| change(part.text)).flatten()
    })
}

struct Member<'a> {
    key: &'a str,
    index: usize,
    /// Its value, where this is one part or an empty container.
    value: &'a str,
}

/// The text without some members of its objects.
fn without_members(text: &str, mut drop: impl FnMut(&Member<'_>) -> bool) -> String {
    let parts: Vec<Part<'_>> = parts(text).into_iter().filter(|part| !part.text.trim().is_empty()).collect();
    let mut out = String::new();
    // For each open container: how many members it had, and how many of them stay.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let part = &parts[at];
        if part.is_key
            && let Some((index, kept)) = open.last_mut()
        {
            let end = value_end(&parts, at + 2);
            let value = parts[at + 2..end].iter().map(|part| part.text).collect::<String>();
            let dropped = drop(&Member { key: part.text, index: *index, value: &value });
            *index += 1;
            if dropped {
                at = end;
                continue;
            }
            if *kept > 0 {
                out.push(',');
            }
            *kept += 1;
        }
        match part.text {
            "{" | "[" => open.push((0, 0)),
            "}" | "]" => _ = open.pop(),
            _ => {}
        }
        let is_between_members = part.text == "," && parts.get(at + 1).is_some_and(|next| next.is_key);
        if !is_between_members {
            out.push_str(part.text);
        }
        at += 1;
    }
    out
}

/// The index behind a value.
fn value_end(parts: &[Part<'_>], from: usize) -> usize {
    let mut depth = 0usize;
    for (at, part) in parts.iter().enumerate().skip(from) {
        match part.text {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    parts.len()
}

/// The text up to the end of its first value.
fn first_value(text: &str) -> &str {
    let parts = parts(text);
    let start = parts.iter().position(|part| !part.text.trim().is_empty()).unwrap_or(0);
    let end = value_end(&parts, start);
    &text[..parts[..end].iter().map(|part| part.text.len()).sum()]
}

fn is_integer(number: &str) -> bool {
    number.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

fn as_double(number: &str) -> Option<String> {
    number.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| format!("{value:e}"))
}

fn fifteen_digits(number: &str) -> Option<String> {
    number.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| format!("{value:.14e}"))
}

fn single_precision(number: &str) -> Option<String> {
    if is_integer(number) {
        return None;
    }
    let value = number.parse::<f32>().ok().filter(|value| value.is_finite())?;
    Some(format!("{:e}", f64::from(value)))
}

/// `1e21` as an integer, which then counts as exact.
fn written_out(number: &str) -> Option<String> {
    let value = number.parse::<f64>().ok().filter(|value| value.is_finite() && value.fract() == 0.0)?;
    (value.abs() >= 1e16 && !is_integer(number)).then(|| format!("{value:.0}"))
}

/// A cut that leaves no half of an escape.
fn cut_escaped(inside: &str, bytes: usize) -> String {
    let mut kept = cut(inside, bytes);
    if kept.len() < inside.len()
        && let Some(escape) = kept.rfind('\\').filter(|escape| escape + 12 > kept.len())
    {
        kept = &kept[..escape];
    }
    kept.trim_end_matches('\\').to_owned()
}

fn without(inside: &str, characters: &[char], escape: &str) -> String {
    let text = if escape.is_empty() { inside.to_owned() } else { inside.replace(escape, "") };
    text.replace(characters, "")
}

/// An ISO time in UTC without its `Z`.
fn without_zone(inside: &str) -> String {
    let is_time = inside.len() >= 20 && inside.as_bytes()[10] == b'T' && inside.as_bytes()[4] == b'-';
    inside.strip_suffix('Z').filter(|_| is_time).unwrap_or(inside).to_owned()
}

/// A string that looks like a number or a word, as that.
fn unquoted(text: &str) -> Option<String> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let is_word = matches!(inside, "true" | "false" | "null");
    let is_number = inside.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && inside.parse::<f64>().is_ok_and(f64::is_finite);
    let is_json = is_word || (is_number && crate::canonical::canonical(inside).is_ok());
    is_json.then(|| inside.to_owned())
}

fn snake_case(key: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = letter.is_ascii_lowercase();
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Each escape of half a surrogate pair as U+FFFD.
fn replace_surrogates(inside: &str) -> String {
    let mut out = String::new();
    let mut rest = inside;
    while let Some(at) = rest.find("\\u") {
        let unit = |text: &str| u32::from_str_radix(text.get(2..6)?, 16).ok();
        let (first, second) =
            (unit(&rest[at..]), rest.get(at + 6..).filter(|next| next.starts_with("\\u")).and_then(unit));
        let is_high = first.is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        let is_pair = is_high && second.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
        let is_half = first.is_some_and(|unit| (0xd800..0xe000).contains(&unit)) && !is_pair;
        let end = (at + if is_pair { 12 } else { 6 }).min(rest.len());
        out.push_str(&rest[..at]);
        out.push_str(if is_half { "\\ufffd" } else { &rest[at..end] });
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests;
