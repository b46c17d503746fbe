//! The first pass: checks a text against RFC 8259 and writes its canonical tokens in document order.
//!
//! What is canonical already is not copied token by token: `copied` trails behind `pos`, and the run between them goes
//! over in one piece when something stands in its way (white space, an escape, a number to respell).

use super::error::{CanonicalError, CanonicalErrorKind as Kind};
use super::order::{Member, Reordered, Span, compare_names};
use super::{Canonical, MAX_DEPTH, Scratch, number, string};

/// An open array or object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Frame {
    /// The element that is being read.
    Array { index: u64 },
    Object {
        /// Where its brace stands in the text.
        start: usize,
        /// Its first member in `Scratch::members`.
        first: usize,
        /// The length of `Scratch::names` before it.
        names: usize,
        /// Whether its members came in order so far.
        in_order: bool,
    },
}

/// What is wrong and where; boxed, so that the way of success carries no error's size.
#[derive(Debug)]
pub(super) struct Fault(Box<(Kind, usize)>);

impl Fault {
    #[cold]
    pub fn new(kind: Kind, offset: usize) -> Self {
        Self(Box::new((kind, offset)))
    }

    /// Something else stands at `pos`, or nothing does. The input is UTF-8 up to its end.
    #[cold]
    pub fn unexpected(input: &[u8], pos: usize, expected: &str) -> Self {
        let expected = expected.to_owned();
        let rest = std::str::from_utf8(input.get(pos..).unwrap_or_default()).unwrap_or_default();
        let kind = match rest.chars().next() {
            None => Kind::Truncated { expected },
            Some(c) if c.is_control() => Kind::Unexpected {
                found: format!("U+{:04X}", c as u32),
                expected,
            },
            Some(c) => Kind::Unexpected {
                found: format!("'{c}'"),
                expected,
            },
        };
        Self::new(kind, pos)
    }
}

/// Writes the canonical tokens of `input` to `text`, which is emptied first; notes in `scratch` which objects are not in
/// order.
pub(super) fn scan(input: &[u8], text: &mut Vec<u8>, scratch: &mut Scratch) -> Result<Canonical, CanonicalError> {
    text.clear();
    scratch.frames.clear();
    scratch.members.clear();
    scratch.names.clear();
    scratch.reordered.clear();
    scratch.pieces.clear();
    if input.starts_with(b"\xEF\xBB\xBF") {
        return Err(CanonicalError::at(Kind::ByteOrderMark, input, 0, String::new()));
    }
    let valid = match std::str::from_utf8(input) {
        Ok(all) => all.as_bytes(),
        Err(error) => &input[..error.valid_up_to()],
    };
    let mut scanner = Scanner {
        input: valid,
        pos: 0,
        copied: 0,
        text,
        scratch,
        within: false,
        unsafe_integers: 0,
    };
    let mut result = scanner.document();
    if valid.len() < input.len() && result.as_ref().err().is_none_or(|fault| fault.0.1 >= valid.len()) {
        // The document reads well up to the bytes that are no UTF-8.
        result = Err(Fault::new(Kind::InvalidUtf8, valid.len()));
    }
    match result {
        Ok(()) => Ok(Canonical {
            unsafe_integers: scanner.unsafe_integers,
        }),
        Err(fault) => {
            let path = scanner.path();
            let (kind, offset) = *fault.0;
            Err(CanonicalError::at(kind, input, offset, path))
        }
    }
}

