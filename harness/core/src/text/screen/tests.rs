#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn shown(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    Screen::new(&mut out, true).write_all(bytes).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_of_others_can_not_look_like_colours_of_ours() {
    let mut out = Vec::new();
    let mut screen = Screen::new(&mut out, true);
    screen.line(Style::Good, "passed \x1b[2J\x1b[32mALLOW").unwrap();
    screen.line(Style::Plain, "a\r\t\0\u{9b}31m\u{202e}\u{200b}b").unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\x1b[32mpassed \\u{1b}[2J\\u{1b}[32mALLOW\x1b[0m\na\\u{d}\\u{9}\\u{0}\\u{9b}31m\\u{202e}\\u{200b}b\n"
    );
}

#[test]
fn bytes_that_are_no_text_are_written_out() {
    assert_eq!(shown(b"a\xff\xc3(\n"), "a\\xff\\xc3(\n");
}

proptest! {
    #[test]
    fn no_control_character_but_the_end_of_a_line_comes_out(bytes in any::<Vec<u8>>(), text in any::<String>()) {
        for shown in [shown(&bytes), shown(text.as_bytes())] {
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            prop_assert!(!shown.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{61c}']), "{shown:?}");
        }
    }
}
