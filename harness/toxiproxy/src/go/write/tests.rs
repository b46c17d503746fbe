use super::*;

#[test]
fn strings_are_escaped_as_go_does() {
    assert_eq!(quote("a\"b\\<&>\n\u{1}é\u{2028}"), r#""a\"b\\\u003c\u0026\u003e\n\u0001é\u2028""#);
}

#[test]
fn single_precision_keeps_its_short_spelling() {
    for (number, expect) in [
        (1.0, "1"),
        (0.8, "0.8"),
        (0.1, "0.1"),
        (2.5, "2.5"),
        (-1.0, "-1"),
        (0.0, "0"),
        (1e-7, "1e-7"),
        (1e21, "1e+21"),
        (16_777_216.0, "16777216"),
    ] {
        assert_eq!(float32(number), expect);
    }
}
