//! Canonical JSON (RFC 8785) and the payload hash over it.
//!
//! One pass over the text writes the canonical form straight into one buffer; an object's members are put in order when
//! the object closes. Nesting costs no stack, so a deep payload cannot bring the module down.

use sha2::{Digest, Sha256};

use super::number::canonical_number;

/// The deepest nesting that is read. Beyond it a payload is refused, so that work stays in proportion to its size.
pub const MAX_DEPTH: usize = 1024;

/// Why a payload has no canonical form, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Bytes from the payload's start to what is wrong.
    pub offset_bytes: usize,
}

/// What can be wrong with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// The text does not follow JSON's grammar here.
    Syntax,
    /// Half of a surrogate pair, escaped, without its other half.
    LoneSurrogate,
    /// A key that the same object has already, once both are unescaped.
    DuplicateKey,
    /// A number too large for a double.
    NumberOverflow,
    /// Nesting beyond [`MAX_DEPTH`].
    TooDeep,
}

impl JsonErrorKind {
    /// The word that stands for the kind in a refusal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::LoneSurrogate => "lone_surrogate",
            Self::DuplicateKey => "duplicate_key",
            Self::NumberOverflow => "number_overflow",
            Self::TooDeep => "too_deep",
        }
    }
}

/// Hashes a payload: `sha256:` and the lower-case hex digest of its canonical form.
///
/// # Errors
/// As [`canonical`].
pub fn payload_hash(text: &str) -> Result<String, JsonError> {
    let digest = Sha256::digest(canonical(text)?.as_bytes());
    let mut hash = String::from("sha256:");
    for byte in digest {
        hash.push(hex_digit(byte >> 4));
        hash.push(hex_digit(byte & 0x0f));
    }
    Ok(hash)
}

/// Writes a JSON text in its canonical form.
///
/// # Errors
/// Whatever keeps the text from having one canonical form, with its place: see [`JsonErrorKind`].
pub fn canonical(text: &str) -> Result<String, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        out: String::with_capacity(text.len()),
        open: Vec::new(),
    };
    reader.document()?;
    Ok(reader.out)
}

