//! Why a text has no canonical form, and where.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use serde::Serialize;

use crate::text::visible;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CanonicalErrorKind {
    Empty,
    Truncated { expected: String },
    Unexpected { found: String, expected: String },
    TrailingData,
    ByteOrderMark,
    InvalidUtf8,
    ControlCharacter { code: u8 },
    InvalidEscape,
    LoneSurrogate { unit: u16 },
    DuplicateKey { key: String },
    LeadingZero,
    NumberOverflow { literal: String },
    TooDeep { limit: usize },
    TooLarge { limit: usize },
}

impl CanonicalErrorKind {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "give one JSON document",
            Self::Truncated { .. } => "the end is missing: was the payload cut short?",
            Self::Unexpected { .. } => "check what wrote it: it is not JSON by RFC 8259",
            Self::TrailingData => "remove what follows, or give one document per line",
            Self::ByteOrderMark => "remove the first three bytes, EF BB BF",
            Self::InvalidUtf8 => "encode the text as UTF-8",
            Self::ControlCharacter { .. } => "escape it as \\u00XX",
            Self::InvalidEscape => "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX",
            Self::LoneSurrogate { .. } => "spell the pair in full, high half first, or the character itself",
            Self::DuplicateKey { .. } => "keep one of the members",
            Self::LeadingZero => "write the number without it",
            Self::NumberOverflow { .. } => "send it as a string: a double ends at 1.7976931348623157e308",
            Self::TooDeep { .. } => "flatten the payload",
            Self::TooLarge { .. } => "split the payload, or give one document per line",
        }
    }
}

impl fmt::Display for CanonicalErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there is no JSON document"),
            Self::Truncated { expected } => write!(f, "the input ends where {expected} should come"),
            Self::Unexpected { found, expected } => write!(f, "found {found} where {expected} should come"),
            Self::TrailingData => write!(f, "there is more after the end of the document"),
            Self::ByteOrderMark => write!(f, "the input starts with a byte order mark"),
            Self::InvalidUtf8 => write!(f, "the bytes are not UTF-8"),
            Self::ControlCharacter { code } => write!(f, "control character U+{code:04X} stands unescaped in a string"),
            Self::InvalidEscape => write!(f, "the backslash starts no escape of JSON"),
            Self::LoneSurrogate { unit } => {
                write!(f, "\\u{unit:04x} is one half of a surrogate pair, without the other")
            }
            Self::DuplicateKey { key } => write!(f, "the object has the name {} twice", Elided(&format!("{key:?}"))),
            Self::LeadingZero => write!(f, "the number starts with a superfluous zero"),
            Self::NumberOverflow { literal } => write!(f, "the number {} overflows a double", Elided(literal)),
            Self::TooDeep { limit } => write!(f, "arrays and objects are nested deeper than {limit}"),
            Self::TooLarge { limit } => write!(f, "the document is larger than {limit} bytes"),
        }
    }
}

/// A text has no canonical form: what is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CanonicalError {
    #[serde(flatten)]
    pub kind: CanonicalErrorKind,
    /// Where, in bytes from the start of the input.
    pub offset: usize,
    /// Where, as a line; the first is 1.
    pub line: usize,
    /// Where, as a character of that line; the first is 1.
    pub column: usize,
    /// The value in which it happened, as a JSON Pointer (RFC 6901); empty is the document itself.
    pub path: String,
}

impl CanonicalError {
    pub(super) fn at(kind: CanonicalErrorKind, input: &[u8], offset: usize, path: String) -> Self {
        let before = &input[..offset.min(input.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        // All bytes but UTF-8's continuation bytes start a character.
        let column = 1 + before[line_start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        Self { kind, offset, line, column, path }
    }
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {}", self.line, self.column, self.offset)?;
        if !self.path.is_empty() {
            write!(f, ", at {}", Elided(&self.path))?;
        }
        write!(f, "): {}; {}", self.kind, self.kind.hint())
    }
}

impl std::error::Error for CanonicalError {}

/// What is wrong and where; boxed, so that the way of success carries no error's size.
#[derive(Debug)]
pub(super) struct Fault(pub Box<(CanonicalErrorKind, usize)>);

impl Fault {
    #[cold]
    pub fn new(kind: CanonicalErrorKind, offset: usize) -> Self {
        Self(Box::new((kind, offset)))
    }

    /// Something else stands at `pos`, or nothing does. The input is UTF-8 up to its end.
    #[cold]
    pub fn unexpected(input: &[u8], pos: usize, expected: &str) -> Self {
        let expected = expected.to_owned();
        let rest = std::str::from_utf8(input.get(pos..).unwrap_or_default()).unwrap_or_default();
        let kind = match rest.chars().next() {
            None => CanonicalErrorKind::Truncated { expected },
            Some(c) if c.is_control() => {
                CanonicalErrorKind::Unexpected { found: format!("U+{:04X}", c as u32), expected }
            }
            Some(c) => CanonicalErrorKind::Unexpected { found: format!("'{c}'"), expected },
        };
        Self::new(kind, pos)
    }
}

/// Displays a text of somebody else's making: its middle left out where it is long, control characters escaped.
pub(crate) struct Elided<'a>(pub &'a str);

impl fmt::Display for Elided<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SIDE_CHARS: usize = 60;
        let head_end = self.0.char_indices().nth(SIDE_CHARS).map_or(self.0.len(), |(at, _)| at);
        let tail_start = self.0.char_indices().rev().nth(SIDE_CHARS - 1).map_or(0, |(at, _)| at);
        if tail_start <= head_end {
            return f.write_str(&visible(self.0));
        }
        let (head, tail) = (&self.0[..head_end], &self.0[tail_start..]);
        write!(f, "{}…{}", visible(head), visible(tail))
    }
}
