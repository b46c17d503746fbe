//! `cutover matrix`: the rows of the verification matrix, as a bundle shows them or as a run could.

use std::path::Path;

use cutover_core::evidence::recheck::MAX_FILE_BYTES;
use cutover_core::evidence::report::{MATRIX, Row, markdown_table, matrix, planned, reasons, table};
use cutover_core::evidence::{Evidence, layout};
use cutover_core::gate::fit::unfit;
use cutover_core::gate::{Scope, suite_digest};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::scenario::{Scenario, compile};
use cutover_core::text::{visible, wrap};
use cutover_live::plain_file;

use crate::args::{MatrixArgs, TextOrMarkdown};
use crate::exit::{Exit, Failure};
use crate::lanes;
use crate::out::{Audience, Stdout};
use crate::scenarios;

pub fn run(args: &MatrixArgs) -> Result<Exit, Failure> {
    if let Some(dir) = &args.bundle {
        let evidence = evidence(dir)?;
        return print(args.format, &matrix(&evidence), &evidence.scope);
    }
    let sources = scenarios::select(&args.scenarios)?;
    let scenarios: Vec<Scenario> = sources.into_iter().map(|source| source.scenario).collect();
    let scope = scope(args, &scenarios)?;
    print(args.format, &planned(&scope, &scenarios), &scope)
}

fn evidence(dir: &Path) -> Result<Evidence, Failure> {
    let path = dir.join(layout::EVIDENCE);
    let bytes = plain_file::read(&path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(&path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("{} is no evidence of this version: {}", path.display(), visible(&error.to_string()));
        Failure::usage(what).hint("give a directory that `cutover gate` wrote")
    })
}

/// What a run of these scenarios would have to show, and what it would leave out.
fn scope(args: &MatrixArgs, scenarios: &[Scenario]) -> Result<Scope, Failure> {
    let settings = lanes::settings(&args.lanes, None)?;
    let lanes = LaneId::BOTH.into_iter().zip(&settings.lanes).map(|(lane, source)| (lane, source.means(lane)));
    let lanes = lanes.collect();
    // No chance decides whether lanes can be put through a scenario.
    let left_out = |scenario: &Scenario| {
        let why = unfit(&compile(scenario, Seed(0)), &lanes, settings.aa)?;
        Some((scenario.name.clone(), why))
    };
    Ok(Scope {
        suite: suite_digest(),
        chosen: args.scenarios.globs.clone(),
        instead: args.scenarios.dir.as_ref().map(|dir| dir.display().to_string()),
        left_out: scenarios.iter().filter_map(left_out).collect(),
        aa: settings.aa,
        lanes,
        ..Scope::default()
    })
}

fn print(format: TextOrMarkdown, rows: &[Row<'_>], scope: &Scope) -> Result<Exit, Failure> {
    let width = Audience::of_stdout().width;
    let text = match format {
        TextOrMarkdown::Text => text(rows, scope, width),
        TextOrMarkdown::Markdown => format!("{MATRIX}\n\n{}", markdown_table(rows)),
    };
    Stdout::new().say(&text)?;
    Ok(Exit::Allow)
}

fn text(rows: &[Row<'_>], scope: &Scope, width: usize) -> String {
    let mut lines = table(rows).lines(width);
    let mut add = |indent: usize, text: &str| {
        let wrapped = wrap(&visible(text), width.saturating_sub(indent));
        lines.extend(wrapped.into_iter().map(|line| format!("{:indent$}{line}", "")));
    };
    for (why_not, rows) in reasons(rows) {
        add(2, &format!("{}: {why_not}", rows.join(", ")));
    }
    for row in rows.iter().filter(|row| !row.scenarios.is_empty()) {
        add(0, "");
        add(2, row.name);
        add(4, &row.scenarios.join(", "));
    }
    if !scope.left_out.is_empty() {
        add(0, "");
        add(2, "Left out");
    }
    for (scenario, why) in &scope.left_out {
        add(4, &format!("{scenario}: {why}"));
    }
    lines.join("\n")
}
