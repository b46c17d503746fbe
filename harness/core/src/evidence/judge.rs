//! Judges a run: checkers over every scenario, the matrix over all, and the gate's decision. Run once when a bundle is
//! written and once when it is rechecked, by the same code on the same recorded bytes.

use super::document::State;
use super::judged::{Decided, Judged};
use crate::check::Verdict;
use crate::history::History;
use crate::plan::Plan;

/// A scenario as it was recorded.
pub struct JudgeInput<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The legacy lane's history.
    pub legacy: &'a History,
    /// The candidate lane's history.
    pub candidate: &'a History,
}

/// Judges a run.
pub fn judge(_inputs: &[JudgeInput<'_>], _enforce_matrix: bool, _state: &State) -> Judged {
    Judged {
        scenarios: vec![],
        matrix: vec![],
        decision: Decided { allow: false, verdict: Verdict::Unknown, reasons: vec![], exit_code: 2 },
    }
}
