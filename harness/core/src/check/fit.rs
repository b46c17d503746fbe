//! `history`: the records of a history do not fit together, or do not fit the plan (`does-not-fit`). Such a history was not
//! written by a sound driver, so nothing of it is held against a lane: the verdict is `Unknown`, and no checker is asked.
//! Source: the history's own format (`history::valid`).

use super::{CheckInput, Finding, Report, Verdict, check_all};
use crate::history::valid::valid;
use crate::ids::LaneId;

/// What is made of a scenario: every checker's report where both histories are valid, else a report of what is not.
pub fn judge_all(input: &CheckInput<'_>) -> Vec<Report> {
    let mut report = Report::new("history");
    for (lane, history) in LaneId::BOTH.into_iter().zip([input.legacy, input.candidate]) {
        if let Err(misfit) = valid(input.plan, history) {
            let finding = Finding::new("history", Verdict::Unknown, "does-not-fit").on(lane);
            let mut finding = finding.seen_at(misfit.record);
            finding.witness.got = Some(misfit.what);
            report.push(finding);
        }
    }
    match report.verdict {
        Verdict::Valid => check_all(input),
        _ => vec![report],
    }
}

#[cfg(test)]
mod tests;
