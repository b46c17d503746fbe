//! Writes JSON as Go's `json.Marshal` does: no spaces, markup escaped, numbers of single precision with as few digits as
//! tell them apart.

use std::fmt::Write;

/// A string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string never fails.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A number of single precision; finite.
pub fn float32(number: f32) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replacen('e', "e+", 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(
            quote("a\"b\\<&>\n\u{1}é\u{2028}"),
            r#""a\"b\\\u003c\u0026\u003e\n\u0001é\u2028""#
        );
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
}
