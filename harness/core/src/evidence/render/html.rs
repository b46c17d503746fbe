//! `index.html`: the report page. It names every file of the bundle, needs no other file to be read, and runs no script.

use std::io::{self, Write};

use super::html_style::STYLE;
use super::junit::escaped;
use super::text::both;
use super::{Renderer, words};
use crate::check::Verdict;
use crate::evidence::document::{Checkout, Evidence, State, Times};
use crate::evidence::judged::{JudgedFinding, JudgedScenario, ScenarioOutcome, Seen};
use crate::evidence::layout;

/// So many findings of a scenario stand on the page; the others are in `evidence.json`.
const MAX_FINDINGS: usize = 20;

/// Writes the report page.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlRenderer<'a> {
    /// How long it all took, where that is to be shown.
    pub times: Option<&'a Times>,
}

impl Renderer for HtmlRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("{} · cutover {}", words::decision(evidence), evidence.run);
        writeln!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
        )?;
        writeln!(
            out,
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        )?;
        writeln!(
            out,
            "<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
            escaped(&title)
        )?;
        self.head(evidence, out)?;
        writeln!(out, "<main>")?;
        troubles(evidence, out)?;
        self.scenarios(evidence, out)?;
        self.known_bad(evidence, out)?;
        matrix(evidence, out)?;
        ledger(evidence, out)?;
        self.run(evidence, out)?;
        files(evidence, out)?;
        writeln!(
            out,
            "</main>\n<footer>Made by {} {}.</footer>",
            escaped(&evidence.tool.name),
            evidence.tool.version
        )?;
        writeln!(out, "</body>\n</html>")
    }
}

