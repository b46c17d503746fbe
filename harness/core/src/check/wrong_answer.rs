//! `wrong-answer`: an operation was answered otherwise than the contract says.
//!
//! Anomalies: a publish that is to be written was refused (`refused`), or was given another seq than the next one
//! (`acknowledged-at-another-seq`, told once for each shift of a stream), or the lane said that it had it already though it
//! was sent once (`taken-for-a-repeat`); a publish that is to be refused was answered
//! well (`accepted-a-conflict`) or with another code (`refused-with-another-code`); a policy was refused. An operation
//! whose answer nobody knows (`never-answered`), one that the lane put off until no time was left (`put-off`, such as by
//! HTTP 429) and one that was never sent (`never-sent`) are `Unknown`. Source:
//! contract, "Writes" (seq from 1 without gaps, `idempotency_conflict`); the plan knows what each answer must be.

use std::collections::BTreeMap;

use super::index::{Index, LaneIndex, OpState, PlannedOp, Settled, What};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::plan::PublishExpect;

/// See the module's documentation.
pub struct WrongAnswer;

impl Checker for WrongAnswer {
    fn name(&self) -> &'static str {
        "wrong-answer"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            // By how much each stream's seqs are off the plan's so far.
            let mut shifts = vec![0i128; index.plan.streams.len()];
            // What the driver did not come to, or what the lane put off, is told once.
            let mut told_once: BTreeMap<String, Finding> = BTreeMap::new();
            for (op, state) in index.plan.ops.iter().zip(&lane.ops) {
                report.count("operations", 1);
                let Some(finding) = judge(index, lane, op, state, &mut shifts[op.stream]) else {
                    continue;
                };
                if !matches!(finding.reason.as_str(), "never-sent" | "put-off") {
                    report.push(finding);
                } else if let Some(told) = told_once.get_mut(&finding.reason) {
                    told.witness.repeats += 1;
                } else {
                    told_once.insert(finding.reason.clone(), finding);
                }
            }
            // An interrupted run says so itself; what it did not come to is no news.
            for finding in told_once.into_values().filter(|_| lane.done) {
                report.push(finding);
            }
        }
        report
    }
}

fn judge(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    op: &PlannedOp<'_>,
    state: &OpState<'_>,
    shift: &mut i128,
) -> Option<Finding> {
    let finding = |verdict, reason| {
        let mut finding = Finding::new("wrong-answer", verdict, reason)
            .on(lane.lane)
            .in_stream(index.plan.streams.name(op.stream))
            .of_op(op.id);
        if let Some(at) = state.last {
            finding = finding.seen_at(at);
        }
        match op.planned_seq() {
            Some(seq) => finding.of_event(seq),
            None => finding,
        }
    };
    let expect = match &op.what {
        What::Publish { expect, .. } => Some(*expect),
        What::Policy { .. } => None,
    };
    match (state.settled, expect) {
        (Settled::NeverSent, _) => Some(finding(Verdict::Unknown, "never-sent")),
        (Settled::PutOff { at, why }, _) => {
            let mut finding = finding(Verdict::Unknown, "put-off").seen_at(at);
            finding.witness.got = Some(why.to_owned());
            Some(finding)
        }
        (Settled::Open, _) => Some(finding(Verdict::Unknown, "never-answered")),
        (Settled::Done { seq: Some(got), duplicate, .. }, Some(PublishExpect::Accepted { seq })) => {
            let off = i128::from(got) - i128::from(seq.0);
            let told = std::mem::replace(shift, off) == off;
            let shifted = || finding(Verdict::Invalid, "acknowledged-at-another-seq").of_event(got.min(seq.0));
            // A second attempt is a repeat wherever the first one's answer was what got lost.
            let repeat = duplicate == Some(true) && state.attempts == 1;
            let taken = || {
                repeat.then(|| {
                    finding(Verdict::Invalid, "taken-for-a-repeat").expected("duplicate: false", "duplicate: true")
                })
            };
            if told { taken() } else { Some(shifted().expected(seq, got)) }
        }
        (Settled::Done { seq: Some(got), .. }, Some(PublishExpect::Refused { code })) => {
            Some(finding(Verdict::Invalid, "accepted-a-conflict").of_event(got).expected(code, format!("seq {got}")))
        }
        (Settled::Done { seq: None, .. }, Some(_)) => Some(finding(Verdict::Unknown, "answered-without-seq")),
        (Settled::Done { .. }, _) => None,
        (Settled::Refused { refusal, .. }, Some(PublishExpect::Refused { code })) => (refusal.code != *code)
            .then(|| finding(Verdict::Invalid, "refused-with-another-code").expected(code, &refusal.code)),
        (Settled::Refused { refusal, .. }, _) => {
            Some(finding(Verdict::Invalid, "refused").expected("done", &refusal.code))
        }
    }
}
