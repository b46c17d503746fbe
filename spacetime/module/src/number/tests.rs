use super::canonical_number;

fn check(literal: &str, expect: &str) {
    assert_eq!(canonical_number(literal).as_deref(), Some(expect), "for the literal {literal}");
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