impl HtmlRenderer<'_> {
    fn head(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let decision = words::decision(evidence);
        let class = if decision == "ALLOW" { "good" } else { "bad" };
        writeln!(
            out,
            "<header class=\"page\">\n<h1>May the new lane replace the old one?</h1>"
        )?;
        writeln!(out, "<div class=\"verdict {class}\"><strong>{decision}</strong>")?;
        writeln!(out, "<p>{}.</p>", escaped(&words::headline(evidence)))?;
        let reasons = &evidence.judged.decision.reasons;
        if !reasons.is_empty() {
            let items: String = reasons
                .iter()
                .map(|reason| format!("<li>{}</li>", escaped(reason)))
                .collect();
            writeln!(out, "<ul>{items}</ul>")?;
        }
        writeln!(out, "</div>\n<nav aria-label=\"On this page\">")?;
        for (id, name, there) in sections(evidence) {
            if there {
                writeln!(out, "<a href=\"#{id}\">{name}</a>")?;
            }
        }
        writeln!(out, "</nav>\n</header>")
    }

    fn scenarios(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let heads = [
            "deliveries",
            "resumes",
            "refused",
            "faults fired",
            "duplicates suppressed",
            "time",
        ];
        let caption = "What the clients of each lane saw; legacy/candidate where they differ.";
        let mut honest = evidence
            .judged
            .scenarios
            .iter()
            .filter(|scenario| !scenario.known_bad())
            .peekable();
        if honest.peek().is_none() {
            return Ok(());
        }
        section("scenarios", "Scenarios", out)?;
        open_table(caption, "Scenarios", &["scenario", "outcome"], &heads, out)?;
        for scenario in honest {
            let counts: [fn(&Seen) -> u64; 5] = [
                |seen| seen.deliveries,
                |seen| seen.resumes,
                |seen| seen.refusals,
                |seen| seen.faults,
                |seen| seen.duplicates,
            ];
            write!(out, "{}<td>{}</td>", row_head(scenario), tag(scenario.outcome))?;
            for count in counts {
                write!(out, "<td class=\"num\">{}</td>", both(scenario, count))?;
            }
            writeln!(
                out,
                "<td class=\"num\">{}</td></tr>",
                words::elapsed(self.times, &scenario.name)
            )?;
        }
        close_table(out)
    }

    fn known_bad(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let mut bad = evidence
            .judged
            .scenarios
            .iter()
            .filter(|scenario| scenario.known_bad())
            .peekable();
        if bad.peek().is_none() {
            return Ok(());
        }
        section("known-bad", "Known-bad scenarios", out)?;
        let caption = "Each plants a defect in one lane. The gate is only to be trusted where each is caught with \
                       exactly the findings that it must give.";
        open_table(
            caption,
            "Known-bad scenarios",
            &["scenario", "outcome", "found"],
            &["time"],
            out,
        )?;
        for scenario in bad {
            let found = escaped(&words::finding_names(scenario));
            write!(
                out,
                "{}<td>{}</td><td>{found}</td>",
                row_head(scenario),
                tag(scenario.outcome)
            )?;
            writeln!(
                out,
                "<td class=\"num\">{}</td></tr>",
                words::elapsed(self.times, &scenario.name)
            )?;
        }
        close_table(out)
    }

    fn run(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        section("run", "The run", out)?;
        writeln!(out, "<dl>")?;
        let mut fact = |name: &str, value: &str| writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
        fact("run", &escaped(&evidence.run))?;
        fact("state", &escaped(&state(&evidence.state)))?;
        fact("seed", &format!("<span class=\"mono\">{}</span>", evidence.seed))?;
        if let Some(times) = self.times {
            let took = times
                .elapsed_ms
                .map(|ms| format!(", took {}", words::seconds(ms)))
                .unwrap_or_default();
            fact("started", &escaped(&format!("{}{took}", times.started)))?;
        }
        if let Some(lane) = evidence.aa {
            fact("kind", &format!("the {lane} lane against itself"))?;
        }
        for (lane, server) in &evidence.lanes {
            let version = server
                .version
                .as_deref()
                .map(|version| format!(", {version}"))
                .unwrap_or_default();
            fact(lane.as_str(), &escaped(&format!("{}{version}", server.what)))?;
        }
        if let Some(digest) = &evidence.module_digest {
            fact("module", &format!("<span class=\"mono\">{}</span>", escaped(digest)))?;
        }
        let built = evidence
            .tool
            .built_from
            .as_ref()
            .map(|from| format!(", built from {}", checkout(from)));
        fact(
            "tool",
            &format!(
                "{} {}{}",
                escaped(&evidence.tool.name),
                evidence.tool.version,
                built.unwrap_or_default()
            ),
        )?;
        if let Some(here) = &evidence.checkout {
            fact("checkout", &checkout(here))?;
        }
        fact(
            "command",
            &format!("<code>{}</code>", escaped(&evidence.command.join(" "))),
        )?;
        fact(
            "reproduce",
            &format!("<code>{}</code>", escaped(&words::reproduce_all(evidence))),
        )?;
        writeln!(out, "</dl>")
    }
}

/// The page's sections in order: id, name, and whether it is there.
fn sections(evidence: &Evidence) -> [(&'static str, &'static str, bool); 7] {
    let scenarios = &evidence.judged.scenarios;
    [
        ("wrong", "What is wrong", !words::troubled(evidence).is_empty()),
        (
            "scenarios",
            "Scenarios",
            scenarios.iter().any(|scenario| !scenario.known_bad()),
        ),
        (
            "known-bad",
            "Known-bad scenarios",
            scenarios.iter().any(JudgedScenario::known_bad),
        ),
        ("matrix", "Verification matrix", !evidence.judged.matrix.is_empty()),
        (
            "ledger",
            "Fault ledger",
            scenarios.iter().any(|scenario| !scenario.ledger.is_empty()),
        ),
        ("run", "The run", true),
        ("files", "Files, and how to recheck them", true),
    ]
}

fn section(id: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h2 id=\"{id}\">{name}</h2>")
}

