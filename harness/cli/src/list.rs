//! `cutover list`: scenarios and the rows of the verification matrix, or checkers, or fields.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use cutover_core::check::{ALL, Checker, FIELDS, Field, Judged, Reason, Verdict};
use cutover_core::ids::LaneId;
use cutover_core::matrix::ROWS;
use cutover_core::scenario::{SCHEMA, stock};
use cutover_core::text::{Align, Table, wrap};
use cutover_live::plain_file;
use serde::Serialize;

use crate::args::{ListArgs, TextOrJson};
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout};
use crate::scenarios::{self, Source};

#[derive(Serialize)]
struct Listing<'a> {
    schema: &'static str,
    scenarios: Vec<ListedScenario<'a>>,
    matrix: Vec<ListedRow<'a>>,
}

#[derive(Serialize)]
struct ListedScenario<'a> {
    name: &'a str,
    title: &'a str,
    proves: &'a [String],
    known_bad: bool,
    findings: &'a [String],
}

#[derive(Serialize)]
struct ListedRow<'a> {
    row: &'a str,
    what: &'a str,
    /// What each lane must have seen.
    needs: Vec<&'static str>,
    scenarios: Vec<&'a str>,
}

#[derive(Serialize)]
struct ListedCheckers {
    schema: &'static str,
    checkers: Vec<ListedChecker>,
}

#[derive(Serialize)]
struct ListedChecker {
    checker: &'static str,
    finds: &'static str,
    rule: &'static str,
    rows: &'static [&'static str],
    accounts_for: &'static str,
    reasons: Vec<ListedReason>,
}

#[derive(Serialize)]
struct ListedReason {
    reason: &'static str,
    verdict: Verdict,
    says: String,
}

#[derive(Serialize)]
struct ListedFields {
    schema: &'static str,
    fields: Vec<ListedField>,
}

#[derive(Serialize)]
struct ListedField {
    lane: LaneId,
    /// The message, the answer or the table.
    of: &'static str,
    field: &'static str,
    judged_by: &'static [&'static str],
    /// Why nothing judges it.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<&'static str>,
}

pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    if let Some(dir) = &args.export {
        let count = export(dir)?;
        let text = format!("{count} scenarios and their schema are in {}", dir.display());
        Stdout::new().say(&text)?;
        return Ok(Exit::Allow);
    }
    let width = Audience::of_stdout().width;
    if args.checkers {
        let listed =
            ListedCheckers { schema: SCHEMA_NAME, checkers: ALL.iter().map(|it| listed_checker(it)).collect() };
        return print(args.format, &listed, || checkers_text(&listed.checkers, width));
    }
    if args.fields {
        let listed = ListedFields { schema: SCHEMA_NAME, fields: FIELDS.iter().map(listed_field).collect() };
        return print(args.format, &listed, || fields_text(width));
    }
    let sources = scenarios::select(&args.scenarios)?;
    let listing = listing(&sources);
    // A program that reads the table gets whole titles.
    let asked = std::io::stdout().is_terminal() || std::env::var_os("COLUMNS").is_some();
    print(args.format, &listing, || text(&listing, width, if asked { width } else { usize::MAX }))
}

const SCHEMA_NAME: &str = "cutover.list/1";

fn print(format: TextOrJson, listing: &impl Serialize, text: impl FnOnce() -> String) -> Result<Exit, Failure> {
    let mut out = Stdout::new();
    match format {
        TextOrJson::Text => out.say(&text())?,
        TextOrJson::Json => {
            let json = serde_json::to_string_pretty(listing).map_err(|error| Failure::fault(error.to_string()))?;
            out.exact(&(json + "\n"))?;
        }
    }
    Ok(Exit::Allow)
}

fn listed_checker(checker: &Checker) -> ListedChecker {
    let listed =
        |reason: &&Reason| ListedReason { reason: reason.word, verdict: reason.verdict, says: reason.in_general() };
    ListedChecker {
        checker: checker.name,
        finds: checker.anomaly,
        rule: checker.source,
        rows: checker.rows,
        accounts_for: checker.accounts_for,
        reasons: checker.reasons.iter().map(listed).collect(),
    }
}

fn listed_field(field: &Field) -> ListedField {
    let (judged_by, not_judged): (&[&str], _) = match field.judged {
        Judged::By(reasons) => (reasons, None),
        Judged::Not(why) => (&[], Some(why)),
    };
    ListedField { lane: field.lane, of: field.place, field: field.name, judged_by, not_judged }
}

fn fields_text(width: usize) -> String {
    let mut lines = Vec::new();
    let mut of = None;
    for field in FIELDS {
        if of.replace((field.lane, field.place)) != Some((field.lane, field.place)) {
            lines.push(format!("{}: {}", field.lane, field.place));
        }
        let text = match field.judged {
            Judged::By(reasons) => format!("{}: {}", field.name, reasons.join(", ")),
            Judged::Not(why) => format!("{}: not judged, because {why}", field.name),
        };
        let wrapped = wrap(&text, width.saturating_sub(4)).into_iter().enumerate();
        lines.extend(wrapped.map(|(at, line)| format!("{:1$}{line}", "", if at == 0 { 2 } else { 4 })));
    }
    lines.join("\n")
}

