//! The first pass: checks a text against RFC 8259 and writes its canonical tokens in document order.
//!
//! What is canonical already is not copied token by token: `copied` trails behind `pos`, and the run between them goes
//! over in one piece when something stands in its way (white space, an escape, a number to respell).

use super::error::{CanonicalError, CanonicalErrorKind as Kind, Fault};
use super::{Canonical, MAX_DEPTH, MAX_INPUT_BYTES, Scratch};

#[derive(Debug, Clone, Copy)]
pub(super) enum Frame {
    /// The element that is being read.
    Array {
        index: u64,
    },
    Object {
        start: usize,
        first: usize,
        names: usize,
        in_order: bool,
    },
}

/// Writes the canonical tokens of `input` to `text`, which is emptied first; notes in `scratch` which objects are not
/// in order.
pub(super) fn scan(input: &[u8], text: &mut Vec<u8>, scratch: &mut Scratch) -> Result<Canonical, CanonicalError> {
    text.clear();
    scratch.frames.clear();
    scratch.members.clear();
    scratch.names.clear();
    scratch.reordered.clear();
    scratch.pieces.clear();
    if input.len() > MAX_INPUT_BYTES {
        return Err(CanonicalError::at(
            Kind::TooLarge { limit: MAX_INPUT_BYTES },
            input,
            MAX_INPUT_BYTES,
            String::new(),
        ));
    }
    if input.starts_with(b"\xEF\xBB\xBF") {
        return Err(CanonicalError::at(Kind::ByteOrderMark, input, 0, String::new()));
    }
    let valid = match std::str::from_utf8(input) {
        Ok(all) => all.as_bytes(),
        Err(error) => &input[..error.valid_up_to()],
    };
    let mut scanner = Scanner { input: valid, pos: 0, copied: 0, text, scratch, within: false, unsafe_integers: 0 };
    let mut result = scanner.document();
    if valid.len() < input.len() && result.as_ref().err().is_none_or(|fault| fault.0.1 >= valid.len()) {
        // The document reads well up to the bytes that are no UTF-8.
        result = Err(Fault::new(Kind::InvalidUtf8, valid.len()));
    }
    match result {
        Ok(()) => Ok(Canonical { unsafe_integers: scanner.unsafe_integers }),
        Err(fault) => {
            let path = scanner.path();
            let (kind, offset) = *fault.0;
            Err(CanonicalError::at(kind, input, offset, path))
        }
    }
}

