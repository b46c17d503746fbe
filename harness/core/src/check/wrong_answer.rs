//! `wrong-answer`: the plan knows what each answer must be. A seq that is off the plan's is reported once for each
//! shift of a stream. What was never sent, or put off until no time was left (such as by HTTP 429), is reported once a
//! lane.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, OpState, PlannedOp, Settled, What};
use super::reason::{Reason, Shortage};
use super::{convergence, gap, phantom, unseen};
use crate::plan::{HASH_MISMATCH, INVALID_PAYLOAD, NextSeq, PublishExpect};

pub const NAME: &str = "wrong-answer";

static REFUSED: Reason = Reason::invalid("refused", "{op} on {stream} was refused").deed("refused publishes");
/// Moves the seqs of all that follows.
pub static SHIFTED: Reason =
    Reason::invalid("acknowledged-at-another-seq", "{op} on {stream} was acknowledged at another seq")
        .deed("acknowledged publishes at other seqs");
static TAKEN_FOR_A_REPEAT: Reason =
    Reason::invalid("taken-for-a-repeat", "{op} on {stream} was new and was taken for a repeated one")
        .deed("took new publishes for repeated ones");
static ACCEPTED_A_CONFLICT: Reason =
    Reason::invalid("accepted-a-conflict", "{op} on {stream} had to be refused and was acknowledged")
        .deed("acknowledged publishes that conflict with earlier ones");
/// Its text is delivered as it came.
pub static ACCEPTED_NO_PAYLOAD: Reason =
    Reason::invalid("accepted-an-invalid-payload", "{op} on {stream} was acknowledged, and its text is no payload")
        .deed("acknowledged publishes of texts that are no payload");
static ACCEPTED_A_WRONG_HASH: Reason =
    Reason::invalid("accepted-a-wrong-hash", "{op} on {stream} named a wrong hash and was acknowledged")
        .deed("acknowledged publishes that name a wrong hash");
static ACCEPTED_A_CALL: Reason =
    Reason::invalid("accepted-a-call", "{op} on {stream}, which is no publish, had to be refused and was acknowledged")
        .deed("acknowledged calls that had to be refused");
static OTHER_CODE: Reason =
    Reason::invalid("refused-with-another-code", "{op} on {stream} was refused with another code")
        .deed("refused publishes with another code");
static OTHER_FIELD: Reason =
    Reason::invalid("answered-with-another-value", "{op} on {stream} was answered with another value of a field")
        .deed("answered publishes with wrong values of fields");
static WITHOUT_SEQ: Reason = Reason::unknown("answered-without-seq", "{op} on {stream} was acknowledged without a seq")
    .deed("acknowledged publishes without a seq");
static NEVER_ANSWERED: Reason = Reason::unknown("never-answered", "the outcome of {op} on {stream} is unknown")
    .deed("never answered operations")
    .shortage(Shortage::NoAnswer);
static PUT_OFF: Reason =
    Reason::unknown("put-off", "{op} on {stream} did not get through: {got}").shortage(Shortage::NoAnswer);
static NEVER_SENT: Reason =
    Reason::unknown("never-sent", "{op} on {stream} was never sent").shortage(Shortage::NotDone);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "an operation was answered otherwise than the contract says",
    source: "contract, \"Writes\" (seq from 1 without gaps, `idempotency_conflict`)",
    rows: &["duplicate-idempotency", "reducer-rules"],
    reasons: &[
        &REFUSED,
        &SHIFTED,
        &TAKEN_FOR_A_REPEAT,
        &ACCEPTED_A_CONFLICT,
        &ACCEPTED_NO_PAYLOAD,
        &ACCEPTED_A_WRONG_HASH,
        &ACCEPTED_A_CALL,
        &OTHER_CODE,
        &OTHER_FIELD,
        &WITHOUT_SEQ,
        &NEVER_ANSWERED,
        &PUT_OFF,
        &NEVER_SENT,
    ],
    accounts_for: "same operation: unseen; a shift: seqs that are off from there on",
    // What was refused is on the other lane only, and one seq that is off moves all that follow it.
    explains: |cause, effect| match effect.checker {
        unseen::NAME => cause.witness.op == effect.witness.op,
        phantom::NAME | gap::NAME | convergence::NAME => *cause.reason == SHIFTED && effect.reaches(cause),
        _ => false,
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        // By how much each stream's seqs are off the plan's so far.
        let mut shifts = vec![0i128; index.plan.streams.len()];
        let mut once: BTreeMap<&str, Finding> = BTreeMap::new();
        for (op, state) in index.plan.ops.iter().zip(&lane.ops) {
            // What is done with tokens is judged by `token` and `unauthorized`.
            if op.lane.is_some_and(|only| only != lane.lane) || matches!(op.what, What::Attempt(_)) {
                continue;
            }
            report.count("operations", 1);
            let judged = judge(index, lane, op, state, &mut shifts[op.stream]);
            let Some(finding) = judged.or_else(|| judge_fields(index, lane, op, state)) else {
                continue;
            };
            if *finding.reason != NEVER_SENT && *finding.reason != PUT_OFF {
                report.push(finding);
            } else if let Some(first) = once.get_mut(finding.reason.word) {
                first.witness.repeats += 1;
            } else {
                once.insert(finding.reason.word, finding);
            }
        }
        // That an interrupted run did not do everything is reported once, by `vacuity`.
        once.into_values().filter(|_| lane.done).for_each(|finding| report.push(finding));
    }
}

