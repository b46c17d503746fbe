//! Numbers: reading a literal by RFC 8259, and deciding how RFC 8785 spells it.

use super::error::{CanonicalErrorKind as Kind, Fault};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// As it is.
    Verbatim,
    /// As it is, though a double cannot hold it for sure.
    UnsafeInteger,
    /// As this double is spelled.
    Double(f64),
}

/// The digits of 2^53 − 1, the largest integer of which a double holds all neighbours too.
const LARGEST_SAFE: &[u8] = b"9007199254740991";

/// Any decimal of so many significant digits survives the way into a double and back.
const SURE_DIGITS: usize = 15;

/// An integer of fewer digits than this cannot overflow a double.
const OVERFLOW_DIGITS: usize = 309;

/// Reads the number at `start`; gives how it is spelled canonically, and the place after it.
pub(super) fn number(input: &[u8], start: usize) -> Result<(Number, usize), Fault> {
    let int_start = start + usize::from(input[start] == b'-');
    let int_end = digits_end(input, int_start)?;
    if input[int_start] == b'0' && int_end > int_start + 1 {
        return Err(Fault::new(Kind::LeadingZero, int_start));
    }
    let integer = &input[int_start..int_end];
    let mut end = int_end;
    let mut fraction: &[u8] = &[];
    if input.get(end) == Some(&b'.') {
        end = digits_end(input, int_end + 1)?;
        fraction = &input[int_end + 1..end];
    }
    let mut exponent = false;
    if let Some(b'e' | b'E') = input.get(end) {
        exponent = true;
        let signed = matches!(input.get(end + 1), Some(b'+' | b'-'));
        end = digits_end(input, end + 1 + usize::from(signed))?;
    }
    let literal = &input[start..end];
    let verbatim = if exponent {
        false
    } else if fraction.is_empty() {
        if is_unsafe(integer) {
            if integer.len() >= OVERFLOW_DIGITS {
                double(literal, start)?;
            }
            return Ok((Number::UnsafeInteger, end));
        }
        literal != b"-0"
    } else {
        is_canonical_decimal(integer, fraction)
    };
    let number = if verbatim { Number::Verbatim } else { Number::Double(double(literal, start)?) };
    Ok((number, end))
}

/// The end of the digits that must start at `start`.
fn digits_end(input: &[u8], start: usize) -> Result<usize, Fault> {
    let mut end = start;
    while input.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    if end == start { Err(Fault::unexpected(input, start, "a digit")) } else { Ok(end) }
}

fn is_unsafe(digits: &[u8]) -> bool {
    digits.len() > LARGEST_SAFE.len() || (digits.len() == LARGEST_SAFE.len() && digits > LARGEST_SAFE)
}

/// Whether a number with a fraction is surely spelled as its double is, so that there is no need to make the double:
/// where few enough digits survive a double, none of them is superfluous, and its size calls for no exponent.
fn is_canonical_decimal(integer: &[u8], fraction: &[u8]) -> bool {
    let leading_zeros = fraction.iter().take_while(|&&digit| digit == b'0').count();
    integer.len() + fraction.len() <= SURE_DIGITS
        && fraction.last() != Some(&b'0')
        && (integer != b"0" || leading_zeros <= 5)
}

/// The double next to a literal that is a JSON number, which starts at `start`.
fn double(literal: &[u8], start: usize) -> Result<f64, Fault> {
    let text = std::str::from_utf8(literal).unwrap_or_default();
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Fault::new(Kind::NumberOverflow { literal: text.to_owned() }, start)),
    }
}
