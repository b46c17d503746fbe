//! Canonical JSON (RFC 8785) and the payload hash over it.
//!
//! `reader` parses the text and sorts each object's members; `document` writes them. Neither recurses, so a deep
//! payload needs no deep stack, and both take time in proportion to the payload's size, except for sorting.

mod document;
mod reader;

use sha2::{Digest, Sha256};

/// The deepest nesting that is read. Beyond it a payload is refused.
pub const MAX_DEPTH: usize = 65_536;

/// Why a payload has no canonical form, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub kind: JsonErrorKind,
    /// Bytes from the payload's start to what is wrong.
    pub offset_bytes: usize,
}

/// What is wrong with a payload.
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
pub fn canonical(text: &str) -> Result<String, JsonError> {
    Ok(reader::read(text)?.write())
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

#[cfg(test)]
mod tests;
