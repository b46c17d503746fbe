//! Fills fields from JSON by the rules of Go's `encoding/json`: keys match in any case, unknown keys are ignored,
//! `null` leaves a field unchanged, the last of two equal keys counts, and the first value of a wrong type is reported.

use super::scan::{Malformed, first_value};

/// A JSON value as it stands in the text; well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    pub fn first_of(body: &'a [u8]) -> Result<Raw<'a>, Malformed> {
        first_value(body).map(Raw)
    }

    pub fn text(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    pub fn is_null(self) -> bool {
        self.0.first() == Some(&b'n')
    }

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
        let parts = self.parts("object");
        parts.chunks_exact(2).map(|member| (member[0].string(), member[1])).collect()
    }

    pub fn elements(self) -> Vec<Raw<'a>> {
        self.parts("array")
    }

    fn parts(self, kind: &str) -> Vec<Raw<'a>> {
        let mut parts = Vec::new();
        let mut rest = if self.kind() == kind { &self.0[1..] } else { &[] };
        while let Some(start) = rest.iter().position(|byte| !b" \t\r\n,:".contains(byte)) {
            rest = &rest[start..];
            let Ok(value) = first_value(rest) else { break };
            parts.push(Raw(value));
            rest = &rest[value.len()..];
        }
        parts
    }

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

/// The field for a value. Go names the innermost type that has a name, and the path from the outermost.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The name of the structure that has the field; empty for one without.
    pub structure: &'a str,
    pub path: &'a str,
}

#[derive(Debug, Default)]
pub struct Decoder {
    wrong: Option<String>,
}

impl Decoder {
    pub fn finish(self) -> Result<(), String> {
        self.wrong.map_or(Ok(()), Err)
    }

    /// The members of an object that are among these fields, in the text's order, with the field's index.
    pub fn fields<'a>(
        &mut self,
        raw: Raw<'a>,
        place: Option<Field<'_>>,
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

    pub fn elements<'a>(&mut self, raw: Raw<'a>, of: &str) -> Vec<Raw<'a>> {
        if !raw.is_null() && raw.kind() != "array" {
            self.mismatch(raw.kind(), None, of);
        }
        raw.elements()
    }

    pub fn string(&mut self, raw: Raw<'_>, place: Field<'_>, into: &mut String) {
        self.value(raw, place, ("string", "string"), |raw| Some(raw.string()), into);
    }

    pub fn boolean(&mut self, raw: Raw<'_>, place: Field<'_>, into: &mut bool) {
        self.value(raw, place, ("bool", "bool"), |raw| Some(raw.0 == b"true"), into);
    }

    pub fn integer(&mut self, raw: Raw<'_>, place: Field<'_>, of: &str, into: &mut i64) {
        self.value(raw, place, ("number", of), |raw| raw.text().parse().ok(), into);
    }

    pub fn float32(&mut self, raw: Raw<'_>, place: Field<'_>, into: &mut f32) {
        let finite = |raw: Raw<'_>| raw.text().parse().ok().filter(|number: &f32| number.is_finite());
        self.value(raw, place, ("number", "float32"), finite, into);
    }

    /// A value whose type is `kind` in JSON and `of` in Go.
    fn value<'a, T>(
        &mut self,
        raw: Raw<'a>,
        place: Field<'_>,
        (kind, of): (&str, &str),
        read: impl Fn(Raw<'a>) -> Option<T>,
        into: &mut T,
    ) {
        match raw.kind() {
            "null" => {}
            found if found != kind => self.mismatch(found, Some(place), of),
            _ => match read(raw) {
                Some(value) => *into = value,
                None => self.mismatch(&format!("number {}", raw.text()), Some(place), of),
            },
        }
    }

    fn mismatch(&mut self, value: &str, place: Option<Field<'_>>, of: &str) {
        self.wrong.get_or_insert_with(|| match place {
            Some(Field { structure, path }) => {
                format!("json: cannot unmarshal {value} into Go struct field {structure}.{path} of type {of}")
            }
            None => format!("json: cannot unmarshal {value} into Go value of type {of}"),
        });
    }
}

/// A key in lower case. Go also takes the long s for s, and the Kelvin sign for k.
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