pub(super) struct Scanner<'a> {
    pub input: &'a [u8],
    /// What is read next.
    pub pos: usize,
    /// What of the input the text has.
    pub copied: usize,
    pub text: &'a mut Vec<u8>,
    pub scratch: &'a mut Scratch,
    /// Whether `pos` is within the current element or member of the innermost frame, for the path of an error.
    pub within: bool,
    pub unsafe_integers: u64,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.pos == self.input.len() {
            return Err(Fault::new(Kind::Empty, self.pos));
        }
        loop {
            if self.value()? && self.after_value()? {
                break;
            }
        }
        self.skip_space();
        if self.pos < self.input.len() {
            return Err(Fault::new(Kind::TrailingData, self.pos));
        }
        self.flush();
        Ok(())
    }

    /// Reads a value, or opens one; returns whether it is complete.
    fn value(&mut self) -> Result<bool, Fault> {
        self.skip_space();
        match self.input.get(self.pos) {
            Some(b'"') => self.string().map(|_| true),
            Some(b'{') => self.open_object(),
            Some(b'[') => self.open_array(),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| true),
            Some(b't') => self.literal(b"true").map(|()| true),
            Some(b'f') => self.literal(b"false").map(|()| true),
            Some(b'n') => self.literal(b"null").map(|()| true),
            _ => Err(Fault::unexpected(self.input, self.pos, "a value")),
        }
    }

    /// Goes on after a complete value: closes what closes, up to where the next value starts. Returns whether the
    /// document is complete.
    fn after_value(&mut self) -> Result<bool, Fault> {
        loop {
            let Some(frame) = self.scratch.frames.last_mut() else {
                return Ok(true);
            };
            match frame {
                Frame::Array { index } => {
                    let index = &mut *index;
                    match self.input.get(self.pos) {
                        Some(b',') => {
                            *index += 1;
                            self.pos += 1;
                            return Ok(false);
                        }
                        Some(b']') => {
                            self.pos += 1;
                            self.scratch.frames.pop();
                            self.within = true;
                        }
                        Some(b' ' | b'\n' | b'\r' | b'\t') => self.skip_space(),
                        _ => return Err(self.fault_between("',' or ']'")),
                    }
                }
                &mut Frame::Object { start, first, names, in_order } => match self.input.get(self.pos) {
                    Some(b',') => {
                        self.end_member();
                        self.pos += 1;
                        self.skip_space();
                        self.member_name()?;
                        return Ok(false);
                    }
                    Some(b'}') => {
                        self.end_member();
                        self.pos += 1;
                        if !in_order {
                            self.reorder(start, first)?;
                        }
                        self.scratch.members.truncate(first);
                        self.scratch.names.truncate(names);
                        self.scratch.frames.pop();
                        self.within = true;
                    }
                    Some(b' ' | b'\n' | b'\r' | b'\t') => self.skip_space(),
                    _ => return Err(self.fault_between("',' or '}'")),
                },
            }
        }
    }

    fn open_array(&mut self) -> Result<bool, Fault> {
        self.check_depth()?;
        self.pos += 1;
        self.skip_space();
        if self.input.get(self.pos) == Some(&b']') {
            self.pos += 1;
            return Ok(true);
        }
        self.scratch.frames.push(Frame::Array { index: 0 });
        self.within = true;
        Ok(false)
    }

    fn open_object(&mut self) -> Result<bool, Fault> {
        self.check_depth()?;
        let start = self.here();
        self.pos += 1;
        self.skip_space();
        if self.input.get(self.pos) == Some(&b'}') {
            self.pos += 1;
            return Ok(true);
        }
        let first = self.scratch.members.len();
        let names = self.scratch.names.len();
        self.scratch.frames.push(Frame::Object { start, first, names, in_order: true });
        self.member_name()?;
        Ok(false)
    }

    fn check_depth(&self) -> Result<(), Fault> {
        if self.scratch.frames.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(Fault::new(Kind::TooDeep { limit: MAX_DEPTH }, self.pos))
    }

    /// Something stands after an element or member that neither goes on nor closes.
    #[cold]
    fn fault_between(&mut self, expected: &str) -> Fault {
        self.within = false;
        Fault::unexpected(self.input, self.pos, expected)
    }

    #[inline]
    pub fn skip_space(&mut self) {
        if self.input.get(self.pos).is_some_and(|&byte| byte <= b' ') {
            self.flush();
            while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.input.get(self.pos) {
                self.pos += 1;
            }
            self.copied = self.pos;
        }
    }

    /// Brings the text up to `pos`.
    #[inline]
    pub fn flush(&mut self) {
        self.text.extend_from_slice(&self.input[self.copied..self.pos]);
        self.copied = self.pos;
    }

    /// The length the text has once it is up to `pos`.
    #[inline]
    pub fn here(&self) -> usize {
        self.text.len() + (self.pos - self.copied)
    }

    /// Where the scanner is in the document, as a JSON Pointer.
    #[cold]
    fn path(&self) -> String {
        let frames = &self.scratch.frames;
        let known = if self.within { frames.len() } else { frames.len().saturating_sub(1) };
        let mut tokens: Vec<String> = Vec::with_capacity(known);
        let mut end = self.scratch.members.len();
        for (depth, frame) in frames.iter().enumerate().rev() {
            let token = match *frame {
                Frame::Array { index } => index.to_string(),
                Frame::Object { first, .. } => {
                    let member = self.scratch.members[first..end].last();
                    end = first;
                    let name = member.map_or(&b""[..], |member| member.name(self.input, &self.scratch.names));
                    pointer_token(&String::from_utf8_lossy(name))
                }
            };
            if depth < known {
                tokens.push(token);
            }
        }
        tokens.iter().rev().fold(String::new(), |path, token| path + "/" + token)
    }
}

/// A name as a token of a JSON Pointer (RFC 6901).
pub(crate) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
