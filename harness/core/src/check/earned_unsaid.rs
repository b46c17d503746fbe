//! What a lane shows of stale cursors whose refusals name no reason: a client was refused with a cursor that was stale
//! for one reason alone, by the plan's policy, and bootstrapped.

use std::collections::{BTreeSet, HashMap};

use crate::history::{Completion, Outcome, Record, UNSAID};
use crate::ids::{ClientId, OpId, StreamId, SubId};
use crate::matrix::Part;
use crate::plan::{Plan, Step};

#[derive(Default)]
struct Stream {
    retention: Option<u64>,
    budget: Option<u64>,
    head: u64,
    floor: u64,
}

impl Stream {
    fn keep(&mut self) {
        let pruned = self.retention.map_or(0, |retention| self.head.saturating_sub(retention));
        self.floor = self.floor.max(pruned);
    }

    fn reason(&self, cursor: u64) -> Option<Part> {
        if cursor < self.floor {
            return Some(Part::FloorBreach);
        }
        let lag = self.head.saturating_sub(cursor);
        self.budget.filter(|budget| lag > *budget).map(|_| Part::BudgetExceeded)
    }
}

type Pair<'a> = (&'a ClientId, &'a StreamId);

#[derive(Default)]
pub(super) struct Unsaid<'a> {
    streams: HashMap<&'a StreamId, Stream>,
    ops: HashMap<OpId, &'a Step>,
    /// The cursors that faults put in the place of others.
    rewritten: HashMap<&'a StreamId, u64>,
    asked: HashMap<(&'a ClientId, SubId), (&'a StreamId, Option<u64>)>,
    owed: HashMap<Pair<'a>, Part>,
    pub(super) earned: BTreeSet<Part>,
}

impl<'a> Unsaid<'a> {
    pub(super) fn of(plan: &'a Plan) -> Unsaid<'a> {
        let mut unsaid = Unsaid::default();
        for case in &plan.cases {
            for stream in &case.streams {
                let (retention, budget) = (stream.retention, stream.replay_budget);
                unsaid.streams.insert(&stream.id, Stream { retention, budget, ..Stream::default() });
            }
            for step in &case.steps {
                if let Step::Publish { op, .. } | Step::Policy { op, .. } | Step::Prune { op, .. } = step {
                    unsaid.ops.insert(*op, step);
                }
            }
        }
        unsaid
    }

    pub(super) fn record(&mut self, record: &'a Record) {
        match record {
            Record::Complete { op, completion: Completion::Ok { outcome }, .. } => self.completed(*op, outcome),
            Record::Subscribed { client, sub, stream, cursor, .. } => {
                self.asked.insert((client, *sub), (stream, cursor.map(|cursor| cursor.0)));
            }
            Record::Fault { fire, .. } => {
                self.rewritten.extend(fire.rewrote.iter().map(|rewrote| (&rewrote.stream, rewrote.to.0)));
            }
            Record::Refused { client, sub, refusal, .. } => {
                let Some((stream, Some(cursor))) = self.asked.get(&(client, *sub)).copied() else { return };
                if refusal.stale.iter().any(|stale| stale.stream == *stream && stale.reason == UNSAID) {
                    let of_stream = self.streams.get(stream);
                    let rewritten = || self.rewritten.get(stream).copied();
                    let reason = |cursor| of_stream.and_then(|state| state.reason(cursor));
                    let reason = reason(cursor).or_else(|| reason(rewritten()?));
                    self.owed.extend(reason.map(|part| ((client, stream), part)));
                }
            }
            // A bootstrap brought something.
            Record::Delivered { client, sub, stream, .. }
                if self.asked.get(&(client, *sub)) == Some(&(stream, None)) =>
            {
                self.earned.extend(self.owed.remove(&(client, stream)));
            }
            _ => {}
        }
    }

    fn completed(&mut self, op: OpId, outcome: &Outcome) {
        let (stream, step) = match self.ops.get(&op) {
            Some(step @ (Step::Publish { stream, .. } | Step::Policy { stream, .. } | Step::Prune { stream, .. })) => {
                (stream, step)
            }
            _ => return,
        };
        let Some(state) = self.streams.get_mut(stream) else { return };
        match (step, outcome) {
            (_, Outcome::Published { seq, .. }) => state.head = state.head.max(seq.0),
            (_, Outcome::Pruned { up_to }) => state.floor = state.floor.max(up_to.0),
            (Step::Policy { retention, replay_budget, .. }, Outcome::Done) => {
                state.retention = retention.or(state.retention);
                state.budget = replay_budget.or(state.budget);
            }
            _ => {}
        }
        state.keep();
    }
}

#[cfg(test)]
mod tests;
