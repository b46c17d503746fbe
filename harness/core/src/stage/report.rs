//! A stage record as text for people.

use super::{Outcome, StageRecord, rollout};
use crate::text::{columns, visible, wrap};

/// The whole record in lines of at most so many columns.
pub fn text(record: &StageRecord, width: usize) -> String {
    let mut lines = vec![format!("{} {}", record.command, visible(&record.environment))];
    let names = record.checks.iter().map(|check| columns(&check.name)).max().unwrap_or(0);
    // Outcome, two gaps of two, and the indentation.
    let indent = 2 + OUTCOME + 2 + names + 2;
    for check in &record.checks {
        let head = format!("  {:<OUTCOME$}  {:<names$}  ", word(check.outcome), visible(&check.name));
        let body = wrap(&visible(&check.saw), width.saturating_sub(indent).max(LEAST));
        push(&mut lines, &head, indent, body);
        if check.outcome != Outcome::Passed
            && let Some(mend) = &check.mend
        {
            let body = wrap(&visible(mend), width.saturating_sub(indent + MEND.len()).max(LEAST));
            push(&mut lines, &format!("{}{MEND}", " ".repeat(indent)), indent + MEND.len(), body);
        }
    }
    lines.extend(wrap(&verdict(record), width));
    lines.join("\n")
}

const OUTCOME: usize = 7;
const MEND: &str = "mend: ";
/// Text gets no narrower than this, however narrow the terminal.
const LEAST: usize = 20;

fn push(lines: &mut Vec<String>, head: &str, indent: usize, body: Vec<String>) {
    let mut body = body.into_iter();
    lines.push(format!("{head}{}", body.next().unwrap_or_default()).trim_end().to_owned());
    lines.extend(body.map(|line| format!("{}{line}", " ".repeat(indent))));
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Skipped => "skipped",
        Outcome::Unknown => "UNKNOWN",
        Outcome::Failed => "FAILED",
    }
}

/// The decision in one sentence.
pub fn verdict(record: &StageRecord) -> String {
    let of = |outcome| record.checks.iter().filter(move |check| check.outcome == outcome);
    let names = |outcome| of(outcome).map(|check| visible(&check.name)).collect::<Vec<_>>().join(", ");
    let count = |outcome| of(outcome).count();
    let mut parts = vec![format!("{} passed", count(Outcome::Passed))];
    for (outcome, word) in [(Outcome::Failed, "failed"), (Outcome::Unknown, "unknown"), (Outcome::Skipped, "skipped")] {
        if count(outcome) > 0 {
            parts.push(format!("{} {word} ({})", count(outcome), names(outcome)));
        }
    }
    let environment = visible(&record.environment);
    let decision = match record.command.as_str() {
        rollout::COMMAND => rollout::word(record.decision).as_str().to_uppercase(),
        _ => record.decision.to_string(),
    };
    format!("{decision}  {} {environment}: {}", record.command, parts.join(", "))
}
