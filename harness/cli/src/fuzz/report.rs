//! What a search prints at its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cutover_core::check::Verdict;
use cutover_core::draw::Coverage;
use cutover_core::evidence::ScenarioOutcome;
use cutover_core::shrink::Wanted;
use cutover_core::text::{Align, Table, wrap};

use super::status::clock;
use super::trial::Rate;
use crate::exit::Failure;

pub struct Summary {
    pub took: Duration,
    pub draws: u32,
    pub driven: u32,
    pub outcomes: BTreeMap<ScenarioOutcome, u32>,
    pub found: Vec<FoundOne>,
    pub covered: Coverage,
    /// Why the search could not go on, if it could not.
    pub failure: Option<Failure>,
}

pub struct FoundOne {
    pub wanted: Wanted,
    pub verdict: Verdict,
    /// How many scenarios gave it.
    pub scenarios: u32,
    /// How often it came, of the smallest scenario.
    pub rate: Rate,
    pub steps: usize,
    /// Its steps, the proposals that were tried, and how long that took.
    pub shrunk: Option<(usize, usize, Duration)>,
    pub evidence: Option<PathBuf>,
    pub saved: Option<PathBuf>,
    /// The file of the smallest scenario.
    pub text: Option<String>,
}

impl FoundOne {
    pub fn new(wanted: Wanted, verdict: Verdict, steps: usize) -> FoundOne {
        FoundOne {
            wanted,
            verdict,
            scenarios: 1,
            rate: Rate { came: 1, of: 1 },
            steps,
            shrunk: None,
            evidence: None,
            saved: None,
            text: None,
        }
    }
}

pub fn report(summary: &Summary, width: usize) -> String {
    let mut lines = Vec::new();
    for found in &summary.found {
        lines.push(String::new());
        lines.extend(of_one(found, width));
    }
    if summary.covered.scenarios() > 0 {
        lines.push(String::new());
        lines.extend(coverage(&summary.covered, width));
    }
    lines.push(String::new());
    lines.extend(wrap(&in_all(summary), width));
    lines.join("\n")
}

fn of_one(found: &FoundOne, width: usize) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", found.verdict, found.wanted)];
    let mut say =
        |text: String| lines.extend(wrap(&text, width.saturating_sub(2)).into_iter().map(|line| format!("  {line}")));
    say(format!("came in {} runs; {} gave it", found.rate, count(found.scenarios, "drawn scenario")));
    match found.shrunk {
        Some((steps, tried, took)) => {
            let smaller = count(u32::try_from(tried).unwrap_or(u32::MAX), "smaller scenario");
            say(format!("shrunk from {} to {steps} steps; {smaller} tried in {}", found.steps, clock(took)));
        }
        None if !found.rate.is_steady() => say("not shrunk: it does not come in two of three runs".to_owned()),
        None => say("not shrunk".to_owned()),
    }
    for (what, path) in [("scenario", &found.saved), ("evidence", &found.evidence)] {
        if let Some(path) = path {
            // A path is never wrapped: it is copied.
            lines.push(format!("  {what} {}", path.display()));
        }
    }
    // What is saved is not printed too.
    if found.saved.is_none()
        && let Some(text) = &found.text
    {
        lines.extend(text.lines().map(|line| format!("  | {line}").trim_end().to_owned()));
    }
    lines
}

fn coverage(covered: &Coverage, width: usize) -> Vec<String> {
    let mut table =
        Table::new(&[("covered", Align::Left), ("values", Align::Right), ("in the fewest scenarios", Align::Left)], 2);
    let mut groups: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
    for (feature, scenarios) in covered.features() {
        let (group, value) = feature.split_once(' ').unwrap_or((feature, ""));
        groups.entry(group).or_default().push((scenarios, value));
    }
    for (group, mut values) in groups {
        values.sort_unstable();
        let rarest = values.iter().take(4).map(|(scenarios, value)| format!("{value} {scenarios}"));
        table.row(vec![group.to_owned(), values.len().to_string(), rarest.collect::<Vec<_>>().join(", ")]);
    }
    table.row(vec!["pairs".to_owned(), covered.pairs().to_string(), String::new()]);
    table.lines(width)
}

fn in_all(summary: &Summary) -> String {
    let of = |outcome| summary.outcomes.get(&outcome).copied().unwrap_or_default();
    let (passed, failed) = (of(ScenarioOutcome::Passed), of(ScenarioOutcome::Failed));
    let unknown = summary.driven - passed - failed;
    let found = match summary.found.len() {
        0 => "nothing was found".to_owned(),
        number => count(u32::try_from(number).unwrap_or(u32::MAX), "different finding"),
    };
    let draws = count(summary.draws, "scenario");
    let took = clock(summary.took);
    format!(
        "{draws} drawn in {took}; of {} driven, {passed} passed, {failed} failed, {unknown} unknown: {found}",
        summary.driven
    )
}

fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
