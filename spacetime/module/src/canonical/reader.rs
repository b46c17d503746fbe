//! Parses a JSON text, strictly by its grammar.

use super::document::{Document, Member, Value, ValueId};
use super::{JsonError, JsonErrorKind, MAX_DEPTH, write_string};
use crate::number::canonical_number;

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<Document, JsonError> {
    let mut reader = Reader { text, at: 0, document: Document::default(), open: Vec::new() };
    reader.document()?;
    Ok(reader.document)
}

/// A container that is still open.
enum Open {
    Array(Vec<ValueId>),
    Object(Vec<Member>),
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
    document: Document,
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
                    return if next.is_none() { Ok(()) } else { Err(self.fail(JsonErrorKind::Syntax)) };
                }
                (Expect::CommaOrEnd, Some(b',')) => self.comma(),
                (Expect::CommaOrEnd, Some(b']' | b'}')) => self.close()?,
                _ => return Err(self.fail(JsonErrorKind::Syntax)),
            };
        }
    }

    fn value(&mut self, first: u8) -> Result<Expect, JsonError> {
        let start = self.document.spellings.len();
        match first {
            b'{' => return self.enter(Open::Object(Vec::new()), Expect::KeyOrEnd),
            b'[' => return self.enter(Open::Array(Vec::new()), Expect::ValueOrEnd),
            b'"' => {
                let value = self.string()?;
                write_string(&mut self.document.spellings, &value);
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return Err(self.fail(JsonErrorKind::Syntax)),
        }
        let leaf = self.document.push_leaf(start);
        Ok(self.value_ended(leaf))
    }

    fn enter(&mut self, open: Open, expect: Expect) -> Result<Expect, JsonError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fail(JsonErrorKind::TooDeep));
        }
        self.at += 1;
        self.open.push(open);
        Ok(expect)
    }

    fn comma(&mut self) -> Expect {
        self.at += 1;
        match self.open.last() {
            Some(Open::Object(_)) => Expect::Key,
            _ => Expect::Value,
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
        let start = self.document.spellings.len();
        write_string(&mut self.document.spellings, &key);
        self.document.spellings.push(':');
        let key_spelling = start..self.document.spellings.len();
        if let Some(Open::Object(members)) = self.open.last_mut() {
            // The value's id is filled in when the value ends.
            members.push(Member { key: key.encode_utf16().collect(), key_offset_bytes, key_spelling, value: 0 });
        }
        Ok(Expect::Value)
    }

    /// Adds a value that has just ended to the container that it is in.
    fn value_ended(&mut self, value: ValueId) -> Expect {
        match self.open.last_mut() {
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Object(members)) => {
                if let Some(member) = members.last_mut() {
                    member.value = value;
                }
            }
            None => {}
        }
        Expect::CommaOrEnd
    }

    fn close(&mut self) -> Result<Expect, JsonError> {
        let closing = self.peek();
        let value = match (self.open.pop(), closing) {
            (Some(Open::Array(items)), Some(b']')) => Value::Array(items),
            (Some(Open::Object(members)), Some(b'}')) => Value::Object(ordered(members)?),
            _ => return Err(self.fail(JsonErrorKind::Syntax)),
        };
        self.at += 1;
        let value = self.document.push(value);
        Ok(self.value_ended(value))
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fail(JsonErrorKind::Syntax));
        }
        self.at += word.len();
        self.document.spellings.push_str(word);
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
            return Err(JsonError { kind: JsonErrorKind::NumberOverflow, offset_bytes: start });
        };
        self.document.spellings.push_str(&spelled);
        Ok(())
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.fail(JsonErrorKind::Syntax)) } else { Ok(()) }
    }

    /// Reads a string from its opening to its closing quote, and unescapes it.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
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
        let lone = JsonError { kind: JsonErrorKind::LoneSurrogate, offset_bytes: start };
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
        JsonError { kind, offset_bytes: self.at }
    }
}

/// Sorts an object's members, and refuses a key that it has twice.
fn ordered(mut members: Vec<Member>) -> Result<Vec<Member>, JsonError> {
    members.sort_by(|left, right| left.key.cmp(&right.key));
    for pair in members.windows(2) {
        if let [left, right] = pair
            && left.key == right.key
        {
            let offset_bytes = left.key_offset_bytes.max(right.key_offset_bytes);
            return Err(JsonError { kind: JsonErrorKind::DuplicateKey, offset_bytes });
        }
    }
    Ok(members)
}
