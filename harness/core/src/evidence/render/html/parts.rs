//! The parts of the report page: its tables, findings, ledger and files.

use std::io::{self, Write};

use crate::check::Verdict;
use crate::evidence::document::{Evidence, Times};
use crate::evidence::judged::{JudgedScenario, ScenarioOutcome};
use crate::evidence::layout;
use crate::evidence::render::words;
use crate::text::html;

/// So many warnings stand on the page; the others are in `evidence.json`.
const MAX_WARNINGS: usize = 20;

pub(super) fn section(id: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h2 id=\"{id}\">{name}</h2>")
}

/// A table that scrolls sideways by itself where the screen is narrow, by keyboard too.
pub(super) fn open_table(
    caption: &str,
    label: &str,
    texts: &[&str],
    numbers: &[&str],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<p class=\"note\">{caption}</p>")?;
    writeln!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table>")?;
    write!(out, "<thead><tr>")?;
    texts.iter().try_for_each(|head| write!(out, "<th scope=\"col\">{head}</th>"))?;
    numbers.iter().try_for_each(|head| write!(out, "<th scope=\"col\" class=\"num\">{head}</th>"))?;
    writeln!(out, "</tr></thead>\n<tbody>")
}

pub(super) fn close_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody></table></div>")
}

pub(super) fn row_head(scenario: &JudgedScenario) -> String {
    let (name, title) = (html(&scenario.name), html(&scenario.title));
    format!("<tr><th scope=\"row\">{name}<span class=\"title\">{title}</span></th>")
}

pub(super) fn tag(outcome: ScenarioOutcome) -> String {
    let class = match outcome {
        ScenarioOutcome::Passed | ScenarioOutcome::Caught => "good",
        ScenarioOutcome::Unknown => "open",
        ScenarioOutcome::Failed | ScenarioOutcome::Missed => "bad",
    };
    format!("<span class=\"tag {class}\">{}</span>", outcome.as_str())
}

/// What is worth telling and decides nothing.
pub(super) fn warnings(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let count = words::warnings(evidence).count();
    if count == 0 {
        return Ok(());
    }
    section("warnings", "Warnings", out)?;
    writeln!(out, "<p class=\"note\">They decide nothing.</p>\n<ul>")?;
    for (scenario, warning) in words::warnings(evidence).take(MAX_WARNINGS) {
        let (name, says) = (html(&scenario.name), html(&warning.says));
        writeln!(out, "<li><strong>{name}</strong>: {says}</li>")?;
    }
    if let Some(more) = count.checked_sub(MAX_WARNINGS).filter(|more| *more > 0) {
        let more = words::counted(more, "more warning", "more warnings");
        writeln!(out, "<li>And {more} in <a href=\"evidence.json\">evidence.json</a>.</li>")?;
    }
    writeln!(out, "</ul>")
}

pub(super) fn left_out(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.scope.left_out.is_empty() {
        return Ok(());
    }
    section("left-out", "Left out", out)?;
    let caption = "These lanes can't be put through them, so they show nothing.";
    open_table(caption, "Left out", &["scenario", "because"], &[], out)?;
    for (scenario, reason) in &evidence.scope.left_out {
        let (scenario, reason) = (html(scenario), html(reason));
        writeln!(out, "<tr><th scope=\"row\">{scenario}</th><td>{reason}</td></tr>")?;
    }
    close_table(out)
}

pub(super) fn matrix(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.judged.matrix.is_empty() {
        return Ok(());
    }
    section("matrix", "Verification matrix", out)?;
    let caption = if !evidence.scope.enforced_rows.is_empty() {
        "What the gate has to prove. Every row has to be shown."
    } else {
        "What the gate has to prove before the old lane may go. Rows that are not shown do not block this run."
    };
    open_table(caption, "Verification matrix", &["row", "verdict", "claimed by", "why it is not shown"], &[], out)?;
    for row in &evidence.judged.matrix {
        let class = match row.verdict {
            Verdict::Valid => "good",
            Verdict::Unknown => "open",
            Verdict::Invalid => "bad",
        };
        let scenarios = if row.scenarios.is_empty() { "no scenario".to_owned() } else { row.scenarios.join(", ") };
        let (name, what) = (html(&row.row), html(&row.meaning));
        write!(out, "<tr><th scope=\"row\">{name}<span class=\"title\">{what}</span></th>")?;
        writeln!(
            out,
            "<td><span class=\"tag {class}\">{}</span></td><td>{}</td><td>{}</td></tr>",
            row.verdict,
            html(&scenarios),
            html(&words::not_shown(evidence, row).unwrap_or_default())
        )?;
    }
    close_table(out)
}

