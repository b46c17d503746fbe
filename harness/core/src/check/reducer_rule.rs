//! `reducer-rule`: each scripted call of a reducer is answered as the contract says, and the rows that it leaves are
//! those of the calls that were done. What listeners heard of signals is judged as rows are. A lane without reducers is
//! not asked.

use super::checker::{Checker, nothing};
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, OpState, PlannedOp, Settled, What};
use super::reason::{Reason, Shortage};

pub const NAME: &str = "reducer-rule";

static ACCEPTED: Reason = Reason::invalid("accepted", "{op} had to be refused by a reducer, and was done")
    .deed("did calls of reducers that it had to refuse");
static REFUSED: Reason =
    Reason::invalid("refused", "{op} was refused by a reducer").deed("refused calls of reducers that it had to do");
static OTHER_CODE: Reason =
    Reason::invalid("refused-with-another-code", "{op} was refused by a reducer with another code")
        .deed("refused calls of reducers with another code");
static OTHER_ROWS: Reason =
    Reason::invalid("other-rows", "{op} found other rows than the calls of reducers before it leave")
        .deed("stores other rows than its reducers may leave");
static NEVER_ANSWERED: Reason =
    Reason::unknown("never-answered", "the outcome of {op}, a call of a reducer, is unknown")
        .deed("never answered calls of reducers")
        .shortage(Shortage::NoAnswer);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a reducer broke a rule: it did what it had to refuse, refused what it had to do, or left other rows",
    source: "contract, \"The module's reducers\" (idempotent by an explicit key, a conflict is an explicit error)",
    rows: &["reducer-rules"],
    reasons: &[&ACCEPTED, &REFUSED, &OTHER_CODE, &OTHER_ROWS, &NEVER_ANSWERED],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        for (op, state) in index.plan.ops.iter().zip(&lane.ops) {
            if let Some(finding) = judge(index, lane, op, state) {
                report.push(finding);
            }
            let asked = matches!(op.what, What::Call { .. } | What::Rows { .. }) && state.sent.is_some();
            report.count("calls of reducers", u64::from(asked));
        }
    }
}

fn judge(index: &Index<'_>, lane: &LaneIndex<'_>, op: &PlannedOp<'_>, state: &OpState<'_>) -> Option<Finding> {
    let finding = |reason| {
        let finding = index.stream_finding(NAME, reason, lane, op.stream).of_op(op.id);
        state.last.into_iter().fold(finding, Finding::seen_at)
    };
    let (what, refused) = match op.what {
        What::Call { reducer, refused } => (reducer, refused),
        What::Rows { query, .. } => (query, None),
        _ => return None,
    };
    let in_words = |code: Option<&str>| match code {
        Some(code) => format!("{what}: {code}"),
        None => format!("{what}: done"),
    };
    match (state.settled, refused) {
        (Settled::NeverSent | Settled::PutOff { .. }, _) => None,
        (Settled::Open, _) => Some(finding(&NEVER_ANSWERED)),
        (Settled::Done { .. }, Some(_)) => Some(finding(&ACCEPTED).expected(in_words(refused), in_words(None))),
        (Settled::Refused { refusal, .. }, _) if refused == Some(&refusal.code) => None,
        (Settled::Refused { refusal, .. }, _) => {
            let reason = if refused.is_some() { &OTHER_CODE } else { &REFUSED };
            Some(finding(reason).expected(in_words(refused), in_words(Some(&refusal.code))))
        }
        (Settled::Done { .. }, None) => match op.what {
            What::Rows { rows, .. } if rows != state.rows => Some(finding(&OTHER_ROWS).expected(rows, state.rows)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
