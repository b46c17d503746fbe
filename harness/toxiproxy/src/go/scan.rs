//! Finds the first JSON value of a text, or says what is wrong with it in the words of Go's `encoding/json`.
//!
//! Go's decoder reads one value and leaves what follows alone; so does this.

const MAX_DEPTH: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// In Go's words.
    pub message: String,
    /// The offset of the byte that is wrong; the text's length where it ends too soon.
    pub offset: usize,
}

#[derive(Clone, Copy)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

pub fn first_value(text: &[u8]) -> Result<&[u8], Malformed> {
    let mut scanner = Scanner { text, at: 0, open: Vec::new() };
    scanner.skip_space();
    let start = scanner.at;
    scanner.value()?;
    Ok(&text[start..scanner.at])
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    open: Vec<u8>,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<(), Malformed> {
        let mut next = Next::Value;
        loop {
            self.skip_space();
            let byte = self.peek()?;
            next = match next {
                Next::ValueOrEnd if byte == b']' => self.close(),
                Next::Value | Next::ValueOrEnd => self.begin(byte)?,
                Next::KeyOrEnd if byte == b'}' => self.close(),
                Next::Key | Next::KeyOrEnd if byte == b'"' => {
                    self.string()?;
                    Next::Colon
                }
                Next::Key | Next::KeyOrEnd => return Err(self.wrong("looking for beginning of object key string")),
                Next::Colon if byte == b':' => self.past(Next::Value),
                Next::Colon => return Err(self.wrong("after object key")),
                Next::CommaOrEnd => match (self.open.last(), byte) {
                    (Some(b'{'), b',') => self.past(Next::Key),
                    (_, b',') => self.past(Next::Value),
                    (Some(b'{'), b'}') | (Some(b'['), b']') => self.close(),
                    (Some(b'{'), _) => return Err(self.wrong("after object key:value pair")),
                    _ => return Err(self.wrong("after array element")),
                },
            };
            if self.open.is_empty() {
                return Ok(());
            }
        }
    }

    fn begin(&mut self, byte: u8) -> Result<Next, Malformed> {
        match byte {
            b'{' | b'[' => {
                if self.open.len() == MAX_DEPTH {
                    return Err(Malformed { message: "exceeded max depth".to_owned(), offset: self.at });
                }
                self.open.push(byte);
                return Ok(self.past(if byte == b'{' { Next::KeyOrEnd } else { Next::ValueOrEnd }));
            }
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return Err(self.wrong("looking for beginning of value")),
        }
        Ok(Next::CommaOrEnd)
    }

    fn close(&mut self) -> Next {
        self.open.pop();
        self.past(Next::CommaOrEnd)
    }

    fn past(&mut self, next: Next) -> Next {
        self.at += 1;
        next
    }

    fn string(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                0..0x20 => return Err(self.wrong("in string literal")),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.peek()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek()?.is_ascii_hexdigit() {
                        return Err(self.wrong("in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong("in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.wrong("in numeric literal")),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn some_digits(&mut self, place: &str) -> Result<(), Malformed> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.wrong(place));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        for expected in word.chars() {
            if char::from(self.peek()?) != expected {
                return Err(self.wrong(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The current byte. Go has one error for a text that ends within a value, and another for an empty text.
    fn peek(&self) -> Result<u8, Malformed> {
        self.text.get(self.at).copied().ok_or_else(|| {
            let empty = self.text.iter().all(|byte| b" \t\r\n".contains(byte));
            Malformed { message: if empty { "EOF" } else { "unexpected EOF" }.to_owned(), offset: self.text.len() }
        })
    }

    fn wrong(&self, place: &str) -> Malformed {
        let byte = self.text.get(self.at).copied().unwrap_or_default();
        Malformed { message: format!("invalid character {} {place}", quoted(byte)), offset: self.at }
    }
}

/// A byte as Go quotes it: as one character, whatever the text's encoding.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' | b'\\' => format!(r"'\{}'", char::from(byte)),
        0x07..=0x0d => format!(r"'\{}'", char::from(b"abtnvfr"[usize::from(byte - 0x07)])),
        0..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests;