pub(super) fn ledger(evidence: &Evidence, times: Option<&Times>, out: &mut dyn Write) -> io::Result<()> {
    let scenarios = evidence.judged.scenarios.iter().filter(|scenario| !scenario.ledger.is_empty());
    let faults: usize = scenarios.clone().map(|scenario| scenario.ledger.len()).sum();
    if faults == 0 {
        return Ok(());
    }
    section("ledger", "Fault ledger", out)?;
    let planned = words::counted(faults, "planned fault or toxic", "planned faults and toxics");
    writeln!(out, "<details><summary>{planned}, lane by lane</summary>")?;
    let heads = ["scenario", "fault", "lane", "client", "first hit", "where", "at"];
    open_table(
        "Every fault and toxic that was planned must have struck, or the run proves nothing. Where: connection, message on it, \
         and line of the history. At: by the wall clock, UTC.",
        "Fault ledger",
        &heads,
        &["fired"],
        out,
    )?;
    for scenario in scenarios {
        for entry in &scenario.ledger {
            let hit = entry.hit.as_deref().map_or("never".to_owned(), html);
            let (name, fault) = (html(&scenario.name), html(entry.fault.as_str()));
            write!(out, "<tr><td>{name}</td><th scope=\"row\">{fault}</th><td>{}</td>", entry.lane)?;
            let client = html(entry.client.as_str());
            let first = words::first_fire(times, &scenario.name, entry);
            let place = first.map_or(String::new(), |fire| {
                let message = if fire.frame == 0 { String::new() } else { format!(".{}", fire.frame) };
                format!("{}{message}, line {}", fire.conn, fire.line)
            });
            let at = first.map_or("", |fire| fire.at.as_str());
            writeln!(
                out,
                "<td>{client}</td><td>{hit}</td><td>{place}</td><td class=\"mono\">{}</td><td class=\"num\">{}</td></tr>",
                html(at),
                entry.fired
            )?;
        }
    }
    close_table(out)?;
    writeln!(out, "</details>")
}

pub(super) fn files(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    section("files", "Files, and how to recheck them", out)?;
    writeln!(out, "<p>The decision follows from the recorded histories alone. To compute it anew, without running ")?;
    writeln!(out, "anything, in this directory:</p>\n<pre>cutover recheck .</pre>")?;
    open_table("What lies in this directory.", "Files", &["file", "what it is"], &[], out)?;
    let fixed = [
        (layout::EVIDENCE, "who ran what with what, what was judged, and the digests that bind it"),
        (layout::SUMMARY, "this page in short, as Markdown"),
        (layout::JUNIT, "the same as a test report, for a CI"),
        (layout::PAGE, "this page"),
        (layout::TIMES, "wall-clock times, neither digested nor judged; times/ has one for each record"),
        ("scenarios/", "the scenarios as they were read"),
        ("plans/", "each scenario with all chance spent by the seed"),
        ("histories/", "what each lane's clients asked, saw and suffered, in order"),
        ("vectors/", "the hashes of what each client applied"),
    ];
    for (path, what) in fixed {
        writeln!(out, "<tr><th scope=\"row\"><a href=\"{path}\">{path}</a></th><td>{what}</td></tr>")?;
    }
    close_table(out)?;
    let count = words::counted(evidence.files.len(), "digested file", "digested files");
    writeln!(out, "<details><summary>{count}</summary>")?;
    open_table("Length and SHA-256 of each.", "Digests", &["file", "digest"], &["bytes"], out)?;
    for (path, entry) in &evidence.files {
        let (path, digest) = (html(path), html(&entry.digest));
        write!(out, "<tr><th scope=\"row\"><a href=\"{path}\">{path}</a></th><td class=\"hash mono\">{digest}</td>")?;
        writeln!(out, "<td class=\"num\">{}</td></tr>", entry.bytes)?;
    }
    close_table(out)?;
    writeln!(out, "</details>")
}
