//! `unreached`: a client could not be reached, or could not read what came. Always `Unknown`, and it accounts for what
//! the client then did not get.
//!
//! Anomalies: a client that the plan leaves connected has no subscribed connection at the end (`no-connection`, with how
//! its connections ended; `never-tried` where the script did not come to it); it gave up (`gave-up`); it got a frame or
//! a row that it can't read (`unreadable`); a limit of ours ended a connection (`our-limit`). The network, a load
//! balancer, a profile that does not fit or a limit of ours may be the cause, so that no lane is charged with a loss.
//! Source: the house rule that a lane is blamed only for what it did.

use std::collections::BTreeMap;

use super::index::{Index, LaneIndex, Reach};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::{Closed, Record};

/// So many causes of ends are named.
const MAX_CAUSES: usize = 3;
/// So many characters of a cause are shown.
const MAX_CAUSE_CHARS: usize = 200;

/// See the module's documentation.
pub struct Unreached;

impl Checker for Unreached {
    fn name(&self) -> &'static str {
        "unreached"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        let mut clients: Vec<usize> = index.plan.subscribes.iter().map(|(client, _)| *client).collect();
        clients.dedup();
        for lane in index.lanes().iter().filter(|lane| lane.done) {
            for client in &clients {
                report.count("clients", 1);
                for finding in of_client(index, lane, *client) {
                    report.push(finding);
                }
            }
        }
        report
    }
}

fn of_client(index: &Index<'_>, lane: &LaneIndex<'_>, client: usize) -> Vec<Finding> {
    let reach = lane.reach(client);
    let finding = |reason, at: Option<usize>, got: String| {
        let mut finding = Finding::new("unreached", Verdict::Unknown, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(client));
        finding.witness.got = (!got.is_empty()).then_some(got);
        match at {
            Some(at) => finding.seen_at(at),
            None => finding,
        }
    };
    let mut findings = Vec::new();
    if let Some(at) = reach.gave_up {
        findings.push(finding("gave-up", Some(at), told(lane, at)));
    } else if index.plan.connected_at_end(client) && !reach.connected_at_end() {
        let reason = if reach.tried { "no-connection" } else { "never-tried" };
        findings.push(finding(reason, reach.ends.last().copied(), causes(lane, reach)));
    }
    for (reason, records) in [("unreadable", &reach.unreadable), ("our-limit", &reach.limits)] {
        if let Some(first) = records.first() {
            let mut finding = finding(reason, Some(*first), told(lane, *first));
            finding.witness.repeats = records.len() as u64 - 1;
            findings.push(finding);
        }
    }
    findings
}

/// What a record says of itself.
fn told(lane: &LaneIndex<'_>, at: usize) -> String {
    match lane.history.records.get(at) {
        Some(Record::GaveUp { why, .. }) => why.clone(),
        Some(Record::Unreadable { what, .. }) => what.clone(),
        Some(Record::Closed { why, .. }) => why.to_string(),
        _ => String::new(),
    }
}

/// How a client's connections ended, the most frequent first: `217 times closed with 4001`.
fn causes(lane: &LaneIndex<'_>, reach: &Reach) -> String {
    let ends = reach.ends.iter().filter_map(|at| match lane.history.records.get(*at) {
        Some(Record::Closed { why, .. }) => Some(why),
        _ => None,
    });
    by_cause(ends)
}

/// Ends by their cause, the most frequent first.
pub(super) fn by_cause<'a>(ends: impl Iterator<Item = &'a Closed>) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for why in ends {
        let cause: String = why.to_string().chars().take(MAX_CAUSE_CHARS).collect();
        *counts.entry(cause).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let others: u64 = counts.iter().skip(MAX_CAUSES).map(|(_, count)| count).sum();
    let named = counts.into_iter().take(MAX_CAUSES).map(|(cause, count)| match count {
        1 => format!("once {cause}"),
        _ => format!("{count} times {cause}"),
    });
    let mut named: Vec<String> = named.collect();
    if others > 0 {
        named.push(format!("{others} times otherwise"));
    }
    named.join(", ")
}