/// A table that scrolls sideways by itself where the screen is narrow, by keyboard too.
fn open_table(caption: &str, label: &str, texts: &[&str], numbers: &[&str], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<p class=\"note\">{caption}</p>")?;
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table>"
    )?;
    write!(out, "<thead><tr>")?;
    texts
        .iter()
        .try_for_each(|head| write!(out, "<th scope=\"col\">{head}</th>"))?;
    numbers
        .iter()
        .try_for_each(|head| write!(out, "<th scope=\"col\" class=\"num\">{head}</th>"))?;
    writeln!(out, "</tr></thead>\n<tbody>")
}

fn close_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody></table></div>")
}

fn row_head(scenario: &JudgedScenario) -> String {
    let (name, title) = (escaped(&scenario.name), escaped(&scenario.title));
    format!("<tr><th scope=\"row\">{name}<span class=\"title\">{title}</span></th>")
}

fn tag(outcome: ScenarioOutcome) -> String {
    let class = match outcome {
        ScenarioOutcome::Passed | ScenarioOutcome::Caught => "good",
        ScenarioOutcome::Unknown => "open",
        ScenarioOutcome::Failed | ScenarioOutcome::Missed => "bad",
    };
    format!("<span class=\"tag {class}\">{}</span>", outcome.as_str())
}

fn troubles(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let troubled = words::troubled(evidence);
    if !troubled.is_empty() {
        section("wrong", "What is wrong", out)?;
    }
    for scenario in troubled {
        writeln!(out, "<h3>{} {}</h3>", escaped(&scenario.name), tag(scenario.outcome))?;
        for reason in &scenario.reasons {
            writeln!(out, "<p>{}</p>", escaped(reason))?;
        }
        for found in scenario.findings.iter().take(MAX_FINDINGS) {
            finding(scenario, found, out)?;
        }
        if let Some(more) = scenario
            .findings
            .len()
            .checked_sub(MAX_FINDINGS)
            .filter(|more| *more > 0)
        {
            let more = words::counted(more, "more finding", "more findings");
            writeln!(out, "<p>And {more} in <a href=\"evidence.json\">evidence.json</a>.</p>")?;
        }
        writeln!(
            out,
            "<p>Reproduce:</p>\n<pre>{}</pre>",
            escaped(&words::reproduce(evidence, scenario))
        )?;
    }
    Ok(())
}

fn finding(scenario: &JudgedScenario, finding: &JudgedFinding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"finding\"><h4>{}</h4>",
        escaped(&words::heading(&finding.finding))
    )?;
    writeln!(out, "<p>{}</p>", escaped(&finding.says))?;
    if !finding.shown_by.is_empty() {
        writeln!(out, "<ol>")?;
        for shown in &finding.shown_by {
            let (path, place) = (
                layout::history(&scenario.name, shown.lane),
                words::place(&scenario.name, shown),
            );
            let (path, place, says) = (escaped(&path), escaped(&place), escaped(&shown.record));
            writeln!(out, "<li><a class=\"mono\" href=\"{path}\">{place}</a><br>{says}</li>")?;
        }
        writeln!(out, "</ol>")?;
    }
    writeln!(out, "</div>")
}

fn matrix(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.judged.matrix.is_empty() {
        return Ok(());
    }
    section("matrix", "Verification matrix", out)?;
    let caption = if evidence.enforce_matrix {
        "What the gate has to prove. Every row has to be shown."
    } else {
        "What the gate has to prove before the old lane may go. Rows that are not shown do not block this run."
    };
    open_table(
        caption,
        "Verification matrix",
        &["row", "verdict", "shown by"],
        &[],
        out,
    )?;
    for row in &evidence.judged.matrix {
        let class = match row.verdict {
            Verdict::Valid => "good",
            Verdict::Unknown => "open",
            Verdict::Invalid => "bad",
        };
        let scenarios = if row.scenarios.is_empty() {
            "no scenario".to_owned()
        } else {
            row.scenarios.join(", ")
        };
        let (name, what) = (escaped(&row.row), escaped(&row.meaning));
        write!(
            out,
            "<tr><th scope=\"row\">{name}<span class=\"title\">{what}</span></th>"
        )?;
        writeln!(
            out,
            "<td><span class=\"tag {class}\">{}</span></td><td>{}</td></tr>",
            row.verdict,
            escaped(&scenarios)
        )?;
    }
    close_table(out)
}

