//! What is wrong, on the page: each cause once, and the scenarios one by one where they can be folded out.

use std::io::{self, Write};

use super::parts::{section, tag};
use crate::check::Verdict;
use crate::evidence::causes::{Cause, untold};
use crate::evidence::document::Evidence;
use crate::evidence::judged::{JudgedFinding, JudgedScenario};
use crate::evidence::layout;
use crate::evidence::render::{causes, words};
use crate::text::html;

/// So many findings of a scenario stand on the page; the others are in `evidence.json`.
const MAX_FINDINGS: usize = 10;
/// So many causes stand on the page unfolded.
const MAX_OPEN: usize = 5;
/// So many scenarios of which no cause tells stand on the page unfolded.
const MAX_UNTOLD: usize = 5;

pub(super) fn troubles(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let troubled = words::troubled(evidence);
    if troubled.is_empty() {
        return Ok(());
    }
    section("wrong", "What is wrong", out)?;
    let told = &evidence.judged.causes;
    for (place, cause) in told.iter().enumerate() {
        self::cause(evidence, cause, place < MAX_OPEN, out)?;
    }
    let untold = untold(&evidence.judged.scenarios, told);
    for scenario in untold.iter().take(MAX_UNTOLD) {
        writeln!(out, "<h3>{} {}</h3>", html(&scenario.name), tag(scenario.outcome))?;
        details(evidence, scenario, out)?;
    }
    let count = words::counted(
        troubled.len(),
        "scenario that is not as it should be",
        "scenarios that are not as they should be",
    );
    writeln!(out, "<details><summary>{count}, one by one</summary>")?;
    for scenario in troubled {
        let (name, tag) = (html(&scenario.name), tag(scenario.outcome));
        let findings = words::counted(scenario.findings.len(), "finding", "findings");
        writeln!(out, "<details class=\"one\"><summary>{name} {tag} {findings}</summary>")?;
        details(evidence, scenario, out)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</details>")
}

fn cause(evidence: &Evidence, cause: &Cause, open: bool, out: &mut dyn Write) -> io::Result<()> {
    let class = match cause.verdict {
        Verdict::Invalid => "bad",
        _ => "open",
    };
    let (title, extent) = (html(&causes::title(cause)), html(&causes::extent(cause)));
    let open = if open { " open" } else { "" };
    writeln!(
        out,
        "<details class=\"cause\"{open}><summary><strong>{title}</strong> <span class=\"tag {class}\">{}</span><br>{extent}</summary>",
        cause.verdict
    )?;
    if let Some((scenario, witness)) = causes::witness(evidence, cause) {
        finding(scenario, witness, out)?;
        writeln!(out, "<p>Reproduce:</p>\n<pre>{}</pre>", html(&words::reproduce(evidence, scenario)))?;
    }
    let facts = [
        ("scenarios", causes::scenarios(cause)),
        ("follows from it", causes::consequences(cause)),
        ("not judged because of it", causes::not_judged(cause)),
    ];
    writeln!(out, "<dl>")?;
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", html(fact))?;
    }
    writeln!(out, "</dl>\n</details>")
}

/// A scenario's reasons and findings, and the command that runs it again.
fn details(evidence: &Evidence, scenario: &JudgedScenario, out: &mut dyn Write) -> io::Result<()> {
    for reason in &scenario.reasons {
        writeln!(out, "<p>{}</p>", html(reason))?;
    }
    for found in scenario.findings.iter().take(MAX_FINDINGS) {
        finding(scenario, found, out)?;
    }
    if let Some(more) = words::more_findings(scenario, MAX_FINDINGS) {
        writeln!(out, "<p>And {more} in <a href=\"evidence.json\">evidence.json</a>.</p>")?;
    }
    let again = html(&words::reproduce(evidence, scenario));
    writeln!(out, "<p>Reproduce:</p>\n<pre>{again}</pre>")
}

fn finding(scenario: &JudgedScenario, finding: &JudgedFinding, out: &mut dyn Write) -> io::Result<()> {
    let heading = html(&words::heading(&finding.finding));
    writeln!(out, "<div class=\"finding\"><h4>{heading}</h4>")?;
    writeln!(out, "<p>{}</p>", html(&finding.says))?;
    if !finding.shown_by.is_empty() {
        writeln!(out, "<ol>")?;
        for shown in &finding.shown_by {
            let path = html(&layout::history(&scenario.name, shown.lane));
            let (place, says) = (html(&words::place(&scenario.name, shown)), html(&shown.record));
            writeln!(out, "<li><a class=\"mono\" href=\"{path}\">{place}</a><br>{says}</li>")?;
        }
        writeln!(out, "</ol>")?;
    }
    writeln!(out, "</div>")
}
