//! `excess-copies`: the contract sends each event of a subscription once in each kind of message: in a
//! `sync:update_batch` and in a `sync:frame`, or in a snapshot or a transaction update. A new subscription may bring
//! again what an earlier one brought. Delivery is at least once where replay and live tail meet: an event that a legacy
//! replay brings may come once more behind it. What a planned fault repeated does not count. There is one finding for
//! each client and stream.

use std::collections::{BTreeMap, HashMap};

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::{Arrival, Index, LaneIndex, Sub};
use super::reason::Reason;
use crate::history::{Record, Via};
use crate::plan::FaultKind;

const NAME: &str = "excess-copies";

const NAMED: usize = 4;

static TOO_MANY: Reason =
    Reason::invalid("too-many-copies", "{client} was sent {event} more often than the contract says")
        .deed("sent events more often than the contract says");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "within a subscription, an event came more often than the contract has it",
    source: "contract, \"Server to client\" (every batch is sent a second time as a frame); of the candidate, \"What a \
             client does\", 3 (one transaction update per transaction)",
    rows: &[],
    reasons: &[&TOO_MANY],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let repeated = repeated_by_faults(index, lane);
        let mut found = Repeated::new();
        // A connection that carried the stream before may still bring what was asked for then.
        for sub in lane.subs.iter().filter(|sub| sub.fresh) {
            let allowed = repeated.get(&sub.client).copied().unwrap_or(0);
            for (event, copies) in copies_of(lane, sub) {
                report.count("events", 1);
                let most = most(lane, sub, event.1, &copies) + allowed;
                if copies.len() as u64 > most {
                    found.add((sub.client, sub.stream), || finding(index, lane, sub, event, most, &copies));
                }
            }
        }
        found.report(report);
    }
}

/// How many copies the faults that fired at each client have made, at the most, of any one event.
fn repeated_by_faults(index: &Index<'_>, lane: &LaneIndex<'_>) -> HashMap<usize, u64> {
    let planned = index.plan.plan.faults.iter();
    let more: HashMap<&str, u64> = planned
        .filter_map(|fault| match fault.kind {
            FaultKind::Repeat { more } => Some((fault.id.as_str(), u64::from(more))),
            _ => None,
        })
        .collect();
    let mut repeated = HashMap::new();
    for record in &lane.history.records {
        if let Record::Fault { fault, client, .. } = record
            && let Some(more) = more.get(fault.as_str())
            && let Some(client) = index.plan.clients.get(client.as_str())
        {
            *repeated.entry(client).or_default() += more;
        }
    }
    repeated
}

/// The records of the right copies of each event, by kind of message.
fn copies_of(lane: &LaneIndex<'_>, sub: &Sub<'_>) -> BTreeMap<(u64, Via), Vec<usize>> {
    let mut copies: BTreeMap<(u64, Via), Vec<usize>> = BTreeMap::new();
    for delivery in sub.deliveries.iter().map(|number| &lane.deliveries[*number]) {
        if matches!(delivery.arrival, Arrival::Right(_)) {
            copies.entry((delivery.seq, delivery.via)).or_default().push(delivery.at);
        }
    }
    copies
}

/// How many copies the contract has of an event of which these came.
fn most(lane: &LaneIndex<'_>, sub: &Sub<'_>, via: Via, copies: &[usize]) -> u64 {
    let batched = matches!(via, Via::UpdateBatch | Via::Frame);
    let replay_ended = sub.accepted_at().unwrap_or(lane.history.records.len());
    let replayed = copies.first().is_some_and(|first| *first < replay_ended);
    if batched && replayed { 2 } else { 1 }
}

fn finding(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    sub: &Sub<'_>,
    (seq, via): (u64, Via),
    most: u64,
    copies: &[usize],
) -> Finding {
    let kind = match via {
        Via::UpdateBatch => "in update batches",
        Via::Frame => "in frames",
        Via::Snapshot => "in a snapshot",
        Via::Transaction => "in transaction updates",
    };
    let finding = index.finding(NAME, &TOO_MANY, lane, (sub.client, sub.stream)).of_event(seq);
    let expected = format!("{most} in one subscription {kind}, at the most");
    let finding = finding.expected(expected, format!("{} copies", copies.len()));
    copies.iter().take(NAMED).fold(finding, |finding, at| finding.seen_at(*at))
}
