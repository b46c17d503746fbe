//! For people at a terminal: tables, findings with their witnesses, and the decision last. Fits 80 columns, uses 200 well.

mod blocked;
mod repeat;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Renderer;
use super::table::{Align, Table, wrap};
use super::words::{self, Tone};
use crate::check::Verdict;
use crate::evidence::document::{Evidence, State, Times};
use crate::evidence::judged::{JudgedScenario, ScenarioOutcome, Seen};
use crate::ids::LaneId;
use crate::plan::Expectation;
use crate::text::{Screen, Style};

/// From this width on, a scenario's title stands beside it.
const WIDE: usize = 132;
/// So many warnings are shown; the others are in the bundle.
const MAX_WARNINGS: usize = 5;

/// Writes for a terminal, or for a file that is read like one.
#[derive(Debug, Clone)]
pub struct TextRenderer<'a> {
    /// Columns to fill.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// How long it all took, where that is to be shown.
    pub times: Option<&'a Times>,
    /// Where the bundle is, where there is one.
    pub bundle: Option<&'a str>,
}

/// Where it is written to.
type Out<'a> = Screen<&'a mut dyn Write>;

impl From<ScenarioOutcome> for Style {
    fn from(outcome: ScenarioOutcome) -> Style {
        match outcome {
            ScenarioOutcome::Passed | ScenarioOutcome::Caught => Style::Good,
            ScenarioOutcome::Unknown => Style::Open,
            ScenarioOutcome::Failed | ScenarioOutcome::Missed => Style::Bad,
        }
    }
}

impl From<Tone> for Style {
    fn from(tone: Tone) -> Style {
        match tone {
            Tone::Good => Style::Allow,
            Tone::Open => Style::Undecided,
            Tone::Bad => Style::Block,
        }
    }
}

impl Renderer for TextRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let out = &mut Screen::new(out, self.color);
        self.scenarios(evidence, out)?;
        self.known_bad(evidence, out)?;
        self.left_out(evidence, out)?;
        self.troubles(evidence, out)?;
        self.warnings(evidence, out)?;
        // A run that drove nothing has nothing to say of any row.
        if !evidence.judged.scenarios.is_empty() || evidence.state == State::Complete {
            self.matrix(evidence, out)?;
        }
        self.decision(evidence, out)
    }
}

