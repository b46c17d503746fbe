//! The end of a server's log, fit to be printed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use cutover_core::text::{scrubbed, visible};

/// So much of a log's end is looked at, in bytes.
const TAIL_BYTES: u64 = 16 * 1024;
/// So many of its last lines are shown.
const TAIL_LINES: usize = 8;
/// So much of a line is shown, in characters.
const LINE_CHARS: usize = 300;

/// The last lines of a log; empty where there are none.
pub(super) fn tail_of(log: &Path) -> String {
    let Ok(bytes) = read_end(log) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(plain).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn read_end(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A line without colours and secrets, cut where it is long.
fn plain(line: &str) -> String {
    let mut pieces = line.trim_end().split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A colour: parameters, and a letter.
        let letter = piece.find(|c| ('@'..='~').contains(&c));
        plain.push_str(letter.and_then(|at| piece.get(at + 1..)).unwrap_or_default());
    }
    let shown = visible(&scrubbed(&plain.replace('\t', " ")));
    match shown.char_indices().nth(LINE_CHARS) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            tail(b"\xff\xfe\nno space left on device\n"),
            "\u{fffd}\u{fffd}\nno space left on device"
        );
    }
}
