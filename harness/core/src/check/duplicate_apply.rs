//! `duplicate-apply`: one event took effect twice.
//!
//! Anomalies: a client applied the same seq twice although it did not rewind, die or get another cursor in between
//! (`applied-twice`); a payload that was published once was delivered under two seqs of its stream (`appended-twice`); a
//! publish repeated under its key was given another seq than the first (`repeated-publish-appended`), or the lane said
//! that it had not had it before (`repeated-publish-taken-for-new`). Source: contract, "Ordering, delivery, replay" (a
//! client discards what it applied) and "Writes" (same key and payload: the same seq, nothing is written).

use std::collections::{BTreeSet, HashMap};

use super::index::{Arrival, Delivery, Index, LaneIndex, Pair, PairKey, Settled, What};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::hash::PayloadHash;
use crate::history;
use crate::plan::PublishExpect;

/// See the module's documentation.
pub struct DuplicateApply;

impl Checker for DuplicateApply {
    fn name(&self) -> &'static str {
        "duplicate-apply"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            repeated_publishes(index, lane, &mut report);
            appended_twice(index, lane, &mut report);
            for (key, pair) in &lane.pairs {
                applied_twice(index, lane, *key, pair, &mut report);
            }
            report.count("events applied", lane.seen.deliveries);
        }
        report
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
            report.push(
                Finding::new("duplicate-apply", Verdict::Invalid, "applied-twice")
                    .on(lane.lane)
                    .at_client(index.plan.clients.name(key.0))
                    .in_stream(index.plan.streams.name(key.1))
                    .of_event(delivery.seq)
                    .seen_at(delivery.at),
            );
        }
    }
}

/// A payload at a seq where nothing of the plan stands, which another seq of the stream already had.
fn appended_twice(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut first: HashMap<(usize, PayloadHash), &Delivery> = HashMap::new();
    let mut told: BTreeSet<(usize, u64)> = BTreeSet::new();
    for delivery in &lane.deliveries {
        let Some(hash) = delivery.hash else { continue };
        // A wrong payload at a seq that belongs to another publish is `hash-mismatch`'s.
        if matches!(delivery.arrival, Arrival::WrongPayload(_) | Arrival::NotSubscribed) {
            continue;
        }
        let before = *first.entry((delivery.stream, hash)).or_insert(delivery);
        let publishes = index.plan.publishes_of(delivery.stream, hash);
        let once = publishes.is_some_and(|publishes| publishes.to_be_written == 1);
        if before.seq == delivery.seq || !once || !told.insert((delivery.stream, delivery.seq)) {
            continue;
        }
        report.push(
            Finding::new("duplicate-apply", Verdict::Invalid, "appended-twice")
                .on(lane.lane)
                .in_stream(index.plan.streams.name(delivery.stream))
                .of_event(delivery.seq)
                .seen_at(before.at)
                .seen_at(delivery.at)
                .expected(format!("only at {}", before.seq), format!("at {} too", delivery.seq)),
        );
    }
}

/// What the lane answered to publishes that repeat an earlier one.
fn repeated_publishes(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut original: HashMap<(usize, u64), usize> = HashMap::new();
    for (number, (op, state)) in index.plan.ops.iter().zip(&lane.ops).enumerate() {
        let What::Publish { expect, .. } = &op.what else {
            continue;
        };
        let (Settled::Done { at, seq: Some(got), duplicate }, PublishExpect::Repeated { seq }) =
            (state.settled, expect)
        else {
            if let Some(seq) = op.planned_seq() {
                original.insert((op.stream, seq), number);
            }
            continue;
        };
        report.count("repeated publishes", 1);
        // The first one's seq by the lane's own word: where that is off, `wrong-answer` says so.
        let first = original.get(&(op.stream, seq.0)).map(|op| &lane.ops[*op]);
        let Some(first_seq) = first.and_then(|first| first.acked_seq()) else {
            continue;
        };
        let finding = |reason| {
            Finding::new("duplicate-apply", Verdict::Invalid, reason)
                .on(lane.lane)
                .in_stream(index.plan.streams.name(op.stream))
                .of_event(got)
                .of_op(op.id)
                .seen_at(at)
        };
        if got != first_seq {
            report.push(finding("repeated-publish-appended").expected(first_seq, got));
        } else if duplicate == Some(false) {
            report.push(finding("repeated-publish-taken-for-new").expected("duplicate: true", "duplicate: false"));
        }
    }
}