fn judge(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    op: &PlannedOp<'_>,
    state: &OpState<'_>,
    shift: &mut i128,
) -> Option<Finding> {
    let finding = |reason| {
        let mut finding = index.stream_finding(NAME, reason, lane, op.stream).of_op(op.id);
        if let Some(at) = state.last {
            finding = finding.seen_at(at);
        }
        match op.planned_seq() {
            Some(seq) => finding.of_event(seq),
            None => finding,
        }
    };
    let expect = match &op.what {
        What::Publish { expect, .. } => Some(state.expect.unwrap_or(expect)),
        What::Policy { .. } | What::Prune { .. } | What::Attempt(_) => None,
        // `reducer-rule` judges these.
        What::Call { .. } | What::Rows { .. } => return None,
        What::Checkpoint { refused, .. } => return judge_offered(state, *refused, finding),
        What::Misuse(misuse) => {
            let request = misuse.and_then(|misuse| misuse.on(lane.lane));
            return request.and_then(|request| judge_offered(state, Some(request.code), finding));
        }
    };
    match (state.settled, expect) {
        (Settled::NeverSent, _) => Some(finding(&NEVER_SENT)),
        (Settled::PutOff { at, why }, _) => Some(finding(&PUT_OFF).seen_at(at).got(why.to_owned())),
        (Settled::Done { seq: Some(got), duplicate, .. }, Some(PublishExpect::Accepted { seq })) => {
            let off = i128::from(got) - i128::from(seq.0);
            let known = std::mem::replace(shift, off) == off;
            let shifted = || finding(&SHIFTED).of_event(got.min(seq.0));
            // A second attempt is a repeat wherever the first one's answer was what got lost.
            let repeat = duplicate == Some(true) && state.attempts == 1;
            let taken = || repeat.then(|| finding(&TAKEN_FOR_A_REPEAT).expected("duplicate: false", "duplicate: true"));
            if known { taken() } else { Some(shifted().expected(seq, got)) }
        }
        (Settled::Done { seq: Some(got), .. }, Some(PublishExpect::Refused { code })) => {
            Some(finding(accepted(code)).of_event(got).expected(code, format!("seq {got}")))
        }
        // It was acknowledged, and wrote nothing under its key.
        (Settled::Open, Some(PublishExpect::Refused { code })) if state.unwritten.is_some() => {
            Some(finding(accepted(code)).expected(code, "acknowledged, and not written"))
        }
        (Settled::Open, _) => Some(finding(&NEVER_ANSWERED)),
        (Settled::Done { seq: None, .. }, Some(_)) => Some(finding(&WITHOUT_SEQ)),
        (Settled::Done { .. }, _) => None,
        (Settled::Refused { refusal, .. }, Some(PublishExpect::Refused { code })) => {
            (refusal.code != *code).then(|| finding(&OTHER_CODE).expected(code, &refusal.code))
        }
        (Settled::Refused { refusal, .. }, _) => Some(finding(&REFUSED).expected("done", &refusal.code)),
    }
}

/// What an acknowledgement is where a publish had to be refused with a code.
fn accepted(code: &str) -> &'static Reason {
    match code {
        INVALID_PAYLOAD => &ACCEPTED_NO_PAYLOAD,
        HASH_MISMATCH => &ACCEPTED_A_WRONG_HASH,
        _ => &ACCEPTED_A_CONFLICT,
    }
}

/// The answer to a call that a lane may not offer: then it was not sent.
fn judge_offered(
    state: &OpState<'_>,
    refused: Option<&str>,
    finding: impl Fn(&'static Reason) -> Finding,
) -> Option<Finding> {
    match (state.settled, refused) {
        (Settled::Done { .. }, None) | (Settled::NeverSent | Settled::PutOff { .. }, _) => None,
        (Settled::Open, _) => Some(finding(&NEVER_ANSWERED)),
        (Settled::Done { .. }, Some(code)) => Some(finding(&ACCEPTED_A_CALL).expected(code, "done")),
        (Settled::Refused { refusal, .. }, Some(code)) => {
            (refusal.code != code).then(|| finding(&OTHER_CODE).expected(code, &refusal.code))
        }
        (Settled::Refused { refusal, .. }, None) => Some(finding(&REFUSED).expected("done", &refusal.code)),
    }
}

/// The fields of an answer that is right by its code.
fn judge_fields(index: &Index<'_>, lane: &LaneIndex<'_>, op: &PlannedOp<'_>, state: &OpState<'_>) -> Option<Finding> {
    let finding = |field: &str, expected: &str, got: &str| {
        let finding = index.stream_finding(NAME, &OTHER_FIELD, lane, op.stream).of_op(op.id);
        let finding = state.last.into_iter().fold(finding, Finding::seen_at);
        finding.expected(format!("{field} {expected}"), format!("{field} {got}"))
    };
    if let Some(differs) = state.differs.first() {
        return Some(finding(&differs.field, &differs.expected, &differs.got));
    }
    let (Settled::Refused { at, refusal }, What::Publish { claims, .. }) = (state.settled, &op.what) else {
        return None;
    };
    let Some(NextSeq::Is(claimed)) = claims.next_seq.filter(|_| refusal.code == "sequence_conflict") else {
        return None;
    };
    let timeline = &lane.streams[op.stream];
    let next = timeline.head_sure.before(at) + 1..=timeline.head_may.before(at) + 1;
    let off = |name: &str, range: RangeInclusive<u64>| {
        let got = *refusal.numbers.get(name).filter(|got| !range.contains(got))?;
        Some(finding(name, &range.start().to_string(), &got.to_string()))
    };
    off("expected", claimed..=claimed).or_else(|| off("actual", next))
}
