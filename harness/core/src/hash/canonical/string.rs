//! Strings: finding the end of a plain run, and reading and undoing escapes.

use super::error::{CanonicalErrorKind as Kind, Fault};

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The first place from `pos` on at which a string's text is not plain: a quote, a backslash, a control character, or
/// the end of the input.
#[inline]
pub(crate) fn plain_end(input: &[u8], mut pos: usize) -> usize {
    while let Some(chunk) = input.get(pos..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        // Each term sets the high bit of a byte that matches. A borrow may set it in a byte above a match as well,
        // never below one, so that the lowest bit set is right.
        let quote = word ^ (LOW_BITS * b'"' as u64);
        let backslash = word ^ (LOW_BITS * b'\\' as u64);
        let stops = (quote.wrapping_sub(LOW_BITS) & !quote)
            | (backslash.wrapping_sub(LOW_BITS) & !backslash)
            | (word.wrapping_sub(LOW_BITS * 0x20) & !word);
        let stops = stops & HIGH_BITS;
        if stops != 0 {
            return pos + (stops.trailing_zeros() / 8) as usize;
        }
        pos += 8;
    }
    while input.get(pos).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        pos += 1;
    }
    pos
}

/// Reads the `\uXXXX` at `pos` (its backslash), and a second one where the first is a high surrogate.
///
/// Gives the character and the place after it.
pub(super) fn unicode_escape(input: &[u8], pos: usize) -> Result<(char, usize), Fault> {
    let unit = code_unit(input, pos)?;
    let lone = || Fault::new(Kind::LoneSurrogate { unit }, pos);
    let mut code = u32::from(unit);
    let mut end = pos + 6;
    if (0xD800..0xDC00).contains(&unit) {
        if input.get(end..end + 2) != Some(b"\\u") {
            return Err(lone());
        }
        let low = code_unit(input, end)?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(lone());
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (u32::from(low) - 0xDC00);
        end += 6;
    }
    char::from_u32(code).map(|c| (c, end)).ok_or_else(lone)
}

/// The four hex digits of the `\uXXXX` at `pos`.
fn code_unit(input: &[u8], pos: usize) -> Result<u16, Fault> {
    let mut unit = 0u16;
    for at in pos + 2..pos + 6 {
        let digit = input.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        let Some(digit) = digit else {
            return Err(Fault::unexpected(input, at, "a hex digit of \\uXXXX"));
        };
        unit = unit << 4 | digit as u16;
    }
    Ok(unit)
}

/// Writes a character as RFC 8785 spells it in a string.
pub(super) fn push_canonical(c: char, text: &mut Vec<u8>) {
    match c {
        '"' => text.extend_from_slice(b"\\\""),
        '\\' => text.extend_from_slice(b"\\\\"),
        '\u{08}' => text.extend_from_slice(b"\\b"),
        '\u{09}' => text.extend_from_slice(b"\\t"),
        '\u{0A}' => text.extend_from_slice(b"\\n"),
        '\u{0C}' => text.extend_from_slice(b"\\f"),
        '\u{0D}' => text.extend_from_slice(b"\\r"),
        '\u{00}'..='\u{1F}' => {
            let code = c as u8;
            let low = b"0123456789abcdef"[usize::from(code & 15)];
            text.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (code >> 4), low]);
        }
        _ => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Appends what the inside of a canonical string says. Total: a text that is not canonical is copied as it stands.
pub(crate) fn unescape_canonical(inside: &[u8], out: &mut Vec<u8>) {
    let mut rest = inside;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let (byte, len) = match rest[at + 1..] {
            [b'b', ..] => (0x08, 2),
            [b't', ..] => (b'\t', 2),
            [b'n', ..] => (b'\n', 2),
            [b'f', ..] => (0x0C, 2),
            [b'r', ..] => (b'\r', 2),
            [b'u', b'0', b'0', high @ b'0'..=b'1', low, ..] => {
                let low = char::from(low).to_digit(16).unwrap_or(0) as u8;
                ((high - b'0') << 4 | low, 6)
            }
            [c, ..] => (c, 2),
            [] => (b'\\', 1),
        };
        out.push(byte);
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
}
