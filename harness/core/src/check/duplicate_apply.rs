//! `duplicate-apply`: a client applied the same seq twice although it did not rewind, die or get another cursor in
//! between; or a payload that was published once stands at two seqs of its stream; or a publish that was repeated under
//! its key was not answered as one.

use std::collections::{BTreeSet, HashMap};

use super::checker::Checker;
use super::finding::Report;
use super::index::{Arrival, Delivery, Index, LaneIndex, Pair, PairKey, Settled, What};
use super::reason::{Reason, Verdict};
use super::{convergence, gap, phantom, unseen, wrong_answer};
use crate::hash::PayloadHash;
use crate::history;
use crate::plan::PublishExpect;

pub const NAME: &str = "duplicate-apply";

static APPLIED_TWICE: Reason = Reason::invalid("applied-twice", "{client} applied {event} twice");
static APPENDED_TWICE: Reason =
    Reason::invalid("appended-twice", "{event} was published once, and the stream contains it twice")
        .deed("holds events twice that were published once");
static REPEAT_APPENDED: Reason =
    Reason::invalid("repeated-publish-appended", "{op} repeated a publish to {stream} and was given a seq of its own")
        .deed("appended repeated publishes again");
static REPEAT_TAKEN_FOR_NEW: Reason = Reason::invalid(
    "repeated-publish-taken-for-new",
    "{op} repeated a publish to {stream} and was taken for a new one",
)
.deed("took repeated publishes for new ones");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "one event took effect twice",
    source: "contract, \"Ordering, delivery, replay\" (a client discards what it applied) and \"Writes\" (same key and \
             payload: the same seq, nothing is written)",
    rows: &["duplicate-idempotency"],
    reasons: &[&APPLIED_TWICE, &APPENDED_TWICE, &REPEAT_APPENDED, &REPEAT_TAKEN_FOR_NEW],
    accounts_for: "where it is in the stream and not at a client: seqs that are shifted from there on, and the heads",
    // One event too many shifts all that follow it, stands at the head that is named, and clients end at it.
    explains: |cause, effect| {
        *cause.reason != APPLIED_TWICE
            && effect.verdict == Verdict::Invalid
            && match effect.checker {
                phantom::NAME | unseen::NAME | convergence::NAME => effect.reaches(cause),
                wrong_answer::NAME => *effect.reason == wrong_answer::SHIFTED && effect.reaches(cause),
                gap::NAME => effect.overlaps(cause),
                _ => false,
            }
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        repeated_publishes(index, lane, report);
        appended_twice(index, lane, report);
        for (key, pair) in &lane.pairs {
            applied_twice(index, lane, *key, pair, report);
        }
        report.count("events applied", lane.seen.deliveries);
    }
}

/// Follows what one client has applied through its rewinds and restarts.
fn applied_twice(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey, pair: &Pair, report: &mut Report) {
    let mut applied: BTreeSet<u64> = BTreeSet::new();
    let mut rewinds = pair.rewinds.iter().peekable();
    let mut subs = pair.subs.iter().map(|sub| &lane.subs[*sub]).peekable();
    let mut seen_to = 0;
    for delivery in pair.deliveries.iter().map(|number| &lane.deliveries[*number]) {
        while rewinds.next_if(|rewind| **rewind < delivery.at).is_some() {
            applied.clear();
        }
        while let Some(sub) = subs.next_if(|sub| sub.at < delivery.at) {
            // A client that died starts from its disk, and one whose disk was overwritten from what stands there.
            let cursor = sub.asked.unwrap_or(0);
            let overwritten = sub.asked.is_some() && index.plan.sets_cursor(key, cursor);
            if overwritten || lane.crashed_between(key.0, seen_to, sub.at) {
                let _forgotten = applied.split_off(&cursor.saturating_add(1));
            }
            seen_to = sub.at;
        }
        if delivery.verdict == history::Verdict::Applied && !applied.insert(delivery.seq) {
            let finding = index.finding(NAME, &APPLIED_TWICE, lane, key);
            report.push(finding.of_event(delivery.seq).seen_at(delivery.at));
        }
    }
}

/// A payload at a seq where nothing of the plan stands, which another seq of the stream already had.
fn appended_twice(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut first: HashMap<(usize, PayloadHash), &Delivery> = HashMap::new();
    let mut reported: BTreeSet<(usize, u64)> = BTreeSet::new();
    for delivery in &lane.deliveries {
        let Some(hash) = delivery.hash else { continue };
        // A wrong payload at a seq that belongs to another publish is `hash-mismatch`'s.
        if matches!(delivery.arrival, Arrival::WrongPayload(_) | Arrival::NotSubscribed) {
            continue;
        }
        let before = *first.entry((delivery.stream, hash)).or_insert(delivery);
        let publishes = index.plan.publishes_of(delivery.stream, hash);
        let once = publishes.is_some_and(|publishes| publishes.to_be_written == 1);
        if before.seq == delivery.seq || !once || !reported.insert((delivery.stream, delivery.seq)) {
            continue;
        }
        let finding = index.stream_finding(NAME, &APPENDED_TWICE, lane, delivery.stream).of_event(delivery.seq);
        let finding = finding.seen_at(before.at).seen_at(delivery.at);
        report.push(finding.expected(format!("only at {}", before.seq), format!("at {} too", delivery.seq)));
    }
}

fn repeated_publishes(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut original: HashMap<(usize, u64), usize> = HashMap::new();
    for (number, (op, state)) in index.plan.ops.iter().zip(&lane.ops).enumerate() {
        let What::Publish { expect, .. } = &op.what else {
            continue;
        };
        let (Settled::Done { at, seq: Some(got), duplicate }, PublishExpect::Repeated { seq }) =
            (state.settled, state.expect.unwrap_or(expect))
        else {
            if let Some(seq) = op.planned_seq() {
                original.insert((op.stream, seq), number);
            }
            continue;
        };
        report.count("repeated publishes", 1);
        // The first one's seq as the lane acknowledged it: where that is wrong, `wrong-answer` reports it.
        let first = original.get(&(op.stream, seq.0)).map(|op| &lane.ops[*op]);
        let Some(first_seq) = first.and_then(|first| first.acked_seq()) else {
            continue;
        };
        let finding =
            |reason| index.stream_finding(NAME, reason, lane, op.stream).of_event(got).of_op(op.id).seen_at(at);
        if got != first_seq {
            report.push(finding(&REPEAT_APPENDED).expected(first_seq, got));
        } else if duplicate == Some(false) {
            report.push(finding(&REPEAT_TAKEN_FOR_NEW).expected("duplicate: true", "duplicate: false"));
        }
    }
}
