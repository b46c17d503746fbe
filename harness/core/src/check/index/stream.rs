//! What one lane's streams were at each moment: head, retention floor and replay budget, each as the range that the
//! recorded invocations and completions leave open.

use std::collections::BTreeMap;

use super::plan::{PlanIndex, PlannedOp, What};
use crate::history::{Completion, Differs, Outcome, Refusal};
use crate::ids::OpId;
use crate::plan::PublishExpect;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::check) enum Settled<'a> {
    /// It was never sent.
    NeverSent,
    /// It was sent and never answered, or it is unknown how it ended.
    Open,
    /// The lane did it.
    Done {
        at: usize,
        seq: Option<u64>,
        /// Of a publish: whether the lane said that it had it already.
        duplicate: Option<bool>,
    },
    /// The lane did nothing and asked to come back, until no time was left.
    PutOff { at: usize, why: &'a str },
    /// The lane refused it.
    Refused { at: usize, refusal: &'a Refusal },
}

/// An attempt that was answered well and wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Unwritten {
    pub sent: usize,
    pub at: usize,
    pub more: u64,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct OpState<'a> {
    pub sent: Option<usize>,
    pub last: Option<usize>,
    pub attempts: u32,
    /// Whether an attempt ended without an answer.
    pub any_open: bool,
    /// The first attempt that was answered well and wrote nothing, and how many more there were.
    pub unwritten: Option<Unwritten>,
    pub settled: Settled<'a>,
    /// What the plan expects of it, where it was sent at the same moment as others and another one got its answer.
    pub expect: Option<&'a PublishExpect>,
    /// Fields of a good answer that do not fit what was sent.
    pub differs: &'a [Differs],
    /// The rows that a query gave.
    pub rows: &'a str,
}

