//! What is wrong, at a terminal: each cause once, and the decision with the worst of them in its last lines.

use std::io::{self, Write};

use super::printer::Printer;
use crate::evidence::report::model::{Cause, Finding, Report, Scenario};
use crate::evidence::report::words::more;
use crate::text::{Style, columns};

const MAX_CAUSES: usize = 8;
const MAX_FINDINGS: usize = 5;
const MAX_RECORDS: usize = 3;
const MAX_UNREPORTED: usize = 8;
/// So many lines of a witness stand with the decision, so that it fits a screen of 24 lines.
const MAX_WITNESS_LINES: usize = 3;

impl Printer<'_> {
    pub fn troubles(&mut self, report: &Report<'_>) -> io::Result<()> {
        for cause in report.causes.iter().take(MAX_CAUSES) {
            self.cause(report, cause)?;
        }
        if let Some(more) = more(report.causes.len(), MAX_CAUSES, "cause") {
            writeln!(self.out, "… and {more} in the page\n")?;
        }
        let unreported = report.unreported();
        for scenario in unreported.iter().take(MAX_UNREPORTED) {
            self.scenario(scenario)?;
        }
        let more: Vec<&str> = unreported.iter().skip(MAX_UNREPORTED).map(|scenario| scenario.name).collect();
        if !more.is_empty() {
            self.paragraph(0, &format!("… and {} in the page: {}", more.len(), more.join(", ")))?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn cause(&mut self, report: &Report<'_>, cause: &Cause<'_>) -> io::Result<()> {
        for (line, text) in self.wrapped(2, &cause.title).iter().enumerate() {
            let mark = if line == 0 { cause.tone.mark() } else { ' ' };
            self.out.line(cause.tone.into(), &format!("{mark} {text}"))?;
        }
        self.paragraph(2, &cause.extent)?;
        self.labelled("scenarios", &cause.scenarios)?;
        self.labelled("follows", &cause.consequences)?;
        self.labelled("not judged", &cause.not_judged)?;
        if let Some((scenario, finding)) = report.witness(cause) {
            self.labelled("witness", &format!("{}: {}", scenario.name, finding.says))?;
            self.records(finding)?;
            writeln!(self.out, "  reproduce: {}", scenario.reproduce)?;
        }
        writeln!(self.out)
    }

    fn scenario(&mut self, scenario: &Scenario<'_>) -> io::Result<()> {
        let heading = format!("{} {} {}", scenario.tone.mark(), scenario.name, scenario.outcome.as_str());
        self.out.line(scenario.tone.into(), &heading)?;
        for reason in scenario.reasons {
            self.paragraph(2, reason)?;
        }
        for finding in scenario.findings.iter().take(MAX_FINDINGS) {
            self.out.line(Style::Bold, &format!("  {}", finding.heading))?;
            self.paragraph(4, finding.says)?;
            self.records(finding)?;
        }
        if let Some(more) = more(scenario.findings.len(), MAX_FINDINGS, "finding") {
            writeln!(self.out, "  … and {more} in the bundle")?;
        }
        writeln!(self.out, "  reproduce: {}\n", scenario.reproduce)
    }

    fn records(&mut self, finding: &Finding<'_>) -> io::Result<()> {
        for record in finding.records.iter().take(MAX_RECORDS) {
            let place = format!("    {}", record.place);
            if columns(&place) + 2 + columns(record.says) <= self.width {
                self.out.styled(Style::Dim, &place)?;
                writeln!(self.out, "  {}", record.says)?;
            } else {
                self.out.line(Style::Dim, &place)?;
                self.paragraph(6, record.says)?;
            }
        }
        Ok(())
    }

    /// The worst of what is wrong: what the lane did, the best witness. Returns the command that reproduces it.
    pub fn worst<'r>(&mut self, report: &'r Report<'_>) -> io::Result<Option<&'r str>> {
        let Some(cause) = report.causes.first() else {
            let Some(scenario) = report.unreported().first().copied() else {
                return Ok(None);
            };
            let says = scenario.first.unwrap_or(scenario.outcome.as_str());
            self.paragraph(2, &format!("{}: {says}", scenario.name))?;
            return Ok(Some(&scenario.reproduce));
        };
        let above = more(report.causes.len(), 1, "cause").map(|more| format!("; {more} above"));
        for line in self.wrapped(2, &cause.title) {
            self.out.line(Style::Bold, &format!("  {line}"))?;
        }
        self.paragraph(2, &format!("{}{}", cause.extent, above.unwrap_or_default()))?;
        let Some((scenario, finding)) = report.witness(cause) else {
            return Ok(None);
        };
        self.hanging("witness", &format!("{}: {}", scenario.name, finding.says), MAX_WITNESS_LINES)?;
        if let Some(record) = finding.records.last() {
            self.out.line(Style::Dim, &format!("             {}", record.place))?;
            self.hanging("", record.says, MAX_WITNESS_LINES)?;
        }
        Ok(Some(&scenario.reproduce))
    }
}
