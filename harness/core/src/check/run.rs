//! Runs the checkers over the two histories of a plan.
#![allow(missing_docs, reason = "the names say it")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::Index;
use super::list::ALL;
use super::reason::{Reason, Verdict};
use crate::hash::HashVector;
use crate::history::History;
use crate::history::valid::valid;
use crate::ids::LaneId;
use crate::plan::Plan;

/// The name under which a history that is not valid is reported.
pub(super) const HISTORY: &str = "history";

pub(super) static DOES_NOT_FIT: Reason =
    Reason::unknown("does-not-fit", "the recorded history is not valid: {got}; this is no fault of the lane");

/// A reason that a finding of any checker can have.
pub(super) static PANICKED: Reason =
    Reason::unknown("checker-panicked", "the checker {checker} panicked and said: {got}");

/// What the checkers look at: a plan and both lanes' histories of it.
///
/// The lane of a history is the place that it is given here, not what its header says, so that a lane can be checked
/// against itself.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    pub plan: &'a Plan,
    pub legacy: &'a History,
    pub candidate: &'a History,
    /// Whether only the candidate was driven. The legacy lane's history is then empty.
    pub alone: bool,
    /// What the legacy lane's clients applied in an earlier run.
    pub baseline: Option<&'a HashVector>,
}

impl<'a> CheckInput<'a> {
    pub fn new(plan: &'a Plan, legacy: &'a History, candidate: &'a History) -> CheckInput<'a> {
        CheckInput { plan, legacy, candidate, alone: false, baseline: None }
    }

    /// The candidate alone, against what the legacy lane once did, where that was recorded.
    #[must_use]
    pub fn alone(self, baseline: Option<&'a HashVector>) -> CheckInput<'a> {
        CheckInput { alone: true, baseline, ..self }
    }

    /// The lanes that were driven.
    pub fn lanes(&self) -> &'static [LaneId] {
        if self.alone { &[LaneId::Candidate] } else { &LaneId::BOTH }
    }

    pub fn history(&self, lane: LaneId) -> &'a History {
        match lane {
            LaneId::Legacy => self.legacy,
            LaneId::Candidate => self.candidate,
        }
    }
}

/// Every checker's report where both histories are valid; else a report of the one that is not. This tool recorded such
/// a history wrongly, so the verdict is `Unknown`, and no checker runs.
pub fn judge_all(input: &CheckInput<'_>) -> Vec<Report> {
    let mut report = Report::new(HISTORY);
    for lane in input.lanes().iter().copied() {
        if let Err(misfit) = valid(input.plan, input.history(lane)) {
            report.push(Finding::new(HISTORY, &DOES_NOT_FIT).on(lane).seen_at(misfit.record).got(misfit.what));
        }
    }
    match report.verdict {
        Verdict::Valid => check_all(input),
        _ => vec![report],
    }
}

/// Runs every checker. One that panics is reported as `Unknown` and stops no other.
pub fn check_all(input: &CheckInput<'_>) -> Vec<Report> {
    let index = guarded(|| {
        let index = Index::build(input.plan, input.legacy, input.candidate);
        if input.alone { index.alone(input.baseline) } else { index }
    });
    let report = |checker: &&Checker| match &index {
        Ok(index) => check_one(checker, index),
        Err(said) => panicked(checker, said.clone()),
    };
    ALL.iter().map(report).collect()
}

pub(super) fn check_one(checker: &Checker, index: &Index<'_>) -> Report {
    let checked = guarded(|| {
        let mut report = Report::new(checker.name);
        (checker.check)(index, &mut report);
        report
    });
    let report = checked.unwrap_or_else(|said| panicked(checker, said));
    debug_assert!(
        report.findings.iter().all(|finding| {
            checker.reasons.iter().copied().chain([&PANICKED]).any(|listed| std::ptr::eq(listed, finding.reason))
        }),
        "`{}` reports a reason that its `reasons` do not list",
        checker.name
    );
    report
}

fn panicked(checker: &Checker, said: Option<String>) -> Report {
    let mut finding = Finding::new(checker.name, &PANICKED);
    finding.witness.got = said;
    let mut report = Report::new(checker.name);
    report.push(finding);
    report
}

/// What `work` gives, or what it said when it panicked.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Option<String>> {
    // Unwind safety: `work` changes nothing but its own result, which is dropped.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| match panic.downcast::<String>() {
        Ok(said) => Some(*said),
        Err(panic) => panic.downcast_ref::<&str>().map(|said| (*said).to_owned()),
    })
}

#[cfg(test)]
mod tests;
