//! `unseen`: one lane delivered an event to a client, and the other never did.
//!
//! Anomaly: by the end, a client that is connected on both lanes was delivered an event on one of them and not on the
//! other, although nothing on the other excuses it (pruned before a bootstrap, below a cursor put on its disk, never sent).
//! Of a client that could not be reached nobody can tell (`Unknown`). Events
//! are compared by the publish that they are, not by seq, so that one shifted seq is not told as many. The finding's lane
//! is the one that failed to deliver. Where nobody knows whether that lane ever wrote the event, it is `Unknown`. Source:
//! contract, "Parity of meaning with the legacy lane".

use std::collections::BTreeMap;

use super::index::{Arrival, Index, LaneIndex, PairKey, Settled};
use super::owed::excused_up_to;
use super::{CheckInput, Checker, Finding, Report, Verdict};

/// See the module's documentation.
pub struct Unseen;

impl Checker for Unseen {
    fn name(&self) -> &'static str {
        "unseen"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        if !index.lanes().iter().all(|lane| lane.done) {
            return report;
        }
        for lane in index.lanes() {
            for pair in index.plan.owing_pairs() {
                compare(index, lane, pair, &mut report);
            }
        }
        report
    }
}

/// What the other lane delivered to this pair: each publish with its first record and its seq there.
fn delivered(lane: &LaneIndex<'_>, key: PairKey) -> BTreeMap<usize, (usize, u64)> {
    let mut delivered = BTreeMap::new();
    for number in lane.pair(key).map_or(&[][..], |pair| &pair.deliveries) {
        let delivery = &lane.deliveries[*number];
        if let Arrival::Right(op) = delivery.arrival {
            delivered.entry(op).or_insert((delivery.at, delivery.seq));
        }
    }
    delivered
}

fn compare(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey, report: &mut Report) {
    let (here, there) = (delivered(lane, key), delivered(index.other(lane.lane), key));
    report.count("events compared", there.len() as u64);
    if here.len() >= there.len() && there.keys().all(|op| here.contains_key(op)) {
        return;
    }
    let excused = excused_up_to(&index.plan, lane, key);
    for (op, (at, seq_there)) in there {
        // One event may stand under two publishes (a repeated one): what counts is its payload at its seq.
        let state = &lane.ops[op];
        let seq = state.acked_seq().or(index.plan.ops[op].planned_seq()).unwrap_or(seq_there);
        let arrived = lane.pair(key).is_some_and(|pair| pair.has(seq));
        if here.contains_key(&op) || seq <= excused || arrived {
            continue;
        }
        let verdict = match state.settled {
            // What was never written here is no loss: that it was never sent, or put off, is told once.
            Settled::NeverSent | Settled::PutOff { .. } => continue,
            Settled::Open => Verdict::Unknown,
            Settled::Refused { .. } if state.any_open => Verdict::Unknown,
            _ => lane.charge(key.0),
        };
        let open = matches!(state.settled, Settled::Open) || state.any_open;
        let reason = if verdict == Verdict::Unknown && open && state.acked_at().is_none() {
            "perhaps-never-written"
        } else {
            "delivered-on-one-lane-only"
        };
        let mut finding = Finding::new("unseen", verdict, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(key.0))
            .in_stream(index.plan.streams.name(key.1))
            .of_event(seq)
            .of_op(index.plan.ops[op].id)
            .seen_on(lane.lane.other(), at);
        finding.witness.records.extend(state.last.map(|record| super::RecordRef { lane: lane.lane, record }));
        report.push(finding);
    }
}
