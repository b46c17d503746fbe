//! Checkers: a file per property. Each says in its doc comment what its anomaly is and where the rule comes from.
//!
//! A checker is pure and total: the same plan and histories give the same report, and no history, however broken, makes
//! it fail. [`check_all`] runs every one of them; [`explain::explain`] then tells principal findings from their
//! consequences. Both lanes are judged against the plan, each alone; only `unseen` compares them.

mod contradiction;
mod convergence;
pub mod describe;
mod duplicate_apply;
mod earned;
mod excess_copies;
pub mod explain;
mod finding;
mod fit;
mod gap;
mod hash_mismatch;
mod index;
mod lost_write;
mod nonmonotonic;
mod not_live;
mod observed_then_lost;
mod order;
mod owed;
mod phantom;
mod stale_cursor;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod unplanned_end;
mod unreached;
mod unseen;
mod vacuity;
mod wrong_answer;
mod wrong_stream;

pub use earned::earned;
pub use finding::{Finding, MAX_FINDINGS, RecordRef, Report, Verdict, Witness};
pub use fit::judge_all;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::history::History;
use crate::ids::LaneId;
use crate::plan::Plan;
use index::Index;

/// What every checker looks at: the plan and both lanes' histories of it.
///
/// The lane of a history is the place that it is given here, not what its header says, so that a lane can be checked
/// against itself.
pub struct CheckInput<'a> {
    /// The plan that both lanes were driven with.
    pub plan: &'a Plan,
    /// The legacy lane's history.
    pub legacy: &'a History,
    /// The candidate lane's history.
    pub candidate: &'a History,
    index: OnceLock<Index<'a>>,
}

impl<'a> CheckInput<'a> {
    /// An input whose indexes are built when a checker first asks for them.
    pub fn new(plan: &'a Plan, legacy: &'a History, candidate: &'a History) -> CheckInput<'a> {
        CheckInput { plan, legacy, candidate, index: OnceLock::new() }
    }

    /// One lane's history.
    pub fn history(&self, lane: LaneId) -> &'a History {
        match lane {
            LaneId::Legacy => self.legacy,
            LaneId::Candidate => self.candidate,
        }
    }

    /// The indexes that all checkers share.
    fn index(&self) -> &Index<'a> {
        self.index.get_or_init(|| Index::build(self.plan, self.legacy, self.candidate))
    }
}

/// A property that a run must have.
pub trait Checker: Sync {
    /// The property's name in the words of the field, as it stands in scenarios and findings.
    fn name(&self) -> &'static str;

    /// Judges. Pure and total.
    fn check(&self, input: &CheckInput<'_>) -> Report;
}

/// Every checker, in the order in which they are reported.
pub const ALL: [&dyn Checker; 18] = [
    &lost_write::LostWrite,
    &duplicate_apply::DuplicateApply,
    &nonmonotonic::Nonmonotonic,
    &gap::Gap,
    &unseen::Unseen,
    &hash_mismatch::HashMismatch,
    &phantom::Phantom,
    &wrong_stream::WrongStream,
    &stale_cursor::StaleCursor,
    &convergence::Convergence,
    &not_live::NotLive,
    &excess_copies::ExcessCopies,
    &observed_then_lost::ObservedThenLost,
    &wrong_answer::WrongAnswer,
    &contradiction::SelfContradiction,
    &unreached::Unreached,
    &unplanned_end::UnplannedEnd,
    &vacuity::Vacuity,
];

/// The names of all checkers, in the order of [`ALL`]: what a known-bad scenario may expect.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|checker| checker.name())
}

/// Runs every checker. One that panics is reported as `Unknown`, reason `checker-panicked`, and stops no other.
pub fn check_all(input: &CheckInput<'_>) -> Vec<Report> {
    ALL.iter().map(|checker| check_one(*checker, input)).collect()
}

/// Runs one checker, and makes an `Unknown` of a panic.
pub fn check_one(checker: &dyn Checker, input: &CheckInput<'_>) -> Report {
    // Unwind safety: a checker mutates nothing but its own report, and an index that panics is not kept.
    catch_unwind(AssertUnwindSafe(|| checker.check(input))).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        let mut finding = Finding::new(checker.name(), Verdict::Unknown, "checker-panicked");
        finding.witness.got = said;
        let mut report = Report::new(checker.name());
        report.push(finding);
        report
    })
}
