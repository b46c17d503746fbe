//! `cutover list`: scenarios, the matrix rows that they prove, and the rows that nobody proves.

use cutover_core::evidence::render::{Align, Table, wrap};
use cutover_core::gate::ROWS;
use serde::Serialize;

use crate::args::{ListArgs, TextOrJson};
use crate::compare::cannot_print;
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
    scenarios: Vec<&'a str>,
}

/// Runs the command.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let sources = scenarios::select(&args.scenarios)?;
    let listing = listing(&sources);
    let text = match args.format {
        TextOrJson::Text => text(&listing, Audience::of_stdout().width),
        TextOrJson::Json => {
            serde_json::to_string_pretty(&listing).map_err(|error| Failure::fault(error.to_string()))?
        }
    };
    Stdout::new().say(&text).map_err(|error| cannot_print(&error))?;
    Ok(Exit::Allow)
}

fn listing(sources: &[Source]) -> Listing<'_> {
    let scenarios = sources.iter().map(|source| ListedScenario {
        name: &source.scenario.name,
        title: &source.scenario.title,
        proves: &source.scenario.proves,
        known_bad: source.known_bad(),
        findings: source.scenario.expect.as_ref().map_or(&[], |expect| &expect.findings),
    });
    let matrix = ROWS.iter().map(|(row, what)| {
        let proving = sources.iter().filter(|source| !source.known_bad());
        let proving = proving.filter(|source| source.scenario.proves.iter().any(|name| name == row));
        ListedRow {
            row,
            what,
            scenarios: proving.map(|source| source.scenario.name.as_str()).collect(),
        }
    });
    Listing {
        schema: "cutover.list/1",
        scenarios: scenarios.collect(),
        matrix: matrix.collect(),
    }
}

fn text(listing: &Listing<'_>, width: usize) -> String {
    let mut lines = vec!["Scenarios".to_owned()];
    let mut honest = Table::new(&[("name", Align::Left), ("what it shows", Align::Left)], 1);
    let mut bad = Table::new(
        &[
            ("name", Align::Left),
            ("must be caught as", Align::Left),
            ("what it plants", Align::Left),
        ],
        2,
    );
    for scenario in &listing.scenarios {
        if scenario.known_bad {
            bad.row(vec![
                scenario.name.to_owned(),
                scenario.findings.join(", "),
                scenario.title.to_owned(),
            ]);
        } else {
            honest.row(vec![scenario.name.to_owned(), scenario.title.to_owned()]);
        }
    }
    lines.extend(honest.lines(width));
    if listing.scenarios.iter().any(|scenario| scenario.known_bad) {
        lines.extend([String::new(), "Known-bad scenarios".to_owned()]);
        lines.extend(bad.lines(width));
    }
    lines.extend([String::new(), "Verification matrix".to_owned()]);
    for row in &listing.matrix {
        lines.push(format!("  {}", row.row));
        lines.extend(
            wrap(row.what, width.saturating_sub(4))
                .into_iter()
                .map(|line| format!("    {line}")),
        );
        let proven = match row.scenarios.is_empty() {
            true => "no scenario proves it".to_owned(),
            false => format!("proven by {}", row.scenarios.join(", ")),
        };
        lines.extend(
            wrap(&proven, width.saturating_sub(4))
                .into_iter()
                .map(|line| format!("    {line}")),
        );
    }
    lines.join("\n")
}
