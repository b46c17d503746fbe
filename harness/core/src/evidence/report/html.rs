//! `index.html`: the report page. It names every file of the bundle, needs no other file to be read, and runs no
//! script.

use std::io::{self, Write};

use super::format::{Format, Page};
use super::measured::{self, TIMES};
use super::model::{Cause, Finding, Report, Scenario, Tone};
use super::rows::{HEADS, MATRIX};
use super::run::Piece;
use super::words::{counted, more};
use crate::evidence::layout;
use crate::text::html;

const STYLE: &str = include_str!("html/style.css");
const MAX_FINDINGS: usize = 10;
const MAX_OPEN: usize = 5;
const MAX_WARNINGS: usize = 20;

pub const FORMAT: Format = Format {
    option: None,
    page: Some(Page { path: "index.html", about: "this page" }),
    at_terminal: false,
    print,
    repeated: None,
};

type Section = (&'static str, &'static str, fn(&Report<'_>) -> String);

/// The page's sections in order: id, name, and how its body is written. One with nothing to show is left out.
const SECTIONS: [Section; 10] = [
    ("wrong", "What is wrong", troubles),
    ("warnings", "Warnings", warnings),
    ("scenarios", "Scenarios", scenarios),
    ("known-bad", "Known-bad scenarios", known_bad),
    ("left-out", "Left out", left_out),
    ("times", "Times", times),
    ("matrix", "Verification matrix", matrix),
    ("ledger", "Fault ledger", ledger),
    ("run", "The run", run),
    ("files", "Files, and how to recheck them", files),
];

fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let sections = SECTIONS.map(|(id, name, body)| (id, name, body(report)));
    let sections = || sections.iter().filter(|(_, _, body)| !body.is_empty());
    let title = html(&format!("{} · cutover {}", report.word, report.document.run));
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<header class=\"page\">\n<h1>May the candidate lane replace the legacy lane?</h1>")?;
    writeln!(out, "<div class=\"verdict {}\"><strong>{}</strong>", class(report.tone), report.word)?;
    writeln!(out, "<p class=\"rows\">{}</p>\n<p>{}.</p>", report.rows_shown, html(&report.headline))?;
    if !report.reasons.is_empty() {
        let items: String = report.reasons.iter().map(|reason| format!("<li>{}</li>", html(reason))).collect();
        writeln!(out, "<ul>{items}</ul>")?;
    }
    if !report.waived.is_empty() {
        let items: String = report.waived.iter().map(|waived| format!("<li>{}</li>", html(waived))).collect();
        writeln!(out, "<p>The policy lets pass:</p>\n<ul>{items}</ul>")?;
    }
    writeln!(out, "</div>\n<nav aria-label=\"On this page\">")?;
    for (id, name, _) in sections() {
        writeln!(out, "<a href=\"#{id}\">{name}</a>")?;
    }
    writeln!(out, "</nav>\n</header>\n<main>")?;
    for (id, name, body) in sections() {
        write!(out, "<h2 id=\"{id}\">{name}</h2>\n{body}")?;
    }
    let tool = &report.document.tool;
    writeln!(out, "</main>\n<footer>Made by {} {}.</footer>", html(&tool.name), html(&tool.version))?;
    writeln!(out, "</body>\n</html>")
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Open => "open",
        Tone::Bad => "bad",
    }
}

fn tag(tone: Tone, says: impl std::fmt::Display) -> String {
    format!("<span class=\"tag {}\">{says}</span>", class(tone))
}