fn ledger(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let scenarios = evidence
        .judged
        .scenarios
        .iter()
        .filter(|scenario| !scenario.ledger.is_empty());
    let faults: usize = scenarios.clone().map(|scenario| scenario.ledger.len()).sum();
    if faults == 0 {
        return Ok(());
    }
    section("ledger", "Fault ledger", out)?;
    let planned = words::counted(faults, "planned fault", "planned faults");
    writeln!(out, "<details><summary>{planned}, on each lane</summary>")?;
    let heads = ["scenario", "fault", "lane", "client", "first hit"];
    open_table(
        "Every fault that was planned must have fired, or the run proves nothing.",
        "Fault ledger",
        &heads,
        &["fired"],
        out,
    )?;
    for scenario in scenarios {
        for entry in &scenario.ledger {
            let hit = entry.hit.as_deref().map_or("never".to_owned(), escaped);
            let (name, fault) = (escaped(&scenario.name), escaped(entry.fault.as_str()));
            write!(
                out,
                "<tr><td>{name}</td><th scope=\"row\">{fault}</th><td>{}</td>",
                entry.lane
            )?;
            let client = escaped(entry.client.as_str());
            writeln!(
                out,
                "<td>{client}</td><td>{hit}</td><td class=\"num\">{}</td></tr>",
                entry.fired
            )?;
        }
    }
    close_table(out)?;
    writeln!(out, "</details>")
}

fn files(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    section("files", "Files, and how to recheck them", out)?;
    writeln!(
        out,
        "<p>The decision follows from the recorded histories alone. To compute it anew, without running "
    )?;
    writeln!(out, "anything, in this directory:</p>\n<pre>cutover recheck .</pre>")?;
    open_table(
        "What lies in this directory.",
        "Files",
        &["file", "what it is"],
        &[],
        out,
    )?;
    let fixed = [
        (
            layout::EVIDENCE,
            "who ran what with what, what was judged, and the digests that bind it",
        ),
        (layout::SUMMARY, "this page in short, as Markdown"),
        (layout::JUNIT, "the same as a test report, for a CI"),
        (layout::PAGE, "this page"),
        (
            layout::TIMES,
            "wall-clock times, neither digested nor judged; times/ has one for each record",
        ),
        ("scenarios/", "the scenarios as they were read"),
        ("plans/", "each scenario with all chance spent by the seed"),
        (
            "histories/",
            "what each lane's clients asked, saw and suffered, in order",
        ),
        ("vectors/", "the hashes of what each client applied"),
    ];
    for (path, what) in fixed {
        writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"{path}\">{path}</a></th><td>{what}</td></tr>"
        )?;
    }
    close_table(out)?;
    let count = words::counted(evidence.files.len(), "digested file", "digested files");
    writeln!(out, "<details><summary>{count}</summary>")?;
    open_table(
        "Length and SHA-256 of each.",
        "Digests",
        &["file", "digest"],
        &["bytes"],
        out,
    )?;
    for (path, entry) in &evidence.files {
        let (path, digest) = (escaped(path), escaped(&entry.digest));
        write!(
            out,
            "<tr><th scope=\"row\"><a href=\"{path}\">{path}</a></th><td class=\"hash mono\">{digest}</td>"
        )?;
        writeln!(out, "<td class=\"num\">{}</td></tr>", entry.bytes)?;
    }
    close_table(out)?;
    writeln!(out, "</details>")
}

fn state(state: &State) -> String {
    match state {
        State::Complete => "complete".to_owned(),
        State::InProgress => "in progress, or ended hard".to_owned(),
        State::Interrupted { by } => format!("interrupted by {by}"),
        State::Failed { why } => format!("could not go on: {why}"),
    }
}

fn checkout(checkout: &Checkout) -> String {
    let edited = if checkout.dirty { ", with edits" } else { "" };
    format!("<span class=\"mono\">{}</span>{edited}", escaped(&checkout.commit))
}
