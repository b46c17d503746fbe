//! `summary.md`: what a CI shows on its summary page, and what is pasted into a review.

use std::io::{self, Write};

use super::text::both;
use super::{Renderer, causes, words};
use crate::evidence::causes::{Cause, untold};
use crate::evidence::document::{Evidence, Times};
use crate::evidence::judged::{JudgedFinding, JudgedScenario, Seen};
use crate::text::{code, code_in_cell, markdown};

/// So many findings of a scenario are shown; the others are in the bundle.
const MAX_FINDINGS: usize = 20;
/// So many causes are told; the others are in the page.
const MAX_CAUSES: usize = 20;

/// Writes Markdown.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarkdownRenderer<'a> {
    /// How long it all took, where that is to be shown.
    pub times: Option<&'a Times>,
}

impl Renderer for MarkdownRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "# cutover: {}\n\n{}.\n",
            words::decision_and_rows(evidence),
            markdown(&words::headline(evidence))
        )?;
        for reason in &evidence.judged.decision.reasons {
            writeln!(out, "- {}", markdown(reason))?;
        }
        if !evidence.judged.decision.reasons.is_empty() {
            writeln!(out)?;
        }
        facts(evidence, out)?;
        self.scenarios(evidence, out)?;
        self.known_bad(evidence, out)?;
        left_out(evidence, out)?;
        troubles(evidence, out)?;
        warnings(evidence, out)?;
        matrix(evidence, out)?;
        writeln!(out, "## Recheck\n\nNothing is run again: `cutover recheck .` in this directory computes it all anew.")
    }
}

impl MarkdownRenderer<'_> {
    fn scenarios(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let mut honest = evidence.judged.scenarios.iter().filter(|scenario| !scenario.known_bad()).peekable();
        if honest.peek().is_none() {
            return Ok(());
        }
        writeln!(out, "## Scenarios\n\nCounts are legacy/candidate where they differ.\n")?;
        writeln!(out, "| scenario | outcome | deliveries | resumes | refused | faults | duplicates | time |")?;
        writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|")?;
        honest.try_for_each(|scenario| {
            let count = |of: fn(&Seen) -> u64| both(scenario, of);
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                markdown(&scenario.name),
                marked(scenario),
                count(|seen| seen.deliveries),
                count(|seen| seen.resumes),
                count(|seen| seen.refusals),
                count(|seen| seen.faults),
                count(|seen| seen.duplicates),
                words::elapsed(self.times, &scenario.name),
            )
        })?;
        writeln!(out)
    }

    fn known_bad(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let mut bad = evidence.judged.scenarios.iter().filter(|scenario| scenario.known_bad()).peekable();
        if bad.peek().is_none() {
            return Ok(());
        }
        writeln!(
            out,
            "## Known-bad scenarios\n\nEach plants a defect and must be caught with exactly its findings.\n"
        )?;
        writeln!(out, "| scenario | outcome | found | time |\n|---|---|---|--:|")?;
        bad.try_for_each(|scenario| {
            let found = markdown(&words::finding_names(scenario));
            let time = words::elapsed(self.times, &scenario.name);
            writeln!(out, "| {} | {} | {found} | {time} |", markdown(&scenario.name), marked(scenario))
        })?;
        writeln!(out)
    }
}

fn marked(scenario: &JudgedScenario) -> String {
    format!("{} {}", words::mark(scenario.outcome), words::outcome(scenario))
}

fn facts(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| | |\n|---|---|")?;
    let mut fact = |name: &str, value: &str| writeln!(out, "| {name} | {} |", markdown(value));
    fact("seed", &evidence.seed.to_string())?;
    fact("run", &evidence.run)?;
    fact("decision", words::decision_name(evidence))?;
    for (lane, server) in &evidence.lanes {
        fact(lane.as_str(), &words::lane_server(server))?;
    }
    writeln!(out, "| reproduce | {} |\n", code_in_cell(&words::reproduce_all(evidence)))
}

