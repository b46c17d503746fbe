//! `unseen`: by the end, a client that is connected on both lanes was delivered an event on one of them alone, and
//! nothing excuses the other: the event was not pruned before a bootstrap, does not lie below a cursor put on the
//! client's disk, and was sent. Events are compared by the publish that they are and not by seq, so that one shifted
//! seq is not reported many times. The finding's lane is the one that failed to deliver.

use std::collections::BTreeMap;

use super::checker::Checker;
use super::convergence;
use super::finding::{RecordRef, Report};
use super::index::{Arrival, Index, LaneIndex, PairKey, Settled};
use super::owed::excused_up_to;
use super::reason::{Reason, Verdict};

pub const NAME: &str = "unseen";

static ON_ONE_LANE: Reason =
    Reason::invalid("delivered-on-one-lane-only", "{event} never reached {client}; the other lane delivered it")
        .deed("never delivered events that the other lane delivered");
static PERHAPS_NEVER_WRITTEN: Reason = Reason::unknown(
    "perhaps-never-written",
    "{event} never reached {client}, and it is unknown whether it was written",
);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "one lane delivered an event to a client, the other never did; reported on the lane that did not",
    source: "contract, \"Parity of meaning with the legacy lane\"",
    rows: &["replay-determinism", "multi-device"],
    reasons: &[&ON_ONE_LANE, &PERHAPS_NEVER_WRITTEN],
    accounts_for: "same client and seqs: convergence",
    explains: |cause, effect| {
        effect.is_at_client_of(cause) && effect.is_of(&[convergence::NAME]) && effect.overlaps(cause)
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    if index.lanes().iter().all(|lane| lane.done) {
        for lane in index.lanes() {
            for pair in index.plan.owing_pairs() {
                compare(index, lane, pair, report);
            }
        }
    }
}

/// What a lane delivered to this pair: each publish with its first record and its seq there.
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
            // What was never written here is no loss. Another checker reports that it was never sent, or put off.
            Settled::NeverSent | Settled::PutOff { .. } => continue,
            Settled::Open => Verdict::Unknown,
            Settled::Refused { .. } if state.any_open => Verdict::Unknown,
            _ => lane.charge(key.0),
        };
        let perhaps = verdict == Verdict::Unknown && state.may_be_done() && state.acked_at().is_none();
        let reason = if perhaps { &PERHAPS_NEVER_WRITTEN } else { &ON_ONE_LANE };
        let finding = index.finding(NAME, reason, lane, key).with(verdict).of_event(seq);
        let mut finding = finding.of_op(index.plan.ops[op].id).seen_on(lane.lane.other(), at);
        finding.witness.records.extend(state.last.map(|record| RecordRef { lane: lane.lane, record }));
        report.push(finding);
    }
}
