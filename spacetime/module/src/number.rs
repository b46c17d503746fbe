//! Numbers in their canonical spelling: RFC 8785's, which is ECMAScript's, with one extension.
//!
//! The extension is the contract's: an integer literal (no fraction, no exponent) beyond the safe range keeps its exact
//! digits, because rounding it would hide a real difference between two payloads.

/// The greatest integer that a double holds exactly together with all smaller ones: 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// Spells a number literal canonically.
///
/// `literal` follows JSON's grammar, which the reader has checked. `None` where the number is too large for a double,
/// integers included.
pub fn canonical_number(literal: &str) -> Option<String> {
    let value: f64 = literal.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !is_safe_integer(digits) {
        return Some(literal.to_owned());
    }
    // ECMAScript's spelling. The standard library's is another: of two shortest spellings that are equally near it
    // takes the greater, where ECMAScript takes the even one.
    Some(ryu_js::Buffer::new().format(value).to_owned())
}

/// Whether an unsigned integer literal is at most 2^53 - 1.
fn is_safe_integer(digits: &str) -> bool {
    digits.parse::<u64>().is_ok_and(|value| value <= MAX_SAFE_INTEGER)
}

#[cfg(test)]
#[path = "number/tests.rs"]
mod tests;
