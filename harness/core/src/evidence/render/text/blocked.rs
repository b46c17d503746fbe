//! What is wrong, at a terminal: each cause once, and the decision with the worst of them in its last lines.

use std::io::{self, Write};

use super::{Out, TextRenderer};
use crate::check::Verdict;
use crate::evidence::causes::{Cause, untold};
use crate::evidence::document::Evidence;
use crate::evidence::judged::{JudgedFinding, JudgedScenario, ScenarioOutcome};
use crate::evidence::layout;
use crate::evidence::render::causes;
use crate::evidence::render::table::columns;
use crate::evidence::render::words::{self, Tone};
use crate::text::{Style, quoted};

/// So many causes are told; the others are in the page.
const MAX_CAUSES: usize = 8;
/// So many findings of a scenario are shown; the others are in the bundle.
const MAX_FINDINGS: usize = 5;
/// So many records of a finding are shown.
const MAX_SHOWN: usize = 3;
/// So many scenarios of which no cause tells are shown in full; the others are named.
const MAX_UNTOLD: usize = 8;
/// So many reasons, and so many lines of a witness, stand with the decision, so that it fits a screen of 24 lines.
const MAX_REASONS: usize = 3;
const MAX_WITNESS_LINES: usize = 3;

impl TextRenderer<'_> {
    pub(super) fn troubles(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let told = &evidence.judged.causes;
        for cause in told.iter().take(MAX_CAUSES) {
            self.cause(evidence, cause, out)?;
        }
        if let Some(more) = told.len().checked_sub(MAX_CAUSES).filter(|more| *more > 0) {
            writeln!(out, "… and {} in the page\n", words::counted(more, "more cause", "more causes"))?;
        }
        let untold = untold(&evidence.judged.scenarios, told);
        for scenario in untold.iter().take(MAX_UNTOLD) {
            self.scenario(evidence, scenario, out)?;
        }
        let more: Vec<&str> = untold.iter().skip(MAX_UNTOLD).map(|scenario| scenario.name.as_str()).collect();
        if !more.is_empty() {
            self.paragraph(0, &format!("… and {} in the page: {}", more.len(), more.join(", ")), out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn cause(&self, evidence: &Evidence, cause: &Cause, out: &mut Out<'_>) -> io::Result<()> {
        let outcome = outcome_of(cause);
        for (line, text) in self.wrapped(2, &causes::title(cause)).iter().enumerate() {
            let mark = if line == 0 { words::mark(outcome) } else { ' ' };
            out.line(outcome.into(), &format!("{mark} {text}"))?;
        }
        self.paragraph(2, &causes::extent(cause), out)?;
        self.labelled("scenarios", &causes::scenarios(cause), out)?;
        self.labelled("follows", &causes::consequences(cause), out)?;
        self.labelled("not judged", &causes::not_judged(cause), out)?;
        if let Some((scenario, finding)) = causes::witness(evidence, cause) {
            self.labelled("witness", &format!("{}: {}", scenario.name, finding.says), out)?;
            self.records(scenario, finding, out)?;
            writeln!(out, "  reproduce: {}", words::reproduce(evidence, scenario))?;
        }
        writeln!(out)
    }

    fn scenario(&self, evidence: &Evidence, scenario: &JudgedScenario, out: &mut Out<'_>) -> io::Result<()> {
        let outcome = scenario.outcome;
        let heading = format!("{} {} {}", words::mark(outcome), scenario.name, outcome.as_str());
        out.line(outcome.into(), &heading)?;
        for reason in &scenario.reasons {
            self.paragraph(2, reason, out)?;
        }
        for finding in scenario.findings.iter().take(MAX_FINDINGS) {
            out.line(Style::Bold, &format!("  {}", words::heading(&finding.finding)))?;
            self.paragraph(4, &finding.says, out)?;
            self.records(scenario, finding, out)?;
        }
        if let Some(more) = words::more_findings(scenario, MAX_FINDINGS) {
            writeln!(out, "  … and {more} in the bundle")?;
        }
        writeln!(out, "  reproduce: {}\n", words::reproduce(evidence, scenario))
    }

    fn records(&self, scenario: &JudgedScenario, finding: &JudgedFinding, out: &mut Out<'_>) -> io::Result<()> {
        for shown in finding.shown_by.iter().take(MAX_SHOWN) {
            let place = words::place(&scenario.name, shown);
            if 4 + columns(&place) + 2 + columns(&shown.record) <= self.width {
                out.styled(Style::Dim, &format!("    {place}"))?;
                writeln!(out, "  {}", shown.record)?;
            } else {
                out.line(Style::Dim, &format!("    {place}"))?;
                self.paragraph(6, &shown.record, out)?;
            }
        }
        Ok(())
    }

    pub(super) fn decision(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let tone = words::tone(evidence);
        let head = words::decision_and_rows(evidence);
        let total = self.times.and_then(|times| times.elapsed_ms).map(|ms| format!(", in {}", words::seconds(ms)));
        let headline = format!("{}{}", words::headline(evidence), total.unwrap_or_default());
        // What blocks is told beside its word, to leave room for what is wrong.
        let beside = tone == Tone::Bad;
        let indent = if beside { columns(&head) + 2 } else { 2 };
        out.styled(tone.into(), &head)?;
        if !beside {
            writeln!(out)?;
        }
        for (line, text) in self.wrapped(indent, &headline).iter().enumerate() {
            match line {
                0 if beside => writeln!(out, "  {text}")?,
                _ => writeln!(out, "{:indent$}{text}", "")?,
            }
        }
        self.reasons(evidence, beside, out)?;
        let reproduced = if tone == Tone::Bad { self.worst(evidence, out)? } else { None };
        if let Some(bundle) = self.bundle {
            if tone != Tone::Good {
                writeln!(out, "  page       {bundle}/{}", layout::PAGE)?;
            }
            writeln!(out, "  evidence   {bundle}")?;
            let program = words::program(evidence);
            writeln!(out, "  recheck    {program} recheck {}", quoted(bundle))?;
        }
        if tone != Tone::Good {
            let again = reproduced.unwrap_or_else(|| words::reproduce_all(evidence));
            writeln!(out, "  reproduce  {again}")?;
        }
        Ok(())
    }

    fn reasons(&self, evidence: &Evidence, blocked: bool, out: &mut Out<'_>) -> io::Result<()> {
        let because = if blocked { "because " } else { "" };
        let reasons = &evidence.judged.decision.reasons;
        for reason in reasons.iter().take(MAX_REASONS) {
            self.paragraph(2, &format!("{because}{reason}"), out)?;
        }
        match reasons.len().saturating_sub(MAX_REASONS) {
            0 => Ok(()),
            more => writeln!(out, "  and {} in the page", words::counted(more, "more reason", "more reasons")),
        }
    }

    /// The worst of what is wrong: what the lane did, the best witness. Gives the command that reproduces it.
    fn worst(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<Option<String>> {
        let told = &evidence.judged.causes;
        let Some(cause) = told.first() else {
            let untold = untold(&evidence.judged.scenarios, told);
            let Some(scenario) = untold.first() else {
                return Ok(None);
            };
            let finding = scenario.principal().map(|finding| finding.says.as_str()).next();
            let says = scenario.reasons.first().map(String::as_str).or(finding);
            self.paragraph(2, &format!("{}: {}", scenario.name, says.unwrap_or(scenario.outcome.as_str())), out)?;
            return Ok(Some(words::reproduce(evidence, scenario)));
        };
        let more = match told.len() {
            1 => String::new(),
            2 => "; 1 more cause above".to_owned(),
            all => format!("; {} more causes above", all - 1),
        };
        for line in self.wrapped(2, &causes::title(cause)) {
            out.line(Style::Bold, &format!("  {line}"))?;
        }
        self.paragraph(2, &format!("{}{more}", causes::extent(cause)), out)?;
        let Some((scenario, finding)) = causes::witness(evidence, cause) else {
            return Ok(None);
        };
        let says = format!("{}: {}", scenario.name, finding.says);
        self.hanging("witness", &says, MAX_WITNESS_LINES, out)?;
        if let Some(shown) = finding.shown_by.last() {
            let place = words::place(&scenario.name, shown);
            out.line(Style::Dim, &format!("             {place}"))?;
            self.hanging("", &shown.record, MAX_WITNESS_LINES, out)?;
        }
        Ok(Some(words::reproduce(evidence, scenario)))
    }

    /// A label of 9 columns as the decision has them, and at most so many lines of text beside it.
    fn hanging(&self, label: &str, text: &str, most: usize, out: &mut Out<'_>) -> io::Result<()> {
        // Two columns are left for the mark of a text that goes on.
        let lines = self.wrapped(15, text);
        for (index, line) in lines.iter().take(most).enumerate() {
            let more = if index + 1 == most && lines.len() > most { " …" } else { "" };
            writeln!(out, "  {:<9}  {line}{more}", if index == 0 { label } else { "" })?;
        }
        Ok(())
    }
}

/// A cause in the colour of what it means for a scenario.
fn outcome_of(cause: &Cause) -> ScenarioOutcome {
    match cause.verdict {
        Verdict::Invalid => ScenarioOutcome::Failed,
        _ => ScenarioOutcome::Unknown,
    }
}