/// A table that scrolls sideways by itself where the screen is narrow, by keyboard too.
fn table(caption: &str, label: &str, texts: &[&str], numbers: &[&str], rows: impl Iterator<Item = String>) -> String {
    let texts: String = texts.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let numbers: String = numbers.iter().map(|head| format!("<th scope=\"col\" class=\"num\">{head}</th>")).collect();
    let rows: String = rows.map(|cells| format!("<tr>{cells}</tr>\n")).collect();
    format!(
        "<p class=\"note\">{caption}</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table>\n\
         <thead><tr>{texts}{numbers}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn cell(text: &str) -> String {
    format!("<td>{}</td>", html(text))
}

fn number(text: &str) -> String {
    format!("<td class=\"num\">{text}</td>")
}

fn row_head(name: &str, title: &str) -> String {
    format!("<th scope=\"row\">{}<span class=\"title\">{}</span></th>", html(name), html(title))
}

fn troubles(report: &Report<'_>) -> String {
    let troubled = report.troubled();
    if troubled.is_empty() {
        return String::new();
    }
    let causes = report.causes.iter().enumerate();
    let mut body: String = causes.map(|(place, cause)| self::cause(report, cause, place < MAX_OPEN)).collect();
    for scenario in report.unreported().iter().take(MAX_OPEN) {
        let tag = tag(scenario.tone, scenario.outcome.as_str());
        body += &format!("<h3>{} {tag}</h3>\n{}", html(scenario.name), details(scenario));
    }
    let count = counted(troubled.len(), "scenario");
    let each = troubled.into_iter().map(|scenario| {
        let (name, tag) = (html(scenario.name), tag(scenario.tone, scenario.outcome.as_str()));
        let findings = counted(scenario.findings.len(), "finding");
        let details = details(scenario);
        format!("<details class=\"one\"><summary>{name} {tag} {findings}</summary>\n{details}</details>\n")
    });
    let each: String = each.collect();
    body + &format!("<details><summary>{count} with a bad outcome, one by one</summary>\n{each}</details>\n")
}

fn cause(report: &Report<'_>, cause: &Cause<'_>, open: bool) -> String {
    let (title, extent) = (html(&cause.title), html(&cause.extent));
    let (open, tag) = (if open { " open" } else { "" }, tag(cause.tone, cause.verdict));
    let witness = report.witness(cause).map(|(scenario, found)| finding(found) + &reproduce(scenario));
    let facts = cause.facts().map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>\n", html(fact)));
    format!(
        "<details class=\"cause\"{open}><summary><strong>{title}</strong> {tag}<br>{extent}</summary>\n\
         {}<dl>\n{}</dl>\n</details>\n",
        witness.unwrap_or_default(),
        facts.collect::<String>()
    )
}

/// A scenario's reasons and findings, and the command that runs it again.
fn details(scenario: &Scenario<'_>) -> String {
    let mut body: String = scenario.reasons.iter().map(|reason| format!("<p>{}</p>\n", html(reason))).collect();
    body.extend(scenario.findings.iter().take(MAX_FINDINGS).map(finding));
    if let Some(more) = more(scenario.findings.len(), MAX_FINDINGS, "finding") {
        body += &format!("<p>And {more} in <a href=\"evidence.json\">evidence.json</a>.</p>\n");
    }
    body + &reproduce(scenario)
}

fn reproduce(scenario: &Scenario<'_>) -> String {
    format!("<p>Reproduce:</p>\n<pre>{}</pre>\n", html(&scenario.reproduce))
}

fn finding(finding: &Finding<'_>) -> String {
    let records = finding.records.iter().map(|record| {
        let (file, place, says) = (html(&record.file), html(&record.place), html(record.says));
        format!("<li><a class=\"mono\" href=\"{file}\">{place}</a><br>{says}</li>\n")
    });
    let records = match finding.records.is_empty() {
        true => String::new(),
        false => format!("<ol>\n{}</ol>\n", records.collect::<String>()),
    };
    let (heading, says) = (html(&finding.heading), html(finding.says));
    format!("<div class=\"finding\"><h4>{heading}</h4>\n<p>{says}</p>\n{records}</div>\n")
}

fn warnings(report: &Report<'_>) -> String {
    let warnings = report.warnings();
    if warnings.is_empty() {
        return String::new();
    }
    let each = warnings.iter().take(MAX_WARNINGS);
    let mut items: String = each
        .map(|(scenario, says)| format!("<li><strong>{}</strong>: {}</li>\n", html(scenario), html(says)))
        .collect();
    if let Some(more) = more(warnings.len(), MAX_WARNINGS, "warning") {
        items += &format!("<li>And {more} in <a href=\"evidence.json\">evidence.json</a>.</li>\n");
    }
    format!("<p class=\"note\">They decide nothing.</p>\n<ul>\n{items}</ul>\n")
}

fn scenarios(report: &Report<'_>) -> String {
    let honest = report.honest();
    if honest.is_empty() {
        return String::new();
    }
    let numbers = ["deliveries", "resumes", "refused", "faults fired", "duplicates suppressed", "time"];
    let rows = honest.iter().map(|scenario| {
        let counts = &scenario.counts;
        let counts = [&counts.deliveries, &counts.resumes, &counts.refused, &counts.faults, &counts.duplicates];
        let counts: String = counts.map(|count| number(count)).concat();
        scenario_head(scenario) + &counts + &number(&scenario.time())
    });
    let caption = "What the clients of each lane saw; legacy/candidate where they differ.";
    table(caption, "Scenarios", &["scenario", "outcome"], &numbers, rows)
}

fn known_bad(report: &Report<'_>) -> String {
    let bad = report.known_bad();
    if bad.is_empty() {
        return String::new();
    }
    let rows = bad.iter().map(|scenario| scenario_head(scenario) + &cell(&scenario.found) + &number(&scenario.time()));
    let caption = "Each plants a defect in one lane. The gate can be trusted only if it catches each of them with \
                   exactly the expected findings.";
    table(caption, "Known-bad scenarios", &["scenario", "outcome", "found"], &["time"], rows)
}

fn scenario_head(scenario: &Scenario<'_>) -> String {
    let tag = tag(scenario.tone, scenario.outcome.as_str());
    format!("{}<td>{tag}</td>", row_head(scenario.name, scenario.title))
}

fn left_out(report: &Report<'_>) -> String {
    if report.left_out.is_empty() {
        return String::new();
    }
    let rows = report.left_out.iter().map(|(scenario, reason)| {
        let scenario = html(scenario);
        format!("<th scope=\"row\">{scenario}</th>{}", cell(reason))
    });
    let caption = "These scenarios can't run on these lanes, so they prove nothing.";
    table(caption, "Left out", &["scenario", "because"], &[], rows)
}

fn times(report: &Report<'_>) -> String {
    if report.times.is_empty() {
        return String::new();
    }
    let rows = report.times.iter().map(|line| {
        let [scenario, time, numbers @ .., standing] = line;
        let numbers: String = numbers.iter().map(|number| self::number(number)).collect();
        row_head(scenario, "") + &cell(time) + &cell(standing) + &numbers
    });
    let [scenario, time, numbers @ .., standing] = measured::HEADS;
    table(TIMES, "Times", &[scenario, time, standing], &numbers, rows)
}

fn matrix(report: &Report<'_>) -> String {
    if report.rows.is_empty() {
        return String::new();
    }
    let rows = report.rows.iter().map(|row| {
        let scenarios = if row.scenarios.is_empty() { "no scenario".to_owned() } else { row.scenarios.join(", ") };
        let (head, tag) = (row_head(row.name, row.meaning), tag(row.verdict.into(), row.standing()));
        let why_not = cell(row.why_not.as_deref().unwrap_or_default());
        let [legacy, candidate] = [0, 1].map(|lane: usize| cell(&row.seen[lane]));
        format!("{head}<td>{tag}</td>{legacy}{candidate}{}{why_not}", cell(&scenarios))
    });
    table(MATRIX, "Verification matrix", &HEADS, &[], rows)
}

fn ledger(report: &Report<'_>) -> String {
    if report.faults.is_empty() {
        return String::new();
    }
    let rows = report.faults.iter().map(|fault| {
        let (scenario, client, hit) = (cell(fault.scenario), cell(fault.client), cell(fault.hit.unwrap_or("never")));
        let (name, lane, place, at) = (html(fault.fault), fault.lane, &fault.place, html(fault.at));
        let (place, fired) =
            (format!("<td>{place}</td><td class=\"mono\">{at}</td>"), number(&fault.fired.to_string()));
        format!("{scenario}<th scope=\"row\">{name}</th><td>{lane}</td>{client}{hit}{place}{fired}")
    });
    let planned = match report.faults.len() {
        1 => "1 planned fault or toxic".to_owned(),
        count => format!("{count} planned faults and toxics"),
    };
    let caption = "Every planned fault and toxic must fire, or the run proves nothing. Where: connection, message on it, \
                   and line of the history. At: by the wall clock, UTC.";
    let heads = ["scenario", "fault", "lane", "client", "first hit", "where", "at"];
    let table = table(caption, "Fault ledger", &heads, &["fired"], rows);
    format!("<details><summary>{planned}, lane by lane</summary>\n{table}</details>\n")
}

fn run(report: &Report<'_>) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => html(text),
        Piece::Hash(hash) => format!("<span class=\"mono\">{}</span>", html(hash)),
        Piece::Command(command) => format!("<code>{}</code>", html(command)),
    };
    let facts = report.facts.iter().map(|(name, value)| {
        let value: String = value.iter().map(piece).collect();
        format!("<dt>{name}</dt><dd>{value}</dd>\n")
    });
    format!("<dl>\n{}</dl>\n", facts.collect::<String>())
}

