//! Adds the steps of a case to its plan, in the order of the script. Here each event gets its key, payload, hash and
//! operation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::super::cast::Stream;
use super::super::open::Choice;
use super::chance::Chance;
use super::keys::key;
use super::payload::{Payload, payload};
use crate::hash::{PayloadHash, payload_hash};
use crate::ids::{FaultId, OpId, Seq, StreamId};
use crate::plan::{PublishExpect, Step};

/// What a rehearsed step adds to the plan. All of it is known but what the seed decides.
#[derive(Clone)]
pub(crate) struct Act(Arc<dyn Fn(&mut StepPlanner<'_>) + Send + Sync>);

impl Act {
    pub(crate) fn new(act: impl Fn(&mut StepPlanner<'_>) + Send + Sync + 'static) -> Act {
        Act(Arc::new(act))
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

pub(crate) struct Event {
    pub(crate) op: OpId,
    key: String,
    /// Distinguishes its payload from every other.
    pub(crate) mark: String,
    pub(crate) payload: String,
}

pub(crate) type Published = BTreeMap<(usize, u64), Event>;

pub(crate) struct StepPlanner<'p> {
    pub(crate) chance: &'p mut Chance,
    last_op: &'p mut u32,
    streams: &'p [Stream],
    /// The faults and toxics that each one of the file became in this case.
    fault_ids: &'p BTreeMap<String, Vec<FaultId>>,
    pub(super) steps: Vec<Step>,
    pub(super) published: Published,
    pub(super) heads: Vec<u64>,
}

impl<'p> StepPlanner<'p> {
    pub(super) fn new(
        chance: &'p mut Chance,
        last_op: &'p mut u32,
        streams: &'p [Stream],
        fault_ids: &'p BTreeMap<String, Vec<FaultId>>,
        heads: Vec<u64>,
    ) -> StepPlanner<'p> {
        StepPlanner { chance, last_op, streams, fault_ids, steps: Vec::new(), published: Published::new(), heads }
    }

    pub(super) fn plan(&mut self, act: &Act) {
        (act.0)(self);
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(crate) fn op(&mut self) -> OpId {
        *self.last_op += 1;
        OpId(*self.last_op)
    }

    pub(crate) fn fault_ids(&self, name: &str) -> Vec<FaultId> {
        self.fault_ids.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn publish(&mut self, stream: usize) {
        self.event(stream, self.streams[stream].payload);
    }

    /// Publishes the event that proves a stream alive. It is small whatever the stream's payloads are, since only its
    /// arrival matters.
    pub(super) fn proof(&mut self, stream: usize) {
        self.event(stream, Payload::Small);
    }

    fn event(&mut self, stream: usize, kind: Payload) {
        self.heads[stream] += 1;
        let (op, seq) = (self.op(), self.heads[stream]);
        let mark = format!("{}:{seq}:{:08x}", self.streams[stream].topic, self.chance.below(1 << 32));
        let key = key(self.streams, stream, seq, &mark);
        let payload = payload(self.chance, kind, &mark, seq);
        self.step(op, stream, &key, payload.clone(), PublishExpect::Accepted { seq: Seq(seq) });
        self.published.insert((stream, seq), Event { op, key, mark, payload });
    }

    pub(crate) fn publish_again(
        &mut self,
        stream: usize,
        seq: u64,
        what: impl Fn(&mut Chance, &Event) -> (String, PublishExpect),
    ) {
        let op = self.op();
        if let Some(event) = self.published.get(&(stream, seq)) {
            let (payload, expect) = what(self.chance, event);
            let key = event.key.clone();
            self.step(op, stream, &key, payload, expect);
        }
    }

    fn step(&mut self, op: OpId, stream: usize, key: &str, payload: String, expect: PublishExpect) {
        let (stream, hash) = (StreamId::new(&self.streams[stream].topic), hash_of(&payload));
        self.steps.push(Step::Publish { op, stream, key: key.to_owned(), payload, hash, expect });
    }

    pub(crate) fn draw(&mut self, choice: Choice) -> u64 {
        draw(self.chance, choice)
    }
}

pub(super) fn draw(chance: &mut Chance, choice: Choice) -> u64 {
    if choice.low >= choice.high { choice.high } else { chance.between(choice.low, choice.high) }
}

/// The hash of a payload that was generated here. All of those have one: a test checks it.
fn hash_of(payload: &str) -> PayloadHash {
    payload_hash(payload.as_bytes()).unwrap_or_else(|_| PayloadHash::of_canonical(payload.as_bytes()))
}
