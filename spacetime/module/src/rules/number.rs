//! Numbers in their canonical spelling: RFC 8785's, which is ECMAScript's, with one extension.
//!
//! The extension is the contract's: an integer literal (no fraction, no exponent) beyond the safe range keeps its exact
//! digits, because rounding it would hide a real difference between two payloads.

/// The greatest integer that a double holds exactly together with all smaller ones: 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// Spells a number literal canonically.
///
/// `literal` must follow JSON's grammar; the parser has made sure of that. Answers `None` where the number is too large
/// for a double, integers included.
#[must_use]
pub fn canonical_number(literal: &str) -> Option<String> {
    let value: f64 = literal.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !is_safe_integer(digits) {
        return Some(literal.to_owned());
    }
    // ECMAScript's spelling. The standard library's shortest digits are not it: of two that are equally near it takes the
    // greater, where ECMAScript takes the even one.
    Some(ryu_js::Buffer::new().format(value).to_owned())
}

/// Says whether an unsigned integer literal is at most 2^53 - 1.
fn is_safe_integer(digits: &str) -> bool {
    digits.parse::<u64>().is_ok_and(|value| value <= MAX_SAFE_INTEGER)
}

#[cfg(test)]
mod tests {
    use super::canonical_number;

    fn check(literal: &str, expect: &str) {
        assert_eq!(
            canonical_number(literal).as_deref(),
            Some(expect),
            "for the literal {literal}"
        );
    }

    #[test]
    fn integers_in_the_safe_range_keep_their_digits() {
        check("0", "0");
        check("-0", "0");
        check("42", "42");
        check("9007199254740991", "9007199254740991");
        check("-9007199254740991", "-9007199254740991");
    }

    #[test]
    fn integers_beyond_the_safe_range_keep_their_exact_digits() {
        check("9007199254740993", "9007199254740993");
        check("-18446744073709551617", "-18446744073709551617");
        check("1000000000000000000000000", "1000000000000000000000000");
    }

    #[test]
    fn a_fraction_or_an_exponent_makes_a_double() {
        check("1.0", "1");
        check("1e2", "100");
        check("9007199254740993.0", "9007199254740992");
        check("-0.0", "0");
        check("1E+1", "10");
    }

    #[test]
    fn doubles_are_spelled_as_ecmascript_spells_them() {
        check("1e20", "100000000000000000000");
        check("1e21", "1e+21");
        check("1.5e300", "1.5e+300");
        check("0.000001", "0.000001");
        check("0.0000001", "1e-7");
        check("1.25e-9", "1.25e-9");
        check("333333333.33333329", "333333333.3333333");
        check("4.50", "4.5");
        check("2e-3", "0.002");
        check("5e-324", "5e-324");
        check("1.7976931348623157e308", "1.7976931348623157e+308");
        check("123456789012345680000.5", "123456789012345680000");
    }

    #[test]
    fn of_two_spellings_that_are_equally_near_the_even_one_is_taken() {
        check("1024224224311419.25", "1024224224311419.2");
        check("18746784992757.3125", "18746784992757.312");
    }

    #[test]
    fn a_number_that_overflows_a_double_is_refused() {
        assert_eq!(canonical_number("1e400"), None);
        assert_eq!(canonical_number("-1e309"), None);
        assert_eq!(canonical_number(&"9".repeat(400)), None);
    }
}