struct Scanner<'a> {
    input: &'a [u8],
    /// What is read next.
    pos: usize,
    /// What of the input the text has.
    copied: usize,
    text: &'a mut Vec<u8>,
    scratch: &'a mut Scratch,
    /// Whether `pos` is within the current element or member of the innermost frame, for the path of an error.
    within: bool,
    unsafe_integers: u64,
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

    /// Reads a value, or opens one; tells whether it is complete.
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

    /// Goes on after a complete value: closes what closes, up to where the next value starts. Tells whether the document
    /// is complete.
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
                &mut Frame::Object {
                    start,
                    first,
                    names,
                    in_order,
                } => match self.input.get(self.pos) {
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
        self.scratch.frames.push(Frame::Object {
            start,
            first,
            names,
            in_order: true,
        });
        self.member_name()?;
        Ok(false)
    }

    fn check_depth(&self) -> Result<(), Fault> {
        if self.scratch.frames.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(Fault::new(Kind::TooDeep { limit: MAX_DEPTH }, self.pos))
    }

    /// Reads a member's name and colon.
    fn member_name(&mut self) -> Result<(), Fault> {
        self.within = false;
        if self.input.get(self.pos) != Some(&b'"') {
            return Err(Fault::unexpected(self.input, self.pos, "a member name"));
        }
        let at = self.pos;
        let start = self.here();
        let escaped = self.string()?;
        let name = if escaped {
            self.flush();
            let from = self.scratch.names.len();
            string::unescape_canonical(&self.text[start + 1..self.text.len() - 1], &mut self.scratch.names);
            Span {
                start: from,
                end: self.scratch.names.len(),
            }
        } else {
            Span {
                start: at + 1,
                end: self.pos - 1,
            }
        };
        let member = Member {
            at,
            name,
            escaped,
            text: Span { start, end: start },
        };
        self.push_member(member)?;
        self.skip_space();
        if self.input.get(self.pos) != Some(&b':') {
            return Err(Fault::unexpected(self.input, self.pos, "':'"));
        }
        self.pos += 1;
        self.within = true;
        Ok(())
    }

    /// Adds a member to the innermost object, and tells whether it is still in order.
    fn push_member(&mut self, member: Member) -> Result<(), Fault> {
        let Scratch {
            frames, members, names, ..
        } = &mut *self.scratch;
        if let Some(Frame::Object { first, in_order, .. }) = frames.last_mut()
            && *in_order
            && let Some(last) = members[*first..].last()
        {
            match compare_names(last.name(self.input, names), member.name(self.input, names)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => *in_order = false,
                std::cmp::Ordering::Equal => return Err(self.duplicate(member)),
            }
        }
        members.push(member);
        Ok(())
    }

    /// Notes where the innermost object's last member ends.
    fn end_member(&mut self) {
        let end = self.here();
        if let Some(member) = self.scratch.members.last_mut() {
            member.text.end = end;
        }
    }

    /// Sorts the members of the object that closes here, and notes their order.
    fn reorder(&mut self, start: usize, first: usize) -> Result<(), Fault> {
        let end = self.here();
        let input = self.input;
        let Scratch {
            members,
            names,
            reordered,
            pieces,
            ..
        } = &mut *self.scratch;
        let members = &mut members[first..];
        members.sort_unstable_by(|a, b| {
            // Of equal names the later comes later, so that the error names it.
            compare_names(a.name(input, names), b.name(input, names)).then(a.at.cmp(&b.at))
        });
        let same = |pair: &&[Member]| pair[0].name(input, names) == pair[1].name(input, names);
        if let Some(second) = members
            .windows(2)
            .filter(same)
            .map(|pair| pair[1])
            .min_by_key(|member| member.at)
        {
            self.within = false;
            return Err(self.duplicate(second));
        }
        let from = pieces.len();
        pieces.extend(members.iter().map(|member| member.text));
        reordered.push(Reordered {
            text: Span { start, end },
            pieces: Span {
                start: from,
                end: pieces.len(),
            },
        });
        Ok(())
    }

    #[cold]
    fn duplicate(&self, member: Member) -> Fault {
        let key = String::from_utf8_lossy(member.name(self.input, &self.scratch.names)).into_owned();
        Fault::new(Kind::DuplicateKey { key }, member.at)
    }

    /// Reads the string at `pos`; tells whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
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

    /// Reads the escape at `pos`.
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

    fn number(&mut self) -> Result<(), Fault> {
        let (number, end) = number::number(self.input, self.pos)?;
        match number {
            number::Number::Verbatim => {}
            number::Number::UnsafeInteger => self.unsafe_integers += 1,
            number::Number::Double(value) => {
                self.flush();
                self.text
                    .extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
                self.copied = end;
            }
        }
        self.pos = end;
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        let rest = &self.input[self.pos..];
        if rest.starts_with(word) {
            self.pos += word.len();
            return Ok(());
        }
        let same = rest.iter().zip(word).take_while(|(a, b)| a == b).count();
        let expected = format!("the rest of {}", String::from_utf8_lossy(word));
        Err(Fault::unexpected(self.input, self.pos + same, &expected))
    }

    /// Something stands after an element or member that neither goes on nor closes.
    #[cold]
    fn fault_between(&mut self, expected: &str) -> Fault {
        self.within = false;
        Fault::unexpected(self.input, self.pos, expected)
    }

    #[inline]
    fn skip_space(&mut self) {
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
    fn flush(&mut self) {
        self.text.extend_from_slice(&self.input[self.copied..self.pos]);
        self.copied = self.pos;
    }

    /// The length the text has once it is up to `pos`.
    #[inline]
    fn here(&self) -> usize {
        self.text.len() + (self.pos - self.copied)
    }

    /// Where the scanner is in the document, as a JSON Pointer.
    #[cold]
    fn path(&self) -> String {
        let frames = &self.scratch.frames;
        let known = if self.within {
            frames.len()
        } else {
            frames.len().saturating_sub(1)
        };
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
        tokens
            .iter()
            .rev()
            .fold(String::new(), |path, token| path + "/" + token)
    }
}

/// A name as a token of a JSON Pointer (RFC 6901).
pub(crate) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
