//! Fills fields from JSON by the rules of Go's `encoding/json`: keys in any case, unknown keys ignored, `null` leaves what
//! is there, the last of two equal keys counts, and the first value of a wrong type is what is told.

use super::scan::{Malformed, first_value};

/// A JSON value as it stands in the text; well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// The first value of a body.
    ///
    /// # Errors
    /// Where there is none, or it is malformed.
    pub fn first_of(body: &'a [u8]) -> Result<Raw<'a>, Malformed> {
        first_value(body).map(Raw)
    }

    /// The text.
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0.first() == Some(&b'n')
    }

    /// What Go calls such a value.
    fn kind(self) -> &'static str {
        match self.0.first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "bool",
            Some(b'n') => "null",
            _ => "number",
        }
    }

    /// An object's members, in order; nothing for another value.
    pub fn members(self) -> Vec<(String, Raw<'a>)> {
        let mut members = Vec::new();
        if self.kind() != "object" {
            return members;
        }
        let mut rest = &self.0[1..];
        while let Some((key, value, after)) = member(rest) {
            members.push((key.string(), value));
            rest = after;
        }
        members
    }

    /// An array's elements; nothing for another value.
    pub fn elements(self) -> Vec<Raw<'a>> {
        let mut elements = Vec::new();
        if self.kind() != "array" {
            return elements;
        }
        let mut rest = &self.0[1..];
        while let Some((element, after)) = next_value(rest) {
            elements.push(element);
            rest = after;
        }
        elements
    }

    /// A string's text; `None` for another value.
    pub fn as_text(self) -> Option<String> {
        (self.kind() == "string").then(|| self.string())
    }

    /// A string's text; half a surrogate pair and what is no UTF-8 become U+FFFD.
    fn string(self) -> String {
        let inner = self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default();
        let text = String::from_utf8_lossy(inner);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_ref();
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let (character, length) = unescape(&rest[at..]);
            out.push(character);
            rest = rest.get(at + length..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

/// The value at the beginning of what is left of an array or object, and what is left behind it; `None` at its end.
fn next_value(rest: &[u8]) -> Option<(Raw<'_>, &[u8])> {
    let start = rest.iter().position(|byte| !b" \t\r\n,:".contains(byte))?;
    let rest = &rest[start..];
    let value = first_value(rest).ok()?;
    Some((Raw(value), &rest[value.len()..]))
}

fn member(rest: &[u8]) -> Option<(Raw<'_>, Raw<'_>, &[u8])> {
    let (key, rest) = next_value(rest)?;
    let (value, rest) = next_value(rest)?;
    Some((key, value, rest))
}

/// The character that an escape stands for, and the escape's length.
fn unescape(text: &str) -> (char, usize) {
    let hex = |at: usize| text.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match text.as_bytes().get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => {
            let high = hex(2).unwrap_or(0xfffd);
            if (0xd800..0xdc00).contains(&high) && text.get(6..8) == Some("\\u") {
                let low = hex(8).unwrap_or_default();
                if (0xdc00..0xe000).contains(&low) {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    return (char::from_u32(code).unwrap_or('\u{fffd}'), 12);
                }
            }
            (char::from_u32(high).unwrap_or('\u{fffd}'), 6)
        }
        Some(&other) => (char::from(other), 2),
        None => ('\u{fffd}', 1),
    }
}

/// Where a value goes: Go names the innermost type that has a name, and the path from the outermost.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The name of the structure that has the field; empty for one without.
    pub structure: &'a str,
    /// The field's path.
    pub path: &'a str,
}

/// Fills fields, and keeps what went wrong first.
#[derive(Debug, Default)]
pub struct Decoder {
    wrong: Option<String>,
}

impl Decoder {
    /// What went wrong first, in Go's words.
    ///
    /// # Errors
    /// Where a value was of the wrong type.
    pub fn finish(self) -> Result<(), String> {
        self.wrong.map_or(Ok(()), Err)
    }

    /// The members of an object that these fields take, in the text's order, by the field's index.
    pub fn fields<'a>(
        &mut self,
        raw: Raw<'a>,
        place: Option<Place<'_>>,
        of: &str,
        names: &[&str],
    ) -> Vec<(usize, Raw<'a>)> {
        if raw.is_null() {
            return Vec::new();
        }
        if raw.kind() != "object" {
            self.mismatch(raw.kind(), place, of);
        }
        let field = |key: &str| {
            let exact = names.iter().position(|name| *name == key);
            exact.or_else(|| names.iter().position(|name| fold(name) == fold(key)))
        };
        let members = raw.members();
        members.into_iter().filter_map(|(key, value)| Some((field(&key)?, value))).collect()
    }

    /// The elements of an array.
    pub fn elements<'a>(&mut self, raw: Raw<'a>, of: &str) -> Vec<Raw<'a>> {
        if !raw.is_null() && raw.kind() != "array" {
            self.mismatch(raw.kind(), None, of);
        }
        raw.elements()
    }

    /// A string.
    pub fn string(&mut self, raw: Raw<'_>, place: Place<'_>, into: &mut String) {
        match raw.kind() {
            "null" => {}
            "string" => *into = raw.string(),
            kind => self.mismatch(kind, Some(place), "string"),
        }
    }

    /// A truth value.
    pub fn boolean(&mut self, raw: Raw<'_>, place: Place<'_>, into: &mut bool) {
        match raw.kind() {
            "null" => {}
            "bool" => *into = raw.0 == b"true",
            kind => self.mismatch(kind, Some(place), "bool"),
        }
    }

    /// A whole number of Go's type `of`.
    pub fn integer(&mut self, raw: Raw<'_>, place: Place<'_>, of: &str, into: &mut i64) {
        match raw.kind() {
            "null" => {}
            "number" => match raw.text().parse() {
                Ok(number) => *into = number,
                Err(_) => self.mismatch(&format!("number {}", raw.text()), Some(place), of),
            },
            kind => self.mismatch(kind, Some(place), of),
        }
    }

    /// A number of single precision.
    pub fn float32(&mut self, raw: Raw<'_>, place: Place<'_>, into: &mut f32) {
        match raw.kind() {
            "null" => {}
            "number" => match raw.text().parse::<f32>() {
                Ok(number) if number.is_finite() => *into = number,
                _ => self.mismatch(&format!("number {}", raw.text()), Some(place), "float32"),
            },
            kind => self.mismatch(kind, Some(place), "float32"),
        }
    }

    fn mismatch(&mut self, value: &str, place: Option<Place<'_>>, of: &str) {
        self.wrong.get_or_insert_with(|| match place {
            Some(Place { structure, path }) => {
                format!("json: cannot unmarshal {value} into Go struct field {structure}.{path} of type {of}")
            }
            None => format!("json: cannot unmarshal {value} into Go value of type {of}"),
        });
    }
}

/// A key without its case. Go also takes the long s and the Kelvin sign for their letters.
fn fold(key: &str) -> String {
    key.chars()
        .map(|character| match character {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
