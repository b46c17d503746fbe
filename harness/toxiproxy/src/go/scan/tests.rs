#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

#[test]
fn what_is_wrong_is_told_in_gos_words() {
    for (text, message) in [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ("-", "unexpected EOF"),
        ("tru", "unexpected EOF"),
        (r#"{"a":"#, "unexpected EOF"),
        (r#"{"a" "#, "unexpected EOF"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("'a'", r"invalid character '\'' looking for beginning of value"),
        ("\"a\nb\"", r"invalid character '\n' in string literal"),
        (r#""\x""#, "invalid character 'x' in string escape code"),
        (r#""\u12g4""#, r"invalid character 'g' in \u hexadecimal character escape"),
        ("{a}", "invalid character 'a' looking for beginning of object key string"),
        (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
        (r#"{"a"}"#, "invalid character '}' after object key"),
        (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("[tru]", "invalid character ']' in literal true (expecting 'e')"),
        ("nul1", "invalid character '1' in literal null (expecting 'l')"),
        ("-a", "invalid character 'a' in numeric literal"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("[1ea]", "invalid character 'a' in exponent of numeric literal"),
        ("[01]", "invalid character '1' after array element"),
        ("\u{e9}", "invalid character 'Ã' looking for beginning of value"),
        ("\u{0}", r"invalid character '\x00' looking for beginning of value"),
    ] {
        assert_eq!(first_value(text.as_bytes()).unwrap_err().message, message, "{text}");
    }
}

#[test]
fn only_the_first_value_is_read() {
    for (text, value) in [
        (" {} trailing", "{}"),
        ("1x", "1"),
        ("\"a\"]", "\"a\""),
        ("[[],[{}]]]", "[[],[{}]]"),
        ("null", "null"),
        ("-0.5e+3,", "-0.5e+3"),
    ] {
        assert_eq!(first_value(text.as_bytes()).unwrap(), value.as_bytes(), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = "[".repeat(MAX_DEPTH + 1);
    assert_eq!(first_value(deep.as_bytes()).unwrap_err().message, "exceeded max depth");
}

proptest! {
    #[test]
    fn it_agrees_with_another_reader_on_what_is_json(text in r#"[\[\]{}":,\\0-9a-f tnul.eE+-]{0,40}"#) {
        let ours = first_value(text.as_bytes()).map(|value| value.len()).ok();
        let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<serde::de::IgnoredAny>();
        // The other reader wants space or punctuation after a number or a word.
        if let Some(Ok(_)) = stream.next() {
            let start = text.len() - text.trim_start().len();
            prop_assert_eq!(ours, Some(stream.byte_offset() - start));
        }
    }

    #[test]
    fn nothing_makes_it_panic(bytes: Vec<u8>) {
        let _ = first_value(&bytes);
    }
}
