//! `summary.md`: what a CI shows on its summary page, and what is pasted into a review.

use std::io::{self, Write};

use super::format::{Format, Page};
use super::measured::{self, TIMES};
use super::model::{Cause, Finding, Report, Scenario};
use super::rows::{self, MATRIX};
use super::words::more;
use crate::text::{code, code_in_cell, markdown};

const MAX_FINDINGS: usize = 20;
const MAX_CAUSES: usize = 20;

pub const FORMAT: Format = Format {
    option: Some(("markdown", "Markdown, for the summary page of a CI")),
    page: Some(Page { path: "summary.md", about: "this page in short, as Markdown" }),
    at_terminal: false,
    print,
    repeated: None,
};

fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# cutover: {}\n\n{}.\n", report.title(), markdown(&report.headline))?;
    for reason in report.reasons {
        writeln!(out, "- {}", markdown(reason))?;
    }
    if !report.reasons.is_empty() {
        writeln!(out)?;
    }
    if !report.waived.is_empty() {
        writeln!(out, "The policy lets pass:\n")?;
        for waived in report.waived {
            writeln!(out, "- {}", markdown(waived))?;
        }
        writeln!(out)?;
    }
    facts(report, out)?;
    scenarios(report, out)?;
    known_bad(report, out)?;
    left_out(report, out)?;
    times(report, out)?;
    troubles(report, out)?;
    warnings(report, out)?;
    matrix(report, out)?;
    writeln!(
        out,
        "## Recheck\n\n`cutover recheck .` in this directory computes everything again, without running anything."
    )
}

fn facts(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| | |\n|---|---|")?;
    let seed = report.document.seed.to_string();
    let facts = [("seed", seed.as_str()), ("run", &report.document.run), ("decision", report.decision)];
    let lanes = report.lanes.iter().map(|(lane, server)| (*lane, server.as_str()));
    for (name, value) in facts.into_iter().chain(lanes) {
        writeln!(out, "| {name} | {} |", markdown(value))?;
    }
    writeln!(out, "| reproduce | {} |\n", code_in_cell(&report.reproduce))
}

fn scenarios(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let honest = report.honest();
    if honest.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Scenarios\n\nCounts are legacy/candidate where they differ.\n")?;
    writeln!(out, "| scenario | outcome | deliveries | resumes | refused | faults | duplicates | time |")?;
    writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|")?;
    for scenario in honest {
        let counts = &scenario.counts;
        let cells = [&counts.deliveries, &counts.resumes, &counts.refused, &counts.faults, &counts.duplicates];
        let cells = cells.map(String::as_str).join(" | ");
        writeln!(out, "| {} | {cells} | {} |", head(scenario), scenario.time())?;
    }
    writeln!(out)
}

fn known_bad(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let bad = report.known_bad();
    if bad.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Known-bad scenarios\n\nEach plants a defect and must be caught with exactly its findings.\n")?;
    writeln!(out, "| scenario | outcome | found | time |\n|---|---|---|--:|")?;
    for scenario in bad {
        writeln!(out, "| {} | {} | {} |", head(scenario), markdown(&scenario.found), scenario.time())?;
    }
    writeln!(out)
}

/// The first two cells of a scenario's row.
fn head(scenario: &Scenario<'_>) -> String {
    format!("{} | {} {}", markdown(scenario.name), scenario.tone.mark(), scenario.outcome.as_str())
}

fn left_out(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.left_out.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Left out\n\nThese scenarios can't run on these lanes, so they prove nothing.\n")?;
    for (reason, scenarios) in report.left_out_by_reason() {
        writeln!(out, "- {}: {}", markdown(reason), markdown(&scenarios.join(", ")))?;
    }
    writeln!(out)
}

fn troubles(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let unreported = report.unreported();
    if !report.causes.is_empty() || !unreported.is_empty() {
        writeln!(out, "## What is wrong\n")?;
    }
    for cause in report.causes.iter().take(MAX_CAUSES) {
        self::cause(report, cause, out)?;
    }
    if let Some(more) = more(report.causes.len(), MAX_CAUSES, "cause") {
        writeln!(out, "And {more} in `index.html`.\n")?;
    }
    unreported.iter().try_for_each(|scenario| alone(scenario, out))
}

fn cause(report: &Report<'_>, cause: &Cause<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}\n\n{}\n", markdown(&cause.title), markdown(&cause.extent))?;
    for (name, fact) in cause.facts() {
        writeln!(out, "- {name}: {}", markdown(fact))?;
    }
    let Some((scenario, witness)) = report.witness(cause) else {
        return writeln!(out);
    };
    finding(witness, out)?;
    writeln!(out, "\nReproduce: {}\n", code(&scenario.reproduce))
}

fn alone(scenario: &Scenario<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}: {}\n", markdown(scenario.name), scenario.outcome.as_str())?;
    for reason in scenario.reasons {
        writeln!(out, "{}\n", markdown(reason))?;
    }
    for found in scenario.findings.iter().take(MAX_FINDINGS) {
        finding(found, out)?;
    }
    if let Some(more) = more(scenario.findings.len(), MAX_FINDINGS, "finding") {
        writeln!(out, "- and {more} in `evidence.json`")?;
    }
    writeln!(out, "\nReproduce: {}\n", code(&scenario.reproduce))
}

fn finding(finding: &Finding<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "- **{}**: {}", markdown(&finding.heading), markdown(finding.says))?;
    for record in &finding.records {
        writeln!(out, "  - {}: {}", code(&record.place), markdown(record.says))?;
    }
    Ok(())
}

fn warnings(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let warnings = report.warnings();
    if warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Warnings\n\nThey decide nothing.\n")?;
    for (scenario, says) in warnings.iter().take(MAX_FINDINGS) {
        writeln!(out, "- {}: {}", markdown(scenario), markdown(says))?;
    }
    if let Some(more) = more(warnings.len(), MAX_FINDINGS, "warning") {
        writeln!(out, "- and {more} in `evidence.json`")?;
    }
    writeln!(out)
}

fn times(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.times.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Times\n\n{TIMES}\n\n{}\n", measured::markdown_table(&report.times))
}

fn matrix(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Verification matrix\n\n{MATRIX}\n\n{}\n", rows::markdown_table(&report.rows))
}
