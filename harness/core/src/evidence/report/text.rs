//! For people at a terminal: tables, findings with their witnesses, and the decision last. Fits 80 columns, uses 200
//! well.

mod blocked;
mod printer;
mod repeat;

use std::io::{self, Write};

use printer::{Printer, loud};

use super::format::Format;
use super::html;
use super::measured;
use super::model::{Report, Scenario, Tone};
use super::rows;
use super::words::{counted, more};
use crate::evidence::document::State;
use crate::text::Align::{self, Left, Right};
use crate::text::{Style, Table, columns, quoted};

/// From this width on, a scenario's title stands beside it.
const WIDE: usize = 132;
const MAX_WARNINGS: usize = 5;
/// So many reasons stand with the decision, so that it fits a screen of 24 lines.
const MAX_REASONS: usize = 3;

pub const FORMAT: Format = Format {
    option: Some(("text", "Text for people")),
    page: None,
    at_terminal: true,
    print,
    repeated: Some(repeat::print),
};

type Column = (&'static str, Align, fn(&Scenario<'_>) -> String);

fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut printer = Printer::new(report, out);
    printer.scenarios(report)?;
    printer.known_bad(report)?;
    printer.left_out(report)?;
    printer.times(report)?;
    printer.troubles(report)?;
    printer.warnings(report)?;
    // A run that drove nothing has nothing to say of any row.
    if !report.scenarios.is_empty() || report.document.state == State::Complete {
        printer.matrix(report)?;
    }
    printer.decision(report)
}