impl TextRenderer<'_> {
    fn heading(&self, text: &str, out: &mut Out<'_>) -> io::Result<()> {
        out.line(Style::Bold, text)
    }

    /// A table whose first row is its heads and whose others are coloured by their outcome.
    fn table(&self, table: &Table, outcomes: &[ScenarioOutcome], out: &mut Out<'_>) -> io::Result<()> {
        for (index, line) in table.lines(self.width).iter().enumerate() {
            let outcome = index.checked_sub(1).and_then(|row| outcomes.get(row));
            match outcome {
                None => out.line(Style::Dim, line)?,
                Some(outcome) if outcome.is_good() => out.line(Style::Plain, line)?,
                Some(outcome) => out.line((*outcome).into(), line)?,
            }
        }
        writeln!(out)
    }

    fn scenarios(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let honest: Vec<_> = evidence.judged.scenarios.iter().filter(|scenario| !scenario.known_bad()).collect();
        if honest.is_empty() {
            return Ok(());
        }
        let wide = self.width >= WIDE;
        let mut heads = vec![("scenario", Align::Left), ("outcome", Align::Left), ("deliveries", Align::Right)];
        heads.extend([("resumes", Align::Right), ("faults", Align::Right)]);
        heads.extend([(if wide { "duplicates" } else { "dups" }, Align::Right), ("time", Align::Right)]);
        if wide {
            heads.extend([("refused", Align::Right), ("what it shows", Align::Left)]);
        }
        let mut table = Table::new(&heads, if wide { 8 } else { 0 });
        for scenario in &honest {
            let count = |of: fn(&Seen) -> u64| both(scenario, of);
            let mut cells = vec![scenario.name.clone(), words::outcome(scenario).to_owned()];
            cells.extend([count(|seen| seen.deliveries), count(|seen| seen.resumes), count(|seen| seen.faults)]);
            cells.extend([count(|seen| seen.duplicates), words::elapsed(self.times, &scenario.name)]);
            if wide {
                cells.extend([count(|seen| seen.refusals), scenario.title.clone()]);
            }
            table.row(cells);
        }
        self.heading("Scenarios (legacy/candidate where they differ)", out)?;
        self.table(&table, &outcomes(&honest), out)
    }

    fn known_bad(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let bad: Vec<_> = evidence.judged.scenarios.iter().filter(|scenario| scenario.known_bad()).collect();
        if bad.is_empty() {
            return Ok(());
        }
        let wide = self.width >= WIDE;
        let mut heads = vec![("scenario", Align::Left), ("outcome", Align::Left), ("lane", Align::Left)];
        heads.extend([("time", Align::Right), ("found", Align::Left)]);
        if wide {
            heads.push(("what it shows", Align::Left));
        }
        let mut table = Table::new(&heads, if wide { 5 } else { 4 });
        for scenario in &bad {
            let lane = match &scenario.expect {
                Expectation::Block { lane, .. } => lane.as_str(),
                Expectation::Allow => "",
            };
            let mut cells = vec![scenario.name.clone(), words::outcome(scenario).to_owned(), lane.to_owned()];
            cells.extend([words::elapsed(self.times, &scenario.name), words::finding_names(scenario)]);
            if wide {
                cells.push(scenario.title.clone());
            }
            table.row(cells);
        }
        self.heading("Known-bad scenarios, each to be caught with exactly its findings", out)?;
        self.table(&table, &outcomes(&bad), out)
    }

    fn left_out(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        if evidence.scope.left_out.is_empty() {
            return Ok(());
        }
        let count = words::counted(evidence.scope.left_out.len(), "scenario", "scenarios");
        self.heading(&format!("Left out: {count} that these lanes can't be put through"), out)?;
        for (reason, scenarios) in words::left_out(evidence) {
            self.paragraph(2, reason, out)?;
            self.paragraph(4, &scenarios.join(", "), out)?;
        }
        writeln!(out)
    }

    fn warnings(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let count = words::warnings(evidence).count();
        if count == 0 {
            return Ok(());
        }
        self.heading("Warnings (they decide nothing)", out)?;
        for (scenario, warning) in words::warnings(evidence).take(MAX_WARNINGS) {
            self.paragraph(2, &format!("{}: {}", scenario.name, warning.says), out)?;
        }
        if let Some(more) = count.checked_sub(MAX_WARNINGS).filter(|more| *more > 0) {
            let more = words::counted(more, "more warning", "more warnings");
            writeln!(out, "  … and {more} in the bundle")?;
        }
        writeln!(out)
    }

    fn matrix(&self, evidence: &Evidence, out: &mut Out<'_>) -> io::Result<()> {
        let rows = &evidence.judged.matrix;
        if rows.is_empty() {
            return Ok(());
        }
        let of = |verdict| rows.iter().filter(move |row| row.verdict == verdict).map(|row| row.row.as_str());
        self.heading("Verification matrix", out)?;
        for (verdict, label) in
            [(Verdict::Valid, "shown"), (Verdict::Unknown, "not shown"), (Verdict::Invalid, "broken")]
        {
            let names: Vec<_> = of(verdict).collect();
            if !names.is_empty() {
                self.labelled(&format!("{label} ({})", names.len()), &names.join(", "), out)?;
            }
        }
        let mut because = BTreeMap::<String, Vec<&str>>::new();
        for row in rows {
            if let Some(why) = words::not_shown(evidence, row) {
                because.entry(why).or_default().push(&row.row);
            }
        }
        for (why, rows) in because {
            self.paragraph(2, &format!("{}: {why}", rows.join(", ")), out)?;
        }
        writeln!(out)
    }

    /// The lines of a text behind an indent.
    fn wrapped(&self, indent: usize, text: &str) -> Vec<String> {
        wrap(text, self.width.saturating_sub(indent))
    }

    fn paragraph(&self, indent: usize, text: &str, out: &mut Out<'_>) -> io::Result<()> {
        let lines = self.wrapped(indent, text);
        lines.iter().try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))
    }

    /// A label of 14 columns, and text that hangs beside it; nothing where there is no text.
    fn labelled(&self, label: &str, text: &str, out: &mut Out<'_>) -> io::Result<()> {
        for (index, line) in self.wrapped(18, text).iter().enumerate() {
            writeln!(out, "  {:<14}  {line}", if index == 0 { label } else { "" })?;
        }
        Ok(())
    }
}

fn outcomes(scenarios: &[&JudgedScenario]) -> Vec<ScenarioOutcome> {
    scenarios.iter().map(|scenario| scenario.outcome).collect()
}

/// What each lane counted: one number where they agree, else both.
pub(super) fn both(scenario: &JudgedScenario, of: fn(&Seen) -> u64) -> String {
    let [legacy, candidate] = LaneId::BOTH.map(|lane| scenario.seen.get(&lane).map_or(0, of));
    if legacy == candidate { legacy.to_string() } else { format!("{legacy}/{candidate}") }
}
