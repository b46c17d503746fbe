//! Several runs at a terminal: how each ended, how often each finding came back, and what shows that it is mended.

use std::io::{self, Write};

use super::TextRenderer;
use crate::evidence::render::table::{Align, Table};
use crate::evidence::render::words::{self, Tone};
use crate::evidence::repeat::{ComesBack, Repeated};
use crate::text::{Screen, Style};

/// So many findings are told; the others are in the document.
const MAX_TOLD: usize = 5;

impl TextRenderer<'_> {
    /// Writes what several runs have in common; `bundle` is the directory of them all.
    ///
    /// # Errors
    /// What the writer says.
    pub fn repeated(&self, repeated: &Repeated, out: &mut dyn Write) -> io::Result<()> {
        let runs = repeated.runs.len();
        let columns = [("run", Align::Left), ("seed", Align::Right), ("decision", Align::Left)];
        let mut table = Table::new(&columns, 0);
        for run in &repeated.runs {
            table.row(vec![run.bundle.clone(), run.seed.to_string(), run.decision.to_string()]);
        }
        let out = &mut Screen::new(out, self.color);
        out.line(Style::Bold, &format!("The same scenarios, run {runs} times"))?;
        table.lines(self.width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out)?;
        for cause in repeated.causes.iter().take(MAX_TOLD) {
            self.paragraph(0, &sentence(cause, runs), out)?;
            self.paragraph(2, &shown_by(cause), out)?;
        }
        if let Some(more) = repeated.causes.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
            writeln!(out, "… and {} in repeat.json", words::counted(more, "more cause", "more causes"))?;
        }
        for (scenario, times) in repeated.untold.iter().take(MAX_TOLD) {
            self.paragraph(0, &format!("{scenario} was not as it should be in {times} of {runs} runs"), out)?;
        }
        if !repeated.causes.is_empty() {
            let how = "Clean runs: at least 95 % sure that the fault would have come back, if it comes back as seldom as \
                       these runs leave possible (95 %), each run apart from the others.";
            self.paragraph(0, how, out)?;
        }
        let good = repeated.runs.iter().filter(|run| run.decision.exit_code() == 0).count();
        let decision = repeated.decision.as_str();
        writeln!(out)?;
        out.styled(Tone::from(repeated.decision).into(), decision)?;
        writeln!(out, "  {good} of {runs} runs without a block; the worst run decides")?;
        match self.bundle {
            Some(bundle) => writeln!(out, "  evidence   {bundle}"),
            None => Ok(()),
        }
    }
}

/// `The legacy lane skipped events on their way to a client: 3 of 5 runs; 12 clean runs show that it is mended`.
fn sentence(cause: &ComesBack, runs: usize) -> String {
    let mut says = cause.says.chars();
    let says: String = says.next().map_or(String::new(), |first| first.to_uppercase().chain(says).collect());
    let clean = words::counted(cause.clean_runs as usize, "clean run shows", "clean runs show");
    format!("{says}: {} of {runs} runs; {clean} that it is mended", cause.runs)
}

fn shown_by(cause: &ComesBack) -> String {
    let mut scenarios: Vec<_> = cause.scenarios.iter().collect();
    scenarios.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let shown: Vec<String> = scenarios.iter().take(MAX_TOLD).map(|(name, times)| format!("{name} ×{times}")).collect();
    let more = match scenarios.len().saturating_sub(MAX_TOLD) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{} {}: {}{more}", cause.checker, cause.reason, shown.join(", "))
}
