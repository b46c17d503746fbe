//! The first pass over a single token: a string, a number, a literal.

use super::error::{CanonicalErrorKind as Kind, Fault};
use super::scan::Scanner;
use super::{number, string};

impl Scanner<'_> {
    /// Reads the string at `pos`; returns whether it has escapes.
    pub fn string(&mut self) -> Result<bool, Fault> {
        self.pos += 1;
        let mut escaped = false;
        loop {
            self.pos = string::plain_end(self.input, self.pos);
            match self.input.get(self.pos) {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(&code) => return Err(Fault::new(Kind::ControlCharacter { code }, self.pos)),
                None => return Err(Fault::unexpected(self.input, self.pos, "the end of the string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.input.get(self.pos + 1) {
            // These are canonical as they stand.
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 2,
            Some(b'/') => {
                self.flush();
                self.copied += 1;
                self.pos += 2;
            }
            Some(b'u') => {
                let (c, end) = string::unicode_escape(self.input, self.pos)?;
                self.flush();
                string::push_canonical(c, self.text);
                self.pos = end;
                self.copied = end;
            }
            Some(_) => return Err(Fault::new(Kind::InvalidEscape, self.pos)),
            None => return Err(Fault::unexpected(self.input, self.pos + 1, "the rest of an escape")),
        }
        Ok(())
    }

    pub fn number(&mut self) -> Result<(), Fault> {
        let (number, end) = number::number(self.input, self.pos)?;
        match number {
            number::Number::Verbatim => {}
            number::Number::UnsafeInteger => self.unsafe_integers += 1,
            number::Number::Double(value) => {
                self.flush();
                self.text.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
                self.copied = end;
            }
        }
        self.pos = end;
        Ok(())
    }

    pub fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        let rest = &self.input[self.pos..];
        if rest.starts_with(word) {
            self.pos += word.len();
            return Ok(());
        }
        let same = rest.iter().zip(word).take_while(|(a, b)| a == b).count();
        let expected = format!("the rest of {}", String::from_utf8_lossy(word));
        Err(Fault::unexpected(self.input, self.pos + same, &expected))
    }
}
