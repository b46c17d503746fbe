//! `recovery`: a client whose connection ended follows its streams again within about the same time on each lane. The
//! time counts from the end of the connection, when nothing keeps it from another one. So it includes the wait before
//! the reconnect, which the plan drew alike for both lanes, the new connection, and the replay.

use super::checker::{Checker, nothing};
use super::finding::Report;
use super::index::Index;
use super::measured::Measure;
use super::reason::{Reason, Shortage};
use crate::history::Record;

/// The name of the checker.
pub const NAME: &str = "recovery";

static SLOWER: Reason =
    Reason::invalid("slower", "clients take longer to recover than on the other lane, beyond the budget")
        .deed("let clients recover more slowly than the other lane, beyond the budget");
static TOO_FEW: Reason = Reason::unknown("too-few", "too few recoveries were timed").shortage(Shortage::NotDone);
static NOISY: Reason = Reason::unknown(
    "noisy",
    "this machine was too busy to compare the recoveries of the lanes; run again when it does less",
);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a lane lets clients recover more slowly than the other",
    source: "the row `recovery-time`: bounded time from heal to convergence, compared",
    rows: &["recovery-time"],
    reasons: &[&SLOWER, &TOO_FEW, &NOISY],
    accounts_for: "",
    explains: nothing,
    check,
};

static MEASURE: Measure = Measure { checker: NAME, us: recovery, slower: &SLOWER, too_few: &TOO_FEW, noisy: &NOISY };

pub fn recovery(record: &Record) -> Option<u64> {
    match record {
        Record::Recovered { after_us, .. } => Some(*after_us),
        _ => None,
    }
}

fn check(index: &Index<'_>, report: &mut Report) {
    if index.plan.plan.times_recoveries() {
        MEASURE.judge(index, &index.plan.plan.budgets().recovery, report);
    }
}

#[cfg(test)]
mod tests;
