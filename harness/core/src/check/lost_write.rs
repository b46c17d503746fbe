//! `lost-write`: the client subscribes to the stream and is connected at the end, and by the end of converge no message
//! of any kind brought it the event. What retention pruned before a bootstrap, and what lies at or below a cursor that
//! was put on the client's disk, is not owed. Of a client that could not be reached it is unknown.
//!
//! A publish that was answered well and written nowhere is lost too, though a retry makes up for it: the lane has no
//! row of it; or another publish was given its seq; or the plan wants it refused and its payload never shows up. Where
//! the server died between the answer and the look, it is unknown.

use std::collections::{HashMap, HashSet};

use super::checker::Checker;
use super::finding::Report;
use super::index::{Index, LaneIndex, PairKey, Settled, What};
use super::owed::excused_up_to;
use super::reason::{Reason, Verdict};
use super::{convergence, gap, unseen, wrong_answer};
use crate::hash::PayloadHash;
use crate::history::{Completion, Record};
use crate::plan::{IDEMPOTENCY_CONFLICT, INVALID_PAYLOAD, PublishExpect};

pub const NAME: &str = "lost-write";

static NEVER_DELIVERED: Reason =
    Reason::invalid("never-delivered", "{event} {was} acknowledged and never reached {client}")
        .deed("acknowledged events that never reached a client");
static UNWRITTEN: Reason =
    Reason::invalid("acknowledged-but-not-written", "{op} on {stream} was acknowledged and not written")
        .deed("acknowledged publishes that it never wrote");
static OTHER_PAYLOAD: Reason = Reason::invalid(
    "another-payload-acknowledged",
    "{op} on {stream} has another payload under a known key, and was acknowledged and not written",
)
.deed("acknowledged other payloads under known keys, and never wrote them");
static KEY_ELSEWHERE: Reason = Reason::invalid(
    "key-of-another-stream",
    "{op} on {stream} has a key that another stream has, and was acknowledged and not written",
)
.deed("acknowledged publishes under keys of other streams, and never wrote them");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a publish was acknowledged, and a client that is owed its event never got it",
    source: "contract, \"Writes\" (an answer comes once the event is in the journal) and \"Ordering, delivery, \
             replay\" (delivery is at least once); the name is Jepsen's",
    rows: &["replay-determinism", "multi-device"],
    reasons: &[&NEVER_DELIVERED, &UNWRITTEN, &OTHER_PAYLOAD, &KEY_ELSEWHERE],
    accounts_for: "same client and seqs: gap, unseen, convergence; same operation: wrong-answer; what was not \
                   written: a shift from there on",
    explains: |cause, effect| match effect.checker {
        // What was not written leaves its seq to the next one.
        wrong_answer::NAME => {
            cause.witness.op.is_some() && cause.witness.op == effect.witness.op
                || *cause.reason != NEVER_DELIVERED && *effect.reason == wrong_answer::SHIFTED && effect.reaches(cause)
        }
        gap::NAME | unseen::NAME | convergence::NAME => effect.is_at_client_of(cause) && effect.overlaps(cause),
        _ => false,
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    // What an interrupted run did not deliver yet is not lost.
    for lane in index.lanes().iter().filter(|lane| lane.done) {
        unwritten(index, lane, report);
        for pair in index.plan.owing_pairs() {
            undelivered(index, lane, pair, report);
        }
    }
}

/// Acknowledged events that one client never got, one finding for each unbroken range.
fn undelivered(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey, report: &mut Report) {
    let excused = excused_up_to(&index.plan, lane, key);
    let pair = lane.pair(key);
    // Each range, with the record that acknowledged its first event.
    let mut ranges: Vec<(u64, u64, usize)> = Vec::new();
    for (seq, owners) in lane.streams[key.1].owners.range(excused.saturating_add(1)..) {
        let Some(acked) = owners.iter().find_map(|op| lane.ops[*op].acked_at()) else {
            continue;
        };
        report.count("events owed", 1);
        if pair.is_some_and(|pair| pair.has(*seq)) {
            continue;
        }
        match ranges.last_mut() {
            Some((_, last, _)) if *last + 1 == *seq => *last = *seq,
            _ => ranges.push((*seq, *seq, acked)),
        }
    }
    for (first, last, acked) in ranges {
        let finding = index.finding(NAME, &NEVER_DELIVERED, lane, key).with(lane.charge(key.0));
        report.push(finding.of_events(first, last).seen_at(acked));
    }
}

