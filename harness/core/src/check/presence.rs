//! `presence`: a lane that lists its connections lists each one that is open, and none that ended. Where a script
//! counts them, it names the clients that are connected then.

use std::collections::BTreeMap;

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::Index;
use super::reason::Reason;
use crate::history::Record;
use crate::ids::OpId;
use crate::plan::Step;

const NAME: &str = "presence";

static STILL_COUNTED: Reason =
    Reason::invalid("still-counted", "the lane still counts a connection of {client} that ended")
        .deed("counts connections that ended");
static NOT_COUNTED: Reason = Reason::invalid("not-counted", "the lane does not count the open connection of {client}")
    .deed("does not count open connections");
static OTHER_COUNT: Reason =
    Reason::invalid("another-count", "the lane counts another number of connections than are open")
        .deed("counts another number of connections than are open");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a connection that is open is not counted, or one that ended still is",
    source: "contract, \"The module's tables\" (`active_connection`: a row per live connection)",
    rows: &["presence-handshake"],
    reasons: &[&STILL_COUNTED, &NOT_COUNTED, &OTHER_COUNT],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    let steps = index.plan.plan.cases.iter().flat_map(|case| &case.steps);
    let planned: BTreeMap<OpId, usize> = steps
        .filter_map(|step| match step {
            Step::Count { op, present, .. } => Some((*op, present.len())),
            _ => None,
        })
        .collect();
    for lane in index.lanes() {
        let mut found = Repeated::new();
        for (at, record) in lane.history.records.iter().enumerate() {
            let Record::Connections { op, listed, missing, left } = record else { continue };
            report.count("connections", listed + left.len() as u64);
            let reasons = [(missing, &NOT_COUNTED), (left, &STILL_COUNTED)];
            for (client, reason) in reasons.into_iter().flat_map(|(of, reason)| of.iter().map(move |of| (of, reason))) {
                let finding = || Finding::new(NAME, reason).on(lane.lane).at_client(client.as_str()).seen_at(at);
                found.add((reason.word, client.as_str()), finding);
            }
            let expected = op.and_then(|op| planned.get(&op)).map(|present| *present as u64);
            if let Some(expected) = expected.filter(|expected| missing.is_empty() && expected != listed) {
                let finding = || Finding::new(NAME, &OTHER_COUNT).on(lane.lane).seen_at(at).expected(expected, listed);
                found.add((OTHER_COUNT.word, ""), finding);
            }
        }
        found.report(report);
    }
}

#[cfg(test)]
mod tests;
