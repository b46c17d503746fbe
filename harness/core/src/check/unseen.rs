//! `unseen`: by the end, a client that is connected on both lanes was delivered an event on one of them alone, and
//! nothing excuses the other: the event was not pruned before a bootstrap, does not lie below a cursor put on the
//! client's disk, and was sent. Events are compared by the publish that they are and not by seq, so that one shifted
//! seq is not reported many times. The finding's lane is the one that failed to deliver.
//!
//! Where the candidate is judged alone, a baseline stands for the other lane.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Checker;
use super::convergence;
use super::finding::{RecordRef, Report};
use super::index::{Arrival, Index, LaneIndex, PairKey, Settled};
use super::owed::excused_up_to;
use super::reason::{Reason, Verdict};
use crate::hash::{HashVector, PayloadHash};
use crate::ids::{ClientId, StreamId};

pub const NAME: &str = "unseen";

static ON_ONE_LANE: Reason =
    Reason::invalid("delivered-on-one-lane-only", "{event} never reached {client}; the other lane delivered it")
        .deed("never delivered events that the other lane delivered");
static PERHAPS_NEVER_WRITTEN: Reason = Reason::unknown(
    "perhaps-never-written",
    "{event} never reached {client}, and it is unknown whether it was written",
);

static NOT_AS_RECORDED: Reason =
    Reason::invalid("not-as-recorded", "{event} never reached {client}; the baseline has it")
        .deed("never delivered events that the baseline has");
static OTHER_RECORDED: Reason =
    Reason::invalid("another-payload-recorded", "{event} came to {client} with another payload than the baseline has")
        .deed("delivered other payloads than the baseline has");
static NOT_RECORDED: Reason =
    Reason::warning("not-in-the-baseline", "{event} came to {client}, and the baseline does not have it");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "one lane delivered an event to a client, the other never did; reported on the lane that did not",
    source: "contract, \"Parity of meaning with the legacy lane\"",
    rows: &["replay-determinism", "multi-device"],
    reasons: &[&ON_ONE_LANE, &PERHAPS_NEVER_WRITTEN, &NOT_AS_RECORDED, &OTHER_RECORDED, &NOT_RECORDED],
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
                match index.baseline {
                    Some(baseline) => compare_recorded(index, lane, (pair, baseline), report),
                    None => compare(index, lane, pair, report),
                }
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

/// Compares what a client was delivered with what it applied on the recorded lane. What a lane does wrong by itself is
/// for the other checkers to say.
fn compare_recorded(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    (key, baseline): (PairKey, &HashVector),
    report: &mut Report,
) {
    let (client, stream) = (index.plan.clients.name(key.0), index.plan.streams.name(key.1));
    let recorded: BTreeMap<u64, PayloadHash> = baseline
        .series(&StreamId::new(stream), &ClientId::new(client))
        .map(|(seq, entry)| (seq.0, entry.hash))
        .collect();
    report.count("events compared", recorded.len() as u64);
    let excused = excused_up_to(&index.plan, lane, key);
    let arrived = |seq| lane.pair(key).is_some_and(|pair| pair.has(seq));
    for seq in recorded.keys().filter(|seq| **seq > excused && !arrived(**seq)) {
        let written = lane.streams[key.1].owners.contains_key(seq);
        let verdict = if written { lane.charge(key.0) } else { Verdict::Unknown };
        report.push(index.finding(NAME, &NOT_AS_RECORDED, lane, key).with(verdict).of_event(*seq));
    }
    let mut reported = BTreeSet::new();
    for number in lane.pair(key).map_or(&[][..], |pair| &pair.deliveries) {
        let delivery = &lane.deliveries[*number];
        let Arrival::Right(op) = delivery.arrival else { continue };
        let finding = |reason| index.finding(NAME, reason, lane, key).of_event(delivery.seq).seen_at(delivery.at);
        let finding = match recorded.get(&delivery.seq) {
            None => finding(&NOT_RECORDED),
            // Which of the publishes that were sent together stands at a seq is open.
            Some(hash) if Some(*hash) != delivery.hash && index.plan.ops[op].planned_seq() == Some(delivery.seq) => {
                let got = delivery.hash.map(|hash| hash.to_string()).unwrap_or_default();
                finding(&OTHER_RECORDED).expected(hash, got)
            }
            Some(_) => continue,
        };
        if reported.insert(delivery.seq) {
            report.push(finding);
        }
    }
}
