//! The end of a server's log, fit to be printed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use cutover_core::text::{scrubbed, visible};

/// So much of a log's end is looked at, in bytes.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 8;
/// So much of a line is shown, in characters.
const LINE_CHARS: usize = 300;

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
mod tests;
