//! Indexes over a plan and two histories, built once and shared by all checkers, so that none of them searches.
//!
//! Names are numbered here ([`Names`]); the numbers never leave the room. Hash maps are only looked up, never walked.

mod arrival;
mod lane;
mod plan;
mod reach;
mod stream;
mod sub;
mod subs;

pub(super) use arrival::{Arrival, Delivery};
pub(super) use lane::{LaneIndex, Pair};
pub(super) use plan::{Attempted, PlanIndex, PlannedOp, What};
pub(super) use reach::Reach;
pub(super) use stream::{OpState, Settled};
pub(super) use sub::{RATE_LIMITED, Reply, STALE_CURSOR, Sub};

use std::collections::HashMap;

use self::subs::Subscriptions;
use super::finding::Finding;
use super::reason::Reason;
use crate::hash::HashVector;
use crate::history::{History, Record};
use crate::ids::LaneId;
use crate::plan::Plan;

pub(super) type PairKey = (usize, usize);

#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    list: Vec<&'a str>,
    at: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// The name's number, a new one where it has none.
    pub fn add(&mut self, name: &'a str) -> usize {
        *self.at.entry(name).or_insert_with(|| {
            self.list.push(name);
            self.list.len() - 1
        })
    }

    pub fn get(&self, name: &str) -> Option<usize> {
        self.at.get(name).copied()
    }

    pub fn name(&self, number: usize) -> &'a str {
        self.list.get(number).copied().unwrap_or("")
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }
}

#[derive(Debug)]
pub(super) struct Index<'a> {
    pub plan: PlanIndex<'a>,
    lanes: [LaneIndex<'a>; 2],
    alone: bool,
    /// What the legacy lane's clients applied in an earlier run, where the candidate is judged alone.
    pub baseline: Option<&'a HashVector>,
}

impl<'a> Index<'a> {
    /// Builds the indexes; linear in the length of plan and histories but for sorting.
    pub fn build(plan: &'a Plan, legacy: &'a History, candidate: &'a History) -> Index<'a> {
        let mut plan = PlanIndex::build(plan);
        name_all(&mut plan, legacy);
        name_all(&mut plan, candidate);
        let lane = |lane, history| {
            let mut index = LaneIndex::of_operations(lane, history, &plan);
            Subscriptions::read(&mut index, &plan);
            index
        };
        let lanes = [lane(LaneId::Legacy, legacy), lane(LaneId::Candidate, candidate)];
        Index { plan, lanes, alone: false, baseline: None }
    }

    /// The candidate alone, against what was recorded of the legacy lane, where something was.
    pub fn alone(self, baseline: Option<&'a HashVector>) -> Index<'a> {
        Index { alone: true, baseline, ..self }
    }

    /// The lanes that were driven.
    pub fn lanes(&self) -> &[LaneIndex<'a>] {
        if self.alone { &self.both()[1..] } else { self.both() }
    }

    /// Both lanes, legacy first. Where the candidate is judged alone, nothing happened on the other one.
    pub fn both(&self) -> &[LaneIndex<'a>; 2] {
        &self.lanes
    }

    pub fn finding(
        &self,
        checker: &'static str,
        reason: &'static Reason,
        lane: &LaneIndex<'_>,
        (client, stream): PairKey,
    ) -> Finding {
        self.stream_finding(checker, reason, lane, stream).at_client(self.plan.clients.name(client))
    }

    pub fn stream_finding(
        &self,
        checker: &'static str,
        reason: &'static Reason,
        lane: &LaneIndex<'_>,
        stream: usize,
    ) -> Finding {
        Finding::new(checker, reason).on(lane.lane).in_stream(self.plan.streams.name(stream))
    }

    /// The other lane; one on which nothing happened where a lane is judged alone.
    pub fn other(&self, lane: LaneId) -> &LaneIndex<'a> {
        match lane {
            LaneId::Legacy => &self.lanes[1],
            LaneId::Candidate => &self.lanes[0],
        }
    }
}

/// Numbers names that a history uses and the plan does not: a broken lane or driver may bring such.
fn name_all<'a>(plan: &mut PlanIndex<'a>, history: &'a History) {
    for record in &history.records {
        match record {
            Record::Subscribed { client, stream, .. }
            | Record::Delivered { client, stream, .. }
            | Record::Rewound { client, stream, .. }
            | Record::Overdue { client, stream, .. }
            | Record::Stuck { client, stream, .. }
            | Record::Watermark { client, stream, .. } => {
                plan.clients.add(client.as_str());
                plan.streams.add(stream.as_str());
            }
            Record::Fault { client, .. }
            | Record::Closed { client, .. }
            | Record::GaveUp { client, .. }
            | Record::Unreadable { client, .. } => {
                plan.clients.add(client.as_str());
            }
            _ => {}
        }
    }
}
