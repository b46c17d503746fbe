//! `latency`: events that are published at a rate reach clients on each lane within about the same time. The time
//! counts from the moment when an event was to be sent. So a lane that stalls makes all events late that were to be
//! sent meanwhile. What the machine sent too late is taken off, or the delivery is not used.

use super::checker::{Checker, nothing};
use super::finding::Report;
use super::index::Index;
use super::measured::{Measure, samples};
use super::reason::{Reason, Shortage};
use crate::history::Record;
use crate::stats::lane_times;

/// The name of the checker.
pub const NAME: &str = "latency";
/// The name of what is only reported: the time from the answer to a publish until the event was applied.
const AFTER_ACK: &str = "after-ack";

static SLOWER: Reason = Reason::invalid("slower", "deliveries take longer than on the other lane, beyond the budget")
    .deed("delivered more slowly than the other lane, beyond the budget");
static TOO_FEW: Reason = Reason::unknown("too-few", "too few deliveries were timed").shortage(Shortage::NotDone);
static NOISY: Reason = Reason::unknown(
    "noisy",
    "this machine was too busy to compare the deliveries of the lanes; run again when it does less",
);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a lane delivers more slowly than the other",
    source: "the row `latency-parity`: worse than the budget by more than the noise of the machine",
    rows: &["latency-parity"],
    reasons: &[&SLOWER, &TOO_FEW, &NOISY],
    accounts_for: "",
    explains: nothing,
    check,
};

static MEASURE: Measure = Measure { checker: NAME, us: latency, slower: &SLOWER, too_few: &TOO_FEW, noisy: &NOISY };

pub fn latency(record: &Record) -> Option<u64> {
    match record {
        Record::Timed(timed) => timed.latency_us(),
        _ => None,
    }
}

fn after_ack(record: &Record) -> Option<u64> {
    match record {
        Record::Timed(timed) => timed.latency_us().map(|_| timed.applied_us.saturating_sub(timed.acked_us)),
        _ => None,
    }
}

fn check(index: &Index<'_>, report: &mut Report) {
    if index.plan.plan.has_rate() {
        MEASURE.judge(index, &index.plan.plan.budgets().latency, report);
        let lanes = index.both().each_ref().map(|lane| samples(lane.history, after_ack));
        report.compared.insert(AFTER_ACK.to_owned(), lane_times([&lanes[0], &lanes[1]]));
    }
}

#[cfg(test)]
mod tests;
