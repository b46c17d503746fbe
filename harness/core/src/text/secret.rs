//! Secrets: a type that is never shown, and a filter that removes every secret from any text.
//!
//! This process registers a secret when it reads it. A lane may repeat it in an answer, a library in an error. So every
//! text that is printed or recorded passes through [`scrubbed`].

use std::borrow::Cow;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};

const HIDDEN: &str = "***";
/// A shorter value is masked only where it was given, since other texts may contain it by chance.
const LEAST: usize = 6;
/// The query parameters that are shown with their values; all others may be secrets.
const SHOWN: [&str; 3] = ["vsn", "confirmed", "compression"];

/// Parameters whose short values are words that other texts have too.
const HARMLESS: [&str; 12] = [
    "region",
    "env",
    "environment",
    "app",
    "client",
    "platform",
    "version",
    "locale",
    "lang",
    "format",
    "protocol_version",
    "schema_version",
];

/// Every spelling of every secret that was read, the longest first.
static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// A secret: it is sent, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret and registers it.
    pub fn new(secret: impl Into<String>) -> Secret {
        let secret = secret.into();
        know(&secret);
        // Of `Bearer TOKEN`, the last word alone is a secret too.
        if let Some((_, last)) = secret.rsplit_once(' ') {
            know(last);
        }
        Secret(secret)
    }

    /// The secret itself, for the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Secret {
        Secret::new(secret)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

fn know(secret: &str) {
    let is_known = |known: &Vec<String>| known.iter().any(|spelling| spelling == secret);
    if secret.chars().count() < LEAST || is_known(&KNOWN.read().unwrap_or_else(PoisonError::into_inner)) {
        return;
    }
    let json = serde_json::to_string(secret).unwrap_or_default();
    let encoded = percent_encoded(secret);
    let mut spellings = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        encoded.replace("%20", "+"),
        encoded.replace('%', "%25"),
        lower_hex(&encoded),
        secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        json.trim_matches('"').replace('/', "\\/"),
        quick_xml::escape::escape(secret).into_owned(),
        encoded,
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    // Within a longer text, as in `Basic`, the base64 depends on how many bytes are before it.
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend(secret.as_bytes());
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            let whole = encoded.len() / 4 * 4;
            let piece = encoded.get(before.min(1) * 4..whole).unwrap_or_default();
            spellings.extend((piece.len() >= 8).then(|| piece.to_owned()));
        }
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for spelling in spellings {
        if !known.contains(&spelling) {
            known.push(spelling);
        }
    }
    known.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
}

/// A percent-encoded text with its hex digits in lower case.
fn lower_hex(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        lower.push_str(&format!("%{}{rest}", digits.to_ascii_lowercase()));
    }
    lower
}

/// Registers the secrets of a URL, valid or not: the user's password, and the values of the query that are not
/// known to be harmless.
pub fn learn(url: &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if let Some((user, _)) = rest.rsplit_once('@') {
        know(user);
        know(&percent_decoded(user));
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        know(password);
        know(&percent_decoded(password));
    }
    let (_, query) = rest.split_once('?').unwrap_or_default();
    for (name, value) in pairs(query) {
        learn_value(&name, value);
        learn_value(&name, &percent_decoded(value));
        learn_value(&name, &percent_decoded(&value.replace('+', " ")));
    }
}

/// Registers the value of a parameter, unless it is a short value of a harmless one such as `region`.
pub fn learn_value(name: &str, value: &str) {
    if value.len() >= 2 * LEAST || !HARMLESS.contains(&name.to_lowercase().as_str()) {
        know(value);
    }
}

/// The parameters of a query that are not known to be harmless, names decoded; one without a name is all value.
fn pairs(query: &str) -> impl Iterator<Item = (String, &str)> {
    let pairs = query.split(['&', ';', '#']).map(|pair| pair.split_once('=').unwrap_or(("", pair)));
    let named = pairs.map(|(name, value)| (percent_decoded(name).to_lowercase(), value));
    named.filter(|(name, value)| !value.is_empty() && !SHOWN.contains(&name.as_str()))
}

/// A text without the secrets that are known and without what URLs in it keep secret.
pub fn scrubbed(text: &str) -> Cow<'_, str> {
    let mut text = if text.contains("://") { Cow::Owned(of_urls(text)) } else { Cow::Borrowed(text) };
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    for secret in known.iter() {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), HIDDEN));
        }
    }
    text
}

fn of_urls(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`<>\\".contains(c);
    let words = text.split_inclusive(ends).map(|word| {
        // What ends a sentence is no part of the URL.
        let url = word.trim_end_matches(|c| ends(c) || ":,.;)".contains(c));
        match url.contains("://") {
            true => format!("{}{}", masked(url), &word[url.len()..]),
            false => word.to_owned(),
        }
    });
    words.collect()
}

/// A URL, valid or not, without user, password and the values of the query that are not known to be harmless.
/// In doubt, a part is masked.
pub fn masked(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let mut shown = scheme.to_owned();
    let rest = match rest.rsplit_once('@') {
        Some((user, rest)) if start > 0 || user.contains(':') => {
            shown.push_str(&format!("{HIDDEN}@"));
            rest
        }
        _ => rest,
    };
    let Some((path, query)) = rest.split_once(['?', '#']) else {
        return shown + rest;
    };
    shown.push_str(path);
    shown.push(char::from(rest.as_bytes()[path.len()]));
    for pair in query.split_inclusive(['&', ';', '#']) {
        let (pair, end) = pair.split_at(pair.trim_end_matches(['&', ';', '#']).len());
        let name = pair.split_once('=').map_or("", |(name, _)| name);
        match pairs(pair).next() {
            None => shown.push_str(pair),
            Some(_) if name.is_empty() => shown.push_str(HIDDEN),
            Some(_) => shown.push_str(&format!("{name}={HIDDEN}")),
        }
        shown.push_str(end);
    }
    shown
}

/// A parser's message without the value that it found, which may be a secret: of "invalid type: integer `5`, expected a
/// string" the 5 is left out.
pub fn without_value(message: &str) -> String {
    match message.split_once(", expected") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            let found = found.split(['`', '"']).next().unwrap_or_default().trim_end();
            format!("{found}, expected{expected}")
        }
        _ => message.to_owned(),
    }
}

/// Percent-encodes what is not allowed in a path segment or a query value (RFC 3986, 2.3).
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
