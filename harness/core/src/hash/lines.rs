//! Reading line by line, with a limit to what a line may take.

use std::io::{self, BufRead, Read};

/// What [`read_line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    End,
    /// A line with its line feed.
    Whole,
    /// A line that the input's end ends.
    Open,
    /// A line beyond the limit, of which only the beginning was read.
    TooLong,
}

/// Replaces `line` with the next line, its line feed left out.
pub(super) fn read_line(input: &mut dyn BufRead, limit_bytes: u64, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let read = input.take(limit_bytes + 1).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Line::Whole);
    }
    Ok(match read as u64 {
        0 => Line::End,
        read if read > limit_bytes => Line::TooLong,
        _ => Line::Open,
    })
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