fn files(report: &Report<'_>) -> String {
    let mut files = vec![(layout::EVIDENCE, "who ran what with what, what was judged, and the digests that bind it")];
    files.extend(&report.pages);
    files.extend(
        (!report.document.scope.policy.is_none()).then_some((layout::POLICY, "the policy that the run was judged by")),
    );
    files.extend([
        (layout::TIMES, "wall-clock times, neither digested nor judged; times/ has one for each record"),
        ("scenarios/", "the scenario files as they were read"),
        ("plans/", "each scenario with all random choices made by the seed"),
        ("histories/", "what each lane's clients asked and saw, and which faults fired, in order"),
        ("vectors/", "the hashes of what each client applied"),
    ]);
    let baselines = ("baselines/", "what stands for the legacy lane: the hashes of what its clients once applied");
    files.extend(report.document.scope.baseline.as_ref().map(|_| baselines));
    let link = |path: &str| format!("<th scope=\"row\"><a href=\"{path}\">{path}</a></th>");
    let rows = files.iter().map(|(path, about)| format!("{}<td>{about}</td>", link(path)));
    let files = table("The files in this directory.", "Files", &["file", "what it is"], &[], rows);
    let digested = &report.document.files;
    let rows = digested.iter().map(|(path, entry)| {
        let (path, digest, bytes) = (link(&html(path)), html(&entry.digest), entry.bytes);
        format!("{path}<td class=\"hash mono\">{digest}</td><td class=\"num\">{bytes}</td>")
    });
    let digests = table("Length and SHA-256 of each.", "Digests", &["file", "digest"], &["bytes"], rows);
    let count = counted(digested.len(), "digested file");
    format!(
        "<p>The decision follows from the recorded histories alone. This command computes it again, without \n\
         running anything:</p>\n<pre>cutover recheck .</pre>\n\
         {files}<details><summary>{count}</summary>\n{digests}</details>\n"
    )
}
