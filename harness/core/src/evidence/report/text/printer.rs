//! Lines of text at a terminal's width.

use std::io::{self, Write};

use crate::evidence::judged::ScenarioOutcome;
use crate::evidence::report::model::{Report, Tone};
use crate::text::{Screen, Style, wrap};

pub struct Printer<'a> {
    pub out: Screen<&'a mut dyn Write>,
    pub width: usize,
}

impl<'a> Printer<'a> {
    pub fn new(report: &Report<'_>, out: &'a mut dyn Write) -> Printer<'a> {
        Printer { out: Screen::new(out, report.terminal.color), width: report.terminal.width }
    }

    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.out.line(Style::Bold, text)
    }

    pub fn wrapped(&self, indent: usize, text: &str) -> Vec<String> {
        wrap(text, self.width.saturating_sub(indent))
    }

    pub fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let lines = self.wrapped(indent, text);
        lines.iter().try_for_each(|line| writeln!(self.out, "{:indent$}{line}", ""))
    }

    /// A label of 14 columns, and text that hangs beside it; nothing where there is no text.
    pub fn labelled(&mut self, label: &str, text: &str) -> io::Result<()> {
        for (index, line) in self.wrapped(18, text).iter().enumerate() {
            writeln!(self.out, "  {:<14}  {line}", if index == 0 { label } else { "" })?;
        }
        Ok(())
    }

    /// A label of 9 columns as the decision has them, and at most so many lines of text beside it.
    pub fn hanging(&mut self, label: &str, text: &str, most: usize) -> io::Result<()> {
        // Two columns are left for the mark of a text that goes on.
        let lines = self.wrapped(15, text);
        for (index, line) in lines.iter().take(most).enumerate() {
            let more = if index + 1 == most && lines.len() > most { " …" } else { "" };
            writeln!(self.out, "  {:<9}  {line}{more}", if index == 0 { label } else { "" })?;
        }
        Ok(())
    }
}

impl From<Tone> for Style {
    fn from(tone: Tone) -> Style {
        match tone {
            Tone::Good => Style::Good,
            Tone::Open => Style::Open,
            Tone::Bad => Style::Bad,
        }
    }
}

impl From<ScenarioOutcome> for Style {
    fn from(outcome: ScenarioOutcome) -> Style {
        Tone::from(outcome).into()
    }
}

pub fn loud(tone: Tone) -> Style {
    match tone {
        Tone::Good => Style::Allow,
        Tone::Open => Style::Undecided,
        Tone::Bad => Style::Block,
    }
}