impl<'a> OpState<'a> {
    pub const NEW: OpState<'static> = OpState {
        sent: None,
        last: None,
        attempts: 0,
        any_open: false,
        unwritten: None,
        settled: Settled::NeverSent,
        expect: None,
        differs: &[],
        rows: "",
    };

    pub fn invoke(&mut self, at: usize) {
        self.sent.get_or_insert(at);
        self.last = Some(at);
        self.attempts += 1;
        if !matches!(self.settled, Settled::Done { .. }) {
            self.settled = Settled::Open;
        }
    }

    /// An attempt ended. What was done stays done, whatever a later attempt says.
    pub fn complete(&mut self, at: usize, completion: &'a Completion) {
        let sent = self.last.replace(at).unwrap_or(at);
        if let Completion::Unwritten { .. } = completion {
            let unwritten = self.unwritten.get_or_insert(Unwritten { sent, at, more: 0 });
            unwritten.more += u64::from(unwritten.at != at);
        }
        if let Completion::Ok { outcome: Outcome::Published { differs, .. } } = completion {
            self.differs = differs;
        }
        if let Completion::Ok { outcome: Outcome::Rows { rows } } = completion {
            self.rows = rows;
        }
        if matches!(self.settled, Settled::Done { .. }) {
            return;
        }
        self.settled = match completion {
            Completion::Ok { outcome: Outcome::Published { seq, duplicate, .. } } => {
                Settled::Done { at, seq: Some(seq.0), duplicate: *duplicate }
            }
            Completion::Ok { outcome: Outcome::Pruned { up_to } } => {
                Settled::Done { at, seq: Some(up_to.0), duplicate: None }
            }
            Completion::Ok { outcome: Outcome::NotOffered } => Settled::NeverSent,
            Completion::Ok { outcome: Outcome::Done | Outcome::Seen { .. } | Outcome::Rows { .. } } => {
                Settled::Done { at, seq: None, duplicate: None }
            }
            Completion::Fail { refusal } => Settled::Refused { at, refusal },
            Completion::Later { why } => {
                // An attempt that wrote nothing is none.
                self.attempts = self.attempts.saturating_sub(1);
                match self.any_open {
                    true => Settled::Open,
                    false => Settled::PutOff { at, why },
                }
            }
            Completion::Info { .. } | Completion::Unwritten { .. } => {
                self.any_open = true;
                Settled::Open
            }
        };
    }

    /// Whether its answer is the one that is expected.
    fn is_as(&self, expect: &PublishExpect) -> bool {
        match (self.settled, expect) {
            (Settled::Done { seq: Some(got), duplicate, .. }, PublishExpect::Accepted { seq }) => {
                got == seq.0 && duplicate != Some(true)
            }
            (Settled::Done { seq: Some(got), duplicate, .. }, PublishExpect::Repeated { seq }) => {
                got == seq.0 && duplicate != Some(false)
            }
            (Settled::Refused { refusal, .. }, PublishExpect::Refused { code }) => refusal.code == *code,
            _ => false,
        }
    }

    pub fn acked_seq(&self) -> Option<u64> {
        match self.settled {
            Settled::Done { seq, .. } => seq,
            _ => None,
        }
    }

    pub fn acked_at(&self) -> Option<usize> {
        match self.settled {
            Settled::Done { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Whether the lane may have done it without saying so.
    pub fn may_be_done(&self) -> bool {
        matches!(self.settled, Settled::Open) || self.any_open
    }
}

/// Of publishes that are sent at the same moment, any may get the answer that the plan has for another one.
pub(super) fn settle_together<'a>(plan: &PlanIndex<'a>, states: &mut [OpState<'a>]) {
    let mut groups: BTreeMap<OpId, Vec<(usize, &'a PublishExpect)>> = BTreeMap::new();
    for (number, op) in plan.ops.iter().enumerate() {
        if let (Some(group), What::Publish { expect, .. }) = (op.together, &op.what) {
            groups.entry(group).or_default().push((number, expect));
        }
    }
    for group in groups.into_values() {
        let mut open: Vec<&PublishExpect> = group.iter().map(|(_, expect)| *expect).collect();
        let mut others = Vec::new();
        for (number, _) in group {
            match open.iter().position(|expect| states[number].is_as(expect)) {
                Some(place) => states[number].expect = Some(open.remove(place)),
                None => others.push(number),
            }
        }
        for (number, expect) in others.into_iter().zip(open) {
            states[number].expect = Some(expect);
        }
    }
}

/// A number that only grows, by the record at which it grew.
#[derive(Debug, Default)]
pub(in crate::check) struct Steps(Vec<(usize, u64)>);

impl Steps {
    /// From this record on the number is at least this.
    pub fn raise(&mut self, at: usize, value: u64) {
        if value > self.last() {
            self.0.push((at, value));
        }
    }

    pub fn before(&self, at: usize) -> u64 {
        match self.0.partition_point(|(step, _)| *step < at) {
            0 => 0,
            place => self.0[place - 1].1,
        }
    }

    pub fn last(&self) -> u64 {
        self.0.last().map_or(0, |(_, value)| *value)
    }
}

/// A policy value with the records between which it took effect.
#[derive(Debug, Clone, Copy)]
struct Setting {
    sent: usize,
    done: usize,
    value: Option<u64>,
}

#[derive(Debug, Default)]
pub(in crate::check) struct Timeline {
    pub head_sure: Steps,
    /// The head that there may have been, with what was in flight.
    pub head_may: Steps,
    /// The retention floor that what was acknowledged implies.
    pub floor_sure: Steps,
    /// The retention floor that there may have been.
    pub floor_may: Steps,
    /// The highest seq that any client was delivered rightly.
    pub observed: Steps,
    /// The publishes that stand at each seq by the lane's own word, or by the plan where the lane gave none. One that
    /// is to be written comes before one that repeats it.
    pub owners: BTreeMap<u64, Vec<usize>>,
    budgets: Vec<Setting>,
}

impl Timeline {
    /// The least and greatest replay budget between two records; `None` is without bound.
    pub fn budget(&self, from: usize, to: usize) -> (Option<u64>, Option<u64>) {
        let settled = self.budgets.iter().rposition(|setting| setting.done < from).unwrap_or(0);
        let possible = || {
            let in_flight = self.budgets.iter().skip(settled + 1).filter(|setting| setting.sent < to);
            self.budgets.get(settled).into_iter().chain(in_flight).map(|setting| setting.value)
        };
        let least = possible().flatten().min();
        let greatest = if possible().any(|value| value.is_none()) { None } else { possible().flatten().max() };
        (least, greatest)
    }
}

enum Moment {
    Sent(usize),
    Done(usize),
}

pub(super) fn timelines(plan: &PlanIndex<'_>, states: &[OpState<'_>]) -> Vec<Timeline> {
    let mut timelines: Vec<Timeline> = (0..plan.streams.len()).map(|_| Timeline::default()).collect();
    let mut moments: Vec<Vec<(usize, Moment)>> = (0..plan.streams.len()).map(|_| Vec::new()).collect();
    for (number, (op, state)) in plan.ops.iter().zip(states).enumerate() {
        if let Some(sent) = state.sent {
            moments[op.stream].push((sent, Moment::Sent(number)));
        }
        if let Some(done) = state.acked_at() {
            moments[op.stream].push((done, Moment::Done(number)));
        }
    }
    for (stream, timeline) in timelines.iter_mut().enumerate() {
        let start = plan.policy(stream);
        timeline.budgets.push(Setting { sent: 0, done: 0, value: start.budget });
        moments[stream].sort_by_key(|(at, _)| *at);
        run(timeline, start.retention, &moments[stream], plan, states);
    }
    own(&mut timelines, plan, states);
    timelines
}

fn run(
    timeline: &mut Timeline,
    retention: Option<u64>,
    moments: &[(usize, Moment)],
    plan: &PlanIndex<'_>,
    states: &[OpState<'_>],
) {
    let unbounded = u64::MAX;
    let mut settled = retention.unwrap_or(unbounded);
    // Retention that a policy in flight may already have set.
    let (mut least, mut greatest) = (settled, settled);
    for (at, moment) in moments {
        let (number, done) = match moment {
            Moment::Sent(number) => (*number, false),
            Moment::Done(number) => (*number, true),
        };
        match plan.ops[number].what {
            What::Publish { .. } if done => {
                timeline.head_sure.raise(*at, states[number].acked_seq().unwrap_or(0));
                timeline.head_may.raise(*at, timeline.head_sure.last());
            }
            What::Publish { .. } => timeline.head_may.raise(*at, plan.ops[number].planned_seq().unwrap_or(0)),
            What::Checkpoint { .. } | What::Misuse(_) | What::Attempt(_) | What::Call { .. } | What::Rows { .. } => {}
            What::Prune { .. } if done => {
                timeline.floor_sure.raise(*at, states[number].acked_seq().unwrap_or(0));
                timeline.floor_may.raise(*at, timeline.floor_sure.last());
            }
            What::Prune { up_to } => timeline.floor_may.raise(*at, up_to.min(timeline.head_may.last())),
            What::Policy { retention, budget } => {
                if let Some(value) = retention {
                    (least, greatest) = if done { (value, value) } else { (settled.min(value), settled.max(value)) };
                    settled = if done { value } else { settled };
                }
                if let (Some(value), false) = (budget, done) {
                    let done = states[number].acked_at().unwrap_or(usize::MAX);
                    timeline.budgets.push(Setting { sent: *at, done, value: Some(value) });
                }
            }
        }
        let sure = timeline.head_sure.last().saturating_sub(greatest);
        let may = timeline.head_may.last().saturating_sub(least);
        timeline.floor_sure.raise(*at, sure);
        timeline.floor_may.raise(*at, may);
    }
}

fn own(timelines: &mut [Timeline], plan: &PlanIndex<'_>, states: &[OpState<'_>]) {
    let to_be_written = |op: &PlannedOp<'_>| op.planned_seq().is_some();
    for first_pass in [true, false] {
        for (number, (op, state)) in plan.ops.iter().zip(states).enumerate() {
            if op.hash().is_none() || to_be_written(op) != first_pass {
                continue;
            }
            let open = state.may_be_done().then(|| op.planned_seq()).flatten();
            let Some(seq) = state.acked_seq().or(open) else {
                continue;
            };
            let owners = timelines[op.stream].owners.entry(seq).or_default();
            // What is not to be written and yet was acknowledged stands at a seq only where nothing else does.
            if first_pass || owners.is_empty() || owners.iter().any(|owner| plan.ops[*owner].hash() == op.hash()) {
                owners.push(number);
            }
        }
    }
}

#[cfg(test)]
mod tests;
