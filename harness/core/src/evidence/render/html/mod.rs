//! `index.html`: the report page. It names every file of the bundle, needs no other file to be read, and runs no script.

mod parts;
mod style;
mod wrong;

use std::io::{self, Write};

use parts::{close_table, files, ledger, left_out, matrix, open_table, row_head, section, tag, warnings};
use style::STYLE;
use wrong::troubles;

use super::Renderer;
use super::text::both;
use super::words::{self, Tone};
use crate::evidence::document::{Checkout, Evidence, State, Times};
use crate::evidence::judged::{JudgedScenario, Seen};
use crate::text::html;

/// Writes the report page.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlRenderer<'a> {
    /// How long it all took, where that is to be shown.
    pub times: Option<&'a Times>,
}

impl Renderer for HtmlRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("{} · cutover {}", words::decision(evidence), evidence.run);
        writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(out, "<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>", html(&title))?;
        self.head(evidence, out)?;
        writeln!(out, "<main>")?;
        troubles(evidence, out)?;
        warnings(evidence, out)?;
        self.scenarios(evidence, out)?;
        self.known_bad(evidence, out)?;
        left_out(evidence, out)?;
        matrix(evidence, out)?;
        ledger(evidence, self.times, out)?;
        self.run(evidence, out)?;
        files(evidence, out)?;
        writeln!(
            out,
            "</main>\n<footer>Made by {} {}.</footer>",
            html(&evidence.tool.name),
            html(&evidence.tool.version)
        )?;
        writeln!(out, "</body>\n</html>")
    }
}

impl HtmlRenderer<'_> {
    fn head(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let decision = words::decision(evidence);
        let class = match words::tone(evidence) {
            Tone::Good => "good",
            Tone::Open => "open",
            Tone::Bad => "bad",
        };
        let rows = words::rows_shown(evidence);
        writeln!(out, "<header class=\"page\">\n<h1>May the new lane replace the old one?</h1>")?;
        writeln!(out, "<div class=\"verdict {class}\"><strong>{decision}</strong>")?;
        writeln!(out, "<p class=\"rows\">{rows}</p>\n<p>{}.</p>", html(&words::headline(evidence)))?;
        let reasons = &evidence.judged.decision.reasons;
        if !reasons.is_empty() {
            let items: String = reasons.iter().map(|reason| format!("<li>{}</li>", html(reason))).collect();
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
        let heads = ["deliveries", "resumes", "refused", "faults fired", "duplicates suppressed", "time"];
        let caption = "What the clients of each lane saw; legacy/candidate where they differ.";
        let mut honest = evidence.judged.scenarios.iter().filter(|scenario| !scenario.known_bad()).peekable();
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
            writeln!(out, "<td class=\"num\">{}</td></tr>", words::elapsed(self.times, &scenario.name))?;
        }
        close_table(out)
    }

    fn known_bad(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let mut bad = evidence.judged.scenarios.iter().filter(|scenario| scenario.known_bad()).peekable();
        if bad.peek().is_none() {
            return Ok(());
        }
        section("known-bad", "Known-bad scenarios", out)?;
        let caption = "Each plants a defect in one lane. The gate is only to be trusted where each is caught with \
                       exactly the findings that it must give.";
        open_table(caption, "Known-bad scenarios", &["scenario", "outcome", "found"], &["time"], out)?;
        for scenario in bad {
            let found = html(&words::finding_names(scenario));
            write!(out, "{}<td>{}</td><td>{found}</td>", row_head(scenario), tag(scenario.outcome))?;
            writeln!(out, "<td class=\"num\">{}</td></tr>", words::elapsed(self.times, &scenario.name))?;
        }
        close_table(out)
    }

    fn run(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        section("run", "The run", out)?;
        writeln!(out, "<dl>")?;
        let mut fact = |name: &str, value: &str| writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
        fact("run", &html(&evidence.run))?;
        fact("state", &html(&state(&evidence.state)))?;
        fact("seed", &format!("<span class=\"mono\">{}</span>", evidence.seed))?;
        if let Some(times) = self.times {
            let took = times.elapsed_ms.map(|ms| format!(", took {}", words::seconds(ms))).unwrap_or_default();
            fact("started", &html(&format!("{}{took}", times.started)))?;
        }
        if let Some(lane) = evidence.scope.aa {
            fact("kind", &format!("the {lane} lane against itself"))?;
        }
        for (lane, server) in &evidence.lanes {
            fact(lane.as_str(), &html(&words::lane_server(server)))?;
        }
        if let Some(url) = &evidence.toxiproxy {
            fact("byte toxics", &html(&format!("in the Toxiproxy at {url}")))?;
        }
        if evidence.scope.no_faults {
            fact("faults", "left out, with all toxics: this run decides nothing about a release")?;
        }
        if let Some(digest) = &evidence.module_digest {
            fact("module", &format!("<span class=\"mono\">{}</span>", html(digest)))?;
        }
        let built = evidence.tool.built_from.as_ref().map(|from| format!(", built from {}", checkout(from)));
        fact(
            "tool",
            &format!("{} {}{}", html(&evidence.tool.name), html(&evidence.tool.version), built.unwrap_or_default()),
        )?;
        if let Some(here) = &evidence.checkout {
            fact("checkout", &checkout(here))?;
        }
        fact("command", &format!("<code>{}</code>", html(&evidence.command.join(" "))))?;
        fact("reproduce", &format!("<code>{}</code>", html(&words::reproduce_all(evidence))))?;
        writeln!(out, "</dl>")
    }
}

/// The page's sections in order: id, name, and whether it is there.
fn sections(evidence: &Evidence) -> [(&'static str, &'static str, bool); 9] {
    let scenarios = &evidence.judged.scenarios;
    [
        ("wrong", "What is wrong", !words::troubled(evidence).is_empty()),
        ("warnings", "Warnings", words::warnings(evidence).next().is_some()),
        ("scenarios", "Scenarios", scenarios.iter().any(|scenario| !scenario.known_bad())),
        ("known-bad", "Known-bad scenarios", scenarios.iter().any(JudgedScenario::known_bad)),
        ("left-out", "Left out", !evidence.scope.left_out.is_empty()),
        ("matrix", "Verification matrix", !evidence.judged.matrix.is_empty()),
        ("ledger", "Fault ledger", scenarios.iter().any(|scenario| !scenario.ledger.is_empty())),
        ("run", "The run", true),
        ("files", "Files, and how to recheck them", true),
    ]
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
    format!("<span class=\"mono\">{}</span>{edited}", html(&checkout.commit))
}