/// Appends a string to `out` as a canonical JSON string, quotes included.
pub fn write_string(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < '\u{20}' => {
                let code = control as u8;
                out.push_str("\\u00");
                out.push(hex_digit(code >> 4));
                out.push(hex_digit(code & 0x0f));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

/// A member of an object that is still open: its key and where its text lies in the output.
struct Member {
    /// The key in UTF-16, by which RFC 8785 orders members.
    key: Vec<u16>,
    key_offset_bytes: usize,
    start: usize,
    end: usize,
}

/// A container that is still open.
enum Open {
    Array,
    Object { start: usize, members: Vec<Member> },
}

/// What the reader looks for next.
enum Expect {
    Value,
    /// A value, or the end of an array that has just opened.
    ValueOrEnd,
    /// A key, or the end of an object that has just opened.
    KeyOrEnd,
    Key,
    CommaOrEnd,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    out: String,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        let mut expect = Expect::Value;
        loop {
            self.skip_space();
            expect = match (expect, self.peek()) {
                (Expect::ValueOrEnd, Some(b']')) | (Expect::KeyOrEnd, Some(b'}')) => self.close()?,
                (Expect::Value | Expect::ValueOrEnd, Some(byte)) => self.value(byte)?,
                (Expect::Key | Expect::KeyOrEnd, Some(b'"')) => self.key()?,
                (Expect::CommaOrEnd, next) if self.open.is_empty() => {
                    return if next.is_none() {
                        Ok(())
                    } else {
                        Err(self.fail(JsonErrorKind::Syntax))
                    };
                }
                (Expect::CommaOrEnd, Some(b',')) => self.comma(),
                (Expect::CommaOrEnd, Some(b']' | b'}')) => self.close()?,
                _ => return Err(self.fail(JsonErrorKind::Syntax)),
            };
        }
    }

    fn value(&mut self, first: u8) -> Result<Expect, JsonError> {
        match first {
            b'{' => {
                let start = self.out.len();
                return self.enter(
                    '{',
                    Open::Object {
                        start,
                        members: Vec::new(),
                    },
                    Expect::KeyOrEnd,
                );
            }
            b'[' => return self.enter('[', Open::Array, Expect::ValueOrEnd),
            b'"' => {
                let value = self.string()?;
                write_string(&mut self.out, &value);
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return Err(self.fail(JsonErrorKind::Syntax)),
        }
        self.value_ended();
        Ok(Expect::CommaOrEnd)
    }

    fn enter(&mut self, bracket: char, open: Open, expect: Expect) -> Result<Expect, JsonError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fail(JsonErrorKind::TooDeep));
        }
        self.at += 1;
        self.out.push(bracket);
        self.open.push(open);
        Ok(expect)
    }

    fn comma(&mut self) -> Expect {
        self.at += 1;
        match self.open.last() {
            Some(Open::Object { .. }) => Expect::Key,
            _ => {
                self.out.push(',');
                Expect::Value
            }
        }
    }

    fn key(&mut self) -> Result<Expect, JsonError> {
        let key_offset_bytes = self.at;
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.fail(JsonErrorKind::Syntax));
        }
        self.at += 1;
        let start = self.out.len();
        write_string(&mut self.out, &key);
        self.out.push(':');
        let member = Member {
            key: key.encode_utf16().collect(),
            key_offset_bytes,
            start,
            end: start,
        };
        if let Some(Open::Object { members, .. }) = self.open.last_mut() {
            members.push(member);
        }
        Ok(Expect::Value)
    }

    /// Notes where the value just written ends, for the member that it belongs to.
    fn value_ended(&mut self) {
        let end = self.out.len();
        if let Some(Open::Object { members, .. }) = self.open.last_mut()
            && let Some(member) = members.last_mut()
        {
            member.end = end;
        }
    }

    fn close(&mut self) -> Result<Expect, JsonError> {
        let closing = self.peek();
        match (self.open.pop(), closing) {
            (Some(Open::Array), Some(b']')) => self.out.push(']'),
            (Some(Open::Object { start, members }), Some(b'}')) => self.close_object(start, members)?,
            _ => return Err(self.fail(JsonErrorKind::Syntax)),
        }
        self.at += 1;
        self.value_ended();
        Ok(Expect::CommaOrEnd)
    }

    fn close_object(&mut self, start: usize, mut members: Vec<Member>) -> Result<(), JsonError> {
        members.sort_by(|left, right| left.key.cmp(&right.key));
        for pair in members.windows(2) {
            if let [left, right] = pair
                && left.key == right.key
            {
                let offset_bytes = left.key_offset_bytes.max(right.key_offset_bytes);
                return Err(JsonError {
                    kind: JsonErrorKind::DuplicateKey,
                    offset_bytes,
                });
            }
        }
        let unordered = self.out.split_off(start);
        self.out.push('{');
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.out.push_str(&unordered[member.start - start..member.end - start]);
        }
        self.out.push('}');
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fail(JsonErrorKind::Syntax));
        }
        self.at += word.len();
        self.out.push_str(word);
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let Some(spelled) = canonical_number(&self.text[start..self.at]) else {
            return Err(JsonError {
                kind: JsonErrorKind::NumberOverflow,
                offset_bytes: start,
            });
        };
        self.out.push_str(&spelled);
        Ok(())
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.fail(JsonErrorKind::Syntax))
        } else {
            Ok(())
        }
    }

    /// Reads a string from its opening to its closing quote, and unescapes it.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            // Both ends are ASCII bytes or the text's end, so the slice is at character boundaries.
            value.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                _ => return Err(self.fail(JsonErrorKind::Syntax)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.fail(JsonErrorKind::Syntax)),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let lone = JsonError {
            kind: JsonErrorKind::LoneSurrogate,
            offset_bytes: start,
        };
        let first = self.code_unit()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or(lone);
        }
        if first >= 0xdc00 || !self.text[self.at..].starts_with("\\u") {
            return Err(lone);
        }
        self.at += 1;
        let second = self.code_unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)
    }

    /// Reads `u` and the four hex digits after it.
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.fail(JsonErrorKind::Syntax));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail(&self, kind: JsonErrorKind) -> JsonError {
        JsonError {
            kind,
            offset_bytes: self.at,
        }
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