fn left_out(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.scope.left_out.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Left out\n\nThese lanes can't be put through them, so they show nothing.\n")?;
    for (reason, scenarios) in words::left_out(evidence) {
        writeln!(out, "- {}: {}", markdown(reason), markdown(&scenarios.join(", ")))?;
    }
    writeln!(out)
}

fn troubles(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let told = &evidence.judged.causes;
    let untold = untold(&evidence.judged.scenarios, told);
    if !told.is_empty() || !untold.is_empty() {
        writeln!(out, "## What is wrong\n")?;
    }
    for cause in told.iter().take(MAX_CAUSES) {
        self::cause(evidence, cause, out)?;
    }
    if let Some(more) = told.len().checked_sub(MAX_CAUSES).filter(|more| *more > 0) {
        let more = words::counted(more, "more cause", "more causes");
        writeln!(out, "And {more} in `index.html`.\n")?;
    }
    untold.iter().try_for_each(|scenario| alone(evidence, scenario, out))
}

fn cause(evidence: &Evidence, cause: &Cause, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}\n\n{}\n", markdown(&causes::title(cause)), markdown(&causes::extent(cause)))?;
    let facts = [
        ("scenarios", causes::scenarios(cause)),
        ("follows from it", causes::consequences(cause)),
        ("not judged because of it", causes::not_judged(cause)),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        writeln!(out, "- {name}: {}", markdown(fact))?;
    }
    let Some((scenario, witness)) = causes::witness(evidence, cause) else {
        return writeln!(out);
    };
    finding(scenario, witness, out)?;
    writeln!(out, "\nReproduce: {}\n", code(&words::reproduce(evidence, scenario)))
}

/// A scenario of which no cause tells.
fn alone(evidence: &Evidence, scenario: &JudgedScenario, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}: {}\n", markdown(&scenario.name), words::outcome(scenario))?;
    for reason in &scenario.reasons {
        writeln!(out, "{}\n", markdown(reason))?;
    }
    for found in scenario.findings.iter().take(MAX_FINDINGS) {
        finding(scenario, found, out)?;
    }
    if let Some(more) = words::more_findings(scenario, MAX_FINDINGS) {
        writeln!(out, "- and {more} in `evidence.json`")?;
    }
    writeln!(out, "\nReproduce: {}\n", code(&words::reproduce(evidence, scenario)))
}

fn finding(scenario: &JudgedScenario, finding: &JudgedFinding, out: &mut dyn Write) -> io::Result<()> {
    let (heading, says) = (words::heading(&finding.finding), markdown(&finding.says));
    writeln!(out, "- **{}**: {says}", markdown(&heading))?;
    for shown in &finding.shown_by {
        let place = words::place(&scenario.name, shown);
        writeln!(out, "  - {}: {}", code(&place), markdown(&shown.record))?;
    }
    Ok(())
}

fn warnings(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let count = words::warnings(evidence).count();
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "## Warnings\n\nThey decide nothing.\n")?;
    for (scenario, warning) in words::warnings(evidence).take(MAX_FINDINGS) {
        writeln!(out, "- {}: {}", markdown(&scenario.name), markdown(&warning.says))?;
    }
    if let Some(more) = count.checked_sub(MAX_FINDINGS).filter(|more| *more > 0) {
        let more = words::counted(more, "more warning", "more warnings");
        writeln!(out, "- and {more} in `evidence.json`")?;
    }
    writeln!(out)
}

fn matrix(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.judged.matrix.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Verification matrix\n\n| row | verdict | scenarios | why it is not shown |\n|---|---|---|---|")?;
    for row in &evidence.judged.matrix {
        let scenarios = if row.scenarios.is_empty() { "none".to_owned() } else { row.scenarios.join(", ") };
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            markdown(&row.row),
            row.verdict,
            markdown(&scenarios),
            markdown(&words::not_shown(evidence, row).unwrap_or_default())
        )?;
    }
    writeln!(out)
}
