#![allow(clippy::unwrap_used)]
use super::*;

fn tail(content: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("server.log");
    std::fs::write(&log, content).unwrap();
    tail_of(&log)
}

#[test]
fn the_last_lines_are_shown_and_no_more() {
    let lines: String = (1..=20).map(|n| format!("line {n}\n")).collect();
    let shown = tail(lines.as_bytes());
    assert!(shown.starts_with("line 13\n") && shown.ends_with("line 20"), "{shown}");
    assert_eq!(tail(b""), "");
    assert_eq!(tail_of(Path::new("/nowhere/server.log")), "");
}

#[test]
fn a_log_without_an_end_of_line_is_cut() {
    let shown = tail(&vec![b'x'; 1 << 20]);
    assert_eq!(shown.chars().count(), LINE_CHARS + 1);
}

#[test]
fn colours_are_dropped_and_other_control_characters_are_escaped() {
    assert_eq!(tail(b"\x1b[2m\x1b[31mERROR\x1b[0m disk full\n"), "ERROR disk full");
    assert_eq!(tail(b"a\x07b\x1b]0;title\x07\n"), "a\\u{7}b\\u{1b}]0;title\\u{7}");
    assert_eq!(tail("a\u{202e}b\n".as_bytes()), "a\\u{202e}b");
}

#[test]
fn bytes_that_are_no_text_hide_no_line() {
    assert_eq!(tail(b"\xff\xfe\nno space left on device\n"), "\u{fffd}\u{fffd}\nno space left on device");
}
