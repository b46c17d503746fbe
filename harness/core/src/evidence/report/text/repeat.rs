//! Several runs at a terminal: how each ended, how often each finding came back, and what shows that it is mended.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::printer::{Printer, loud};
use crate::evidence::repeat::{ComesBack, Repeated};
use crate::evidence::report::model::Report;
use crate::evidence::report::words::{capitalized, more};
use crate::text::Align::{Left, Right};
use crate::text::{Style, Table};

const MAX_SHOWN: usize = 5;

pub fn print(repeated: &Repeated, worst: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut printer = Printer::new(worst, out);
    let runs = repeated.runs.len();
    let mut table = Table::new(&[("run", Left), ("seed", Right), ("decision", Left)], 0);
    for run in &repeated.runs {
        table.row(vec![run.bundle.clone(), run.seed.to_string(), run.decision.to_string()]);
    }
    printer.out.line(Style::Bold, &format!("The same scenarios, run {runs} times"))?;
    for line in table.lines(printer.width) {
        writeln!(printer.out, "{line}")?;
    }
    writeln!(printer.out)?;
    for cause in repeated.causes.iter().take(MAX_SHOWN) {
        printer.paragraph(0, &sentence(cause, runs))?;
        printer.paragraph(2, &shown_by(cause))?;
    }
    if let Some(more) = more(repeated.causes.len(), MAX_SHOWN, "cause") {
        writeln!(printer.out, "… and {more} in repeat.json")?;
    }
    for (scenario, times) in repeated.unreported.iter().take(MAX_SHOWN) {
        printer.paragraph(0, &format!("{scenario} had a bad outcome in {times} of {runs} runs"))?;
    }
    if !repeated.causes.is_empty() {
        let how = "Clean runs: at least 95 % sure that the fault would have come back, if it comes back as seldom as \
                   these runs leave possible (95 %), each run apart from the others.";
        printer.paragraph(0, how)?;
    }
    let advisory = repeated.exit_code != repeated.decision.exit_code();
    let good = repeated.runs.iter().filter(|run| run.decision.exit_code() == 0).count();
    writeln!(printer.out)?;
    printer.out.styled(loud(repeated.decision.into()), repeated.decision.as_str())?;
    if advisory {
        write!(printer.out, "  (advisory: the exit code is 0)")?;
    }
    writeln!(printer.out, "  {good} of {runs} runs without a block; the worst run decides")?;
    match worst.terminal.bundle {
        Some(bundle) => writeln!(printer.out, "  evidence   {bundle}"),
        None => Ok(()),
    }
}

/// `The legacy lane skipped events on their way to a client: 3 of 5 runs; 12 clean runs show that it is mended`.
fn sentence(cause: &ComesBack, runs: usize) -> String {
    let clean = match cause.clean_runs {
        1 => "1 clean run shows".to_owned(),
        count => format!("{count} clean runs show"),
    };
    format!("{}: {} of {runs} runs; {clean} that it is mended", capitalized(&cause.says), cause.runs)
}

fn shown_by(cause: &ComesBack) -> String {
    let mut scenarios: Vec<_> = cause.scenarios.iter().collect();
    scenarios.sort_by_key(|(_, times)| Reverse(**times));
    let shown: Vec<String> = scenarios.iter().take(MAX_SHOWN).map(|(name, times)| format!("{name} ×{times}")).collect();
    let more = match scenarios.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{} {}: {}{more}", cause.checker, cause.reason, shown.join(", "))
}
