//! A terminal, or a file that is read like one. Text from outside can't control it, and can't look like a line of this
//! tool.
#![allow(missing_docs, reason = "the names say it")]

use std::io::{self, Write};

use super::{scrubbed, written_out};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    /// What matters less.
    Dim,
    Good,
    /// What decides nothing.
    Open,
    Bad,
    Allow,
    Undecided,
    Block,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "0",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Bad => "31",
            Style::Good => "32",
            Style::Open => "33",
            Style::Block => "1;31",
            Style::Allow => "1;32",
            Style::Undecided => "1;33",
        }
    }
}

/// Writes text. It masks secrets and escapes every control character except the end of a line. Only [`Screen::styled`]
/// and [`Screen::clear_line`] control the terminal.
pub struct Screen<W> {
    out: W,
    color: bool,
}

impl<W: Write> Screen<W> {
    pub fn new(out: W, color: bool) -> Screen<W> {
        Screen { out, color }
    }

    pub fn styled(&mut self, style: Style, text: &str) -> io::Result<()> {
        if !self.color || style == Style::Plain {
            return self.write_all(text.as_bytes());
        }
        write!(self.out, "\x1b[{}m", style.code())?;
        self.write_all(text.as_bytes())?;
        write!(self.out, "\x1b[0m")
    }

    pub fn line(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.styled(style, text)?;
        self.out.write_all(b"\n")
    }

    /// Goes back to the beginning of the line, and empties it.
    pub fn clear_line(&mut self) -> io::Result<()> {
        self.out.write_all(b"\r\x1b[K")
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            let text = scrubbed(chunk.valid());
            self.out.write_all(written_out(&text, |c| c == '\n').as_bytes())?;
            for byte in chunk.invalid() {
                write!(self.out, "\\x{byte:02x}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