fn checkers_text(checkers: &[ListedChecker], width: usize) -> String {
    let mut lines = vec!["Checkers, the most specific first".to_owned()];
    let mut add = |text: &str, indent: usize| {
        let wrapped = wrap(text, width.saturating_sub(indent + 2)).into_iter().enumerate();
        lines.extend(wrapped.map(|(at, line)| format!("{:1$}{line}", "", if at == 0 { indent } else { indent + 2 })));
    };
    for checker in checkers {
        add(checker.checker, 2);
        add(checker.finds, 4);
        add(&format!("rule: {}", checker.rule), 4);
        if !checker.rows.is_empty() {
            add(&format!("rows of the matrix: {}", checker.rows.join(", ")), 4);
        }
        if !checker.accounts_for.is_empty() {
            add(&format!("accounts for: {}", checker.accounts_for), 4);
        }
        for reason in &checker.reasons {
            let verdict = match reason.verdict {
                Verdict::Invalid => "",
                Verdict::Unknown => " (unknown)",
                Verdict::Valid => " (warning)",
            };
            add(&format!("{}{verdict}: {}", reason.reason, reason.says), 6);
        }
    }
    lines.join("\n")
}

/// Writes the built-in scenarios with their schema, and returns how many there are. A directory that holds anything
/// else is left as it is.
fn export(dir: &Path) -> Result<usize, Failure> {
    let scenarios = stock().iter().map(|(path, text)| {
        let path = path.strip_prefix("scenarios/").unwrap_or(path);
        (dir.join(path), *text)
    });
    let mut files: BTreeMap<PathBuf, &str> = scenarios.collect();
    let count = files.len();
    files.insert(dir.join("scenario.schema.json"), SCHEMA);
    for path in found_in(dir)? {
        let same = files
            .get(&path)
            .is_some_and(|text| plain_file::read(&path, text.len() as u64).is_ok_and(|found| found == text.as_bytes()));
        if !same {
            let what = format!("{} is in the way: it is no built-in scenario as it is here", path.display());
            return Err(Failure::usage(what).hint("give a directory that is empty or not there"));
        }
    }
    for (path, text) in files {
        let folder = path.parent().unwrap_or(dir);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| Failure::unwritable(&path, &error))?;
    }
    Ok(count)
}

/// Everything in a directory and its `known-bad`, in order of paths; nothing where there is no directory.
fn found_in(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for folder in [dir.to_owned(), dir.join("known-bad")] {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::unreadable(&folder, &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| Failure::unreadable(&folder, &error))?.path();
            if path != dir.join("known-bad") || !path.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn listing(sources: &[Source]) -> Listing<'_> {
    let scenarios = sources.iter().map(|source| ListedScenario {
        name: &source.scenario.name,
        title: &source.scenario.title,
        proves: &source.scenario.proves,
        known_bad: source.known_bad(),
        findings: source.scenario.expect.as_ref().map_or(&[], |expect| &expect.findings),
    });
    let matrix = ROWS.iter().map(|row| {
        let proving = sources.iter().filter(|source| !source.known_bad());
        let proving = proving.filter(|source| source.scenario.proves.iter().any(|name| name == row.name));
        ListedRow {
            row: row.name,
            what: row.meaning,
            needs: row.parts.iter().map(|part| part.says()).collect(),
            scenarios: proving.map(|source| source.scenario.name.as_str()).collect(),
        }
    });
    Listing { schema: SCHEMA_NAME, scenarios: scenarios.collect(), matrix: matrix.collect() }
}

fn text(listing: &Listing<'_>, width: usize, table_width: usize) -> String {
    let mut lines = vec!["Scenarios".to_owned()];
    let mut honest = Table::new(&[("name", Align::Left), ("what it shows", Align::Left)], 1);
    let mut bad =
        Table::new(&[("name", Align::Left), ("must be caught as", Align::Left), ("what it plants", Align::Left)], 2);
    for scenario in &listing.scenarios {
        if scenario.known_bad {
            bad.row(vec![scenario.name.to_owned(), scenario.findings.join(", "), scenario.title.to_owned()]);
        } else {
            honest.row(vec![scenario.name.to_owned(), scenario.title.to_owned()]);
        }
    }
    lines.extend(honest.lines(table_width));
    if listing.scenarios.iter().any(|scenario| scenario.known_bad) {
        lines.extend([String::new(), "Known-bad scenarios".to_owned()]);
        lines.extend(bad.lines(table_width));
    }
    lines.extend([String::new(), "Verification matrix".to_owned()]);
    for row in &listing.matrix {
        lines.push(format!("  {}", row.row));
        lines.extend(wrap(row.what, width.saturating_sub(4)).into_iter().map(|line| format!("    {line}")));
        let proven = match row.scenarios.is_empty() {
            true => format!("no scenario claims it; needs {}", row.needs.join("; ")),
            false => format!("claimed by {}; needs {}", row.scenarios.join(", "), row.needs.join("; ")),
        };
        lines.extend(wrap(&proven, width.saturating_sub(4)).into_iter().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}