/// Publishes that were answered well, and whose payload stands nowhere.
fn unwritten(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let shown: HashSet<(usize, PayloadHash)> =
        lane.deliveries.iter().filter_map(|delivery| Some((delivery.stream, delivery.hash?))).collect();
    // A text that is no payload has no hash by which it could be known again.
    let without_hash: HashSet<(usize, u64)> = lane
        .deliveries
        .iter()
        .filter(|delivery| delivery.hash.is_none())
        .map(|delivery| (delivery.stream, delivery.seq))
        .collect();
    let followed: HashSet<usize> = index.plan.subscribes.iter().map(|(_, stream)| *stream).collect();
    let elsewhere = KeysElsewhere::of(index, lane);
    for (number, (op, state)) in index.plan.ops.iter().zip(&lane.ops).enumerate() {
        let What::Publish { hash, expect, key, .. } = &op.what else {
            continue;
        };
        // Of a stream that nobody follows, nothing can be shown.
        let is_shown = shown.contains(&(op.stream, *hash)) || !followed.contains(&op.stream);
        let finding = |reason| index.stream_finding(NAME, reason, lane, op.stream).of_op(op.id);
        let found = match (state.settled, state.expect.unwrap_or(expect)) {
            (Settled::Done { at, seq: Some(seq), .. }, PublishExpect::Refused { code })
                if !(is_shown || (code == INVALID_PAYLOAD && without_hash.contains(&(op.stream, seq)))) =>
            {
                let reason = if code == IDEMPOTENCY_CONFLICT { &OTHER_PAYLOAD } else { &UNWRITTEN };
                let expected = "a refusal, or an event with this payload";
                Some(finding(reason).of_event(seq).seen_at(at).expected(expected, acked(seq)))
            }
            // Another publish has its seq, which shows that the seq was free.
            (Settled::Done { at, seq: Some(seq), .. }, PublishExpect::Accepted { .. })
                if !is_shown && taken_by(index, lane, number, seq, &shown) =>
            {
                let expected = "an event with this payload";
                Some(finding(&UNWRITTEN).of_event(seq).seen_at(at).expected(expected, acked(seq)))
            }
            _ => None,
        };
        found.into_iter().for_each(|finding| report.push(finding));
        // It is wrong even where a later attempt made up for it.
        let Some(unwritten) = state.unwritten else { continue };
        let reason = match expect {
            _ if elsewhere.has(key, op.stream, unwritten.sent) => &KEY_ELSEWHERE,
            PublishExpect::Refused { code } if code == IDEMPOTENCY_CONFLICT => &OTHER_PAYLOAD,
            // `wrong-answer` says that it had to be refused.
            PublishExpect::Refused { .. } => continue,
            PublishExpect::Accepted { .. } | PublishExpect::Repeated { .. } => &UNWRITTEN,
        };
        let died = lane.deaths.iter().any(|death| (unwritten.sent..unwritten.at).contains(death));
        let verdict = if died { Verdict::Unknown } else { Verdict::Invalid };
        let mut finding = finding(reason).with(verdict).seen_at(unwritten.sent).seen_at(unwritten.at);
        if let Some(seq) = op.planned_seq() {
            finding = finding.of_event(seq);
        }
        if let Some(Record::Complete { completion: Completion::Unwritten { why }, .. }) =
            lane.history.records.get(unwritten.at)
        {
            finding = finding.expected("a row with this key", why);
        }
        finding.witness.repeats = unwritten.more;
        report.push(finding);
    }
}

/// Keys that publishes on several streams have, with where each stream's first publish under it was sent.
struct KeysElsewhere<'a>(HashMap<&'a str, Vec<(usize, usize)>>);

impl<'a> KeysElsewhere<'a> {
    fn of(index: &'a Index<'_>, lane: &LaneIndex<'_>) -> KeysElsewhere<'a> {
        let mut keys: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        for (op, state) in index.plan.ops.iter().zip(&lane.ops) {
            if let (What::Publish { key, .. }, Some(sent)) = (&op.what, state.sent) {
                keys.entry(key).or_default().push((op.stream, sent));
            }
        }
        KeysElsewhere(keys)
    }

    /// Whether a publish on another stream had the key before this record.
    fn has(&self, key: &str, stream: usize, before: usize) -> bool {
        let users = self.0.get(key).map_or(&[][..], Vec::as_slice);
        users.iter().any(|(other, sent)| *other != stream && *sent < before)
    }
}

fn acked(seq: u64) -> String {
    format!("acknowledged at {seq}")
}

/// Whether another publish was acknowledged at the same seq, and came from there.
fn taken_by(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    number: usize,
    seq: u64,
    shown: &HashSet<(usize, PayloadHash)>,
) -> bool {
    let stream = index.plan.ops[number].stream;
    let owners = lane.streams[stream].owners.get(&seq).map_or(&[][..], Vec::as_slice);
    owners.iter().any(|owner| {
        let hash = index.plan.ops[*owner].hash();
        hash != index.plan.ops[number].hash() && hash.is_some_and(|hash| shown.contains(&(stream, hash)))
    })
}