impl Printer<'_> {
    fn scenarios(&mut self, report: &Report<'_>) -> io::Result<()> {
        let wide = self.width >= WIDE;
        let mut columns: Vec<Column> = vec![
            ("scenario", Left, |scenario| scenario.name.to_owned()),
            ("outcome", Left, |scenario| scenario.outcome.as_str().to_owned()),
            ("deliveries", Right, |scenario| scenario.counts.deliveries.clone()),
            ("resumes", Right, |scenario| scenario.counts.resumes.clone()),
            ("faults", Right, |scenario| scenario.counts.faults.clone()),
            (if wide { "duplicates" } else { "dups" }, Right, |scenario| scenario.counts.duplicates.clone()),
            ("time", Right, |scenario| scenario.time()),
        ];
        if wide {
            columns.push(("refused", Right, |scenario| scenario.counts.refused.clone()));
            columns.push(("what it shows", Left, |scenario| scenario.title.to_owned()));
        }
        let heading = "Scenarios (legacy/candidate where they differ)";
        self.table(heading, &columns, if wide { 8 } else { 0 }, &report.honest())
    }

    fn known_bad(&mut self, report: &Report<'_>) -> io::Result<()> {
        let wide = self.width >= WIDE;
        let mut columns: Vec<Column> = vec![
            ("scenario", Left, |scenario| scenario.name.to_owned()),
            ("outcome", Left, |scenario| scenario.outcome.as_str().to_owned()),
            ("lane", Left, |scenario| scenario.lane.to_owned()),
            ("time", Right, |scenario| scenario.time()),
            ("found", Left, |scenario| scenario.found.clone()),
        ];
        if wide {
            columns.push(("what it shows", Left, |scenario| scenario.title.to_owned()));
        }
        let heading = "Known-bad scenarios, each to be caught with exactly its findings";
        self.table(heading, &columns, columns.len() - 1, &report.known_bad())
    }

    /// A table of scenarios, each coloured by its outcome where that is not a good one.
    fn table(
        &mut self,
        heading: &str,
        columns: &[Column],
        gives_way: usize,
        scenarios: &[&Scenario<'_>],
    ) -> io::Result<()> {
        if scenarios.is_empty() {
            return Ok(());
        }
        let heads: Vec<_> = columns.iter().map(|(head, align, _)| (*head, *align)).collect();
        let mut table = Table::new(&heads, gives_way);
        for scenario in scenarios {
            table.row(columns.iter().map(|(_, _, cell)| cell(scenario)).collect());
        }
        self.heading(heading)?;
        let styles = scenarios.iter().map(|scenario| match scenario.tone {
            Tone::Good => Style::Plain,
            tone => tone.into(),
        });
        let lines = table.lines(self.width);
        for (line, style) in lines.iter().zip(std::iter::once(Style::Dim).chain(styles)) {
            self.out.line(style, line)?;
        }
        writeln!(self.out)
    }

    fn left_out(&mut self, report: &Report<'_>) -> io::Result<()> {
        if report.left_out.is_empty() {
            return Ok(());
        }
        let count = counted(report.left_out.len(), "scenario");
        self.heading(&format!("Left out: {count} that can't run on these lanes"))?;
        for (reason, scenarios) in report.left_out_by_reason() {
            self.paragraph(2, reason)?;
            self.paragraph(4, &scenarios.join(", "))?;
        }
        writeln!(self.out)
    }

    fn times(&mut self, report: &Report<'_>) -> io::Result<()> {
        if report.times.is_empty() {
            return Ok(());
        }
        self.heading("Times in ms, with intervals of 95 %")?;
        for line in measured::table(&report.times, self.width >= WIDE).lines(self.width) {
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out)
    }

    fn warnings(&mut self, report: &Report<'_>) -> io::Result<()> {
        let warnings = report.warnings();
        if warnings.is_empty() {
            return Ok(());
        }
        self.heading("Warnings (they decide nothing)")?;
        for (scenario, says) in warnings.iter().take(MAX_WARNINGS) {
            self.paragraph(2, &format!("{scenario}: {says}"))?;
        }
        if let Some(more) = more(warnings.len(), MAX_WARNINGS, "warning") {
            writeln!(self.out, "  … and {more} in the bundle")?;
        }
        writeln!(self.out)
    }

    fn matrix(&mut self, report: &Report<'_>) -> io::Result<()> {
        if report.rows.is_empty() {
            return Ok(());
        }
        self.heading("Verification matrix")?;
        for line in rows::table(&report.rows).lines(self.width) {
            writeln!(self.out, "{line}")?;
        }
        for (why_not, rows) in rows::reasons(&report.rows) {
            self.paragraph(2, &format!("{}: {why_not}", rows.join(", ")))?;
        }
        writeln!(self.out)
    }

    fn decision(&mut self, report: &Report<'_>) -> io::Result<()> {
        let head = report.title();
        let total = report.elapsed.as_ref().map(|elapsed| format!(", in {elapsed}"));
        let headline = format!("{}{}", report.headline, total.unwrap_or_default());
        // What blocks stands beside its word, to leave room for what is wrong.
        let blocks = report.tone == Tone::Bad;
        let indent = if blocks { columns(&head) + 2 } else { 2 };
        self.out.styled(loud(report.tone), &head)?;
        if !blocks {
            writeln!(self.out)?;
        }
        for (line, text) in self.wrapped(indent, &headline).iter().enumerate() {
            match line {
                0 if blocks => writeln!(self.out, "  {text}")?,
                _ => writeln!(self.out, "{:indent$}{text}", "")?,
            }
        }
        let because = if blocks { "because " } else { "" };
        for reason in report.reasons.iter().take(MAX_REASONS) {
            self.paragraph(2, &format!("{because}{reason}"))?;
        }
        if let Some(more) = more(report.reasons.len(), MAX_REASONS, "reason") {
            writeln!(self.out, "  and {more} in the page")?;
        }
        if !report.waived.is_empty() {
            writeln!(self.out, "  let pass by the policy:")?;
        }
        for waived in report.waived {
            self.paragraph(4, waived)?;
        }
        let reproduced = if blocks { self.worst(report)? } else { None };
        let decides = report.tone == Tone::Good;
        if let Some(bundle) = report.terminal.bundle {
            if let Some(page) = html::FORMAT.page.filter(|_| !decides) {
                writeln!(self.out, "  page       {bundle}/{}", page.path)?;
            }
            writeln!(self.out, "  evidence   {bundle}")?;
            writeln!(self.out, "  recheck    {} recheck {}", report.program, quoted(bundle))?;
        }
        if !decides {
            writeln!(self.out, "  reproduce  {}", reproduced.unwrap_or(&report.reproduce))?;
        }
        Ok(())
    }
}
