//! Standard output and standard error, and who reads them: a terminal or something else. The reader may go away.
//!
//! All text goes through a [`Screen`]; only documents for programs go out as they are.

use std::io::{self, IsTerminal, Write};

use cutover_core::evidence::report::Terminal;
use cutover_core::text::Screen;

use crate::exit::Failure;

/// Standard output. It drops what is written once its reader has gone: `cutover gate | head` still has to finish its
/// work and exit with its decision.
pub struct Stdout {
    inner: io::BufWriter<io::Stdout>,
    gone: bool,
}

impl Stdout {
    pub fn new() -> Stdout {
        Stdout { inner: io::BufWriter::new(io::stdout()), gone: false }
    }

    /// Writes text for people, and a newline after it where it has none.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.print(|out| {
            Screen::new(&mut *out, false).write_all(text.as_bytes())?;
            out.write_all(end.as_bytes())
        })
    }

    pub fn exact(&mut self, text: &str) -> Result<(), Failure> {
        self.print(|out| out.write_all(text.as_bytes()))
    }

    pub fn print(&mut self, write: impl FnOnce(&mut Stdout) -> io::Result<()>) -> Result<(), Failure> {
        write(self).and_then(|()| self.flush()).map_err(|error| Failure::unprintable(&error))
    }

    fn unless_gone(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            other => other,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.gone {
            let result = self.inner.write_all(bytes);
            self.unless_gone(result)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let result = self.inner.flush();
        self.unless_gone(result)
    }
}

/// Writes a line of text to stderr. Where that fails, the line is lost and nothing else.
pub fn note(text: &str) {
    let _ = writeln!(Screen::new(io::stderr().lock(), false), "{text}");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    pub width: usize,
    /// Whether lines may be redrawn in place.
    pub live: bool,
    pub color: bool,
}

/// Columns where the number is not known.
const PLAIN_WIDTH: usize = 80;
/// Lines get no longer than this, however wide the terminal.
const MAX_WIDTH: usize = 200;

impl Audience {
    pub fn of_stdout() -> Audience {
        Audience::new(io::stdout().is_terminal())
    }

    pub fn of_stderr() -> Audience {
        Audience::new(io::stderr().is_terminal())
    }

    pub fn terminal(self, bundle: &str) -> Terminal<'_> {
        Terminal { width: self.width, color: self.color, bundle: Some(bundle) }
    }

    fn new(terminal: bool) -> Audience {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = terminal && !dumb && !set("CI");
        Audience { width: width(terminal), live, color: live && !set("NO_COLOR") }
    }
}

/// `COLUMNS` where it is set, else the terminal's width, within what can be read.
fn width(terminal: bool) -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse::<usize>().ok();
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let found = columns().or_else(|| if terminal { measured() } else { None });
    found.unwrap_or(PLAIN_WIDTH).clamp(40, MAX_WIDTH)
}
