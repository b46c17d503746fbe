//! Compiles the steps of a case: each event gets its key, payload, hash and operation.

use std::collections::BTreeMap;

use super::payload::payload;
use super::{Chance, Compiler};
use crate::hash::{PayloadHash, payload_hash};
use crate::ids::{ClientId, Cursor, FaultId, OpId, Seq, StreamId};
use crate::plan::{PlannedFault, PublishExpect, Step};
use crate::scenario::script::{self, Case, Keys, Payload, Spread};

/// An event as it was published.
pub(super) struct Event {
    pub(super) op: OpId,
    key: String,
    /// What tells its payload from every other.
    pub(super) mark: String,
    pub(super) payload: String,
    hash: PayloadHash,
}

/// Every event of a case, by stream and seq.
pub(super) type Published = BTreeMap<(usize, u64), Event>;

/// The steps, what they publish, and each stream's head behind them. Waits for faults still name them by index, see
/// [`name_faults`].
pub(super) fn steps(compiler: &mut Compiler<'_>, case: &Case) -> (Vec<Step>, Published, Vec<u64>) {
    let mut compile =
        Steps { compiler, case, steps: Vec::new(), published: Published::new(), heads: vec![0; case.streams.len()] };
    for step in &case.steps {
        compile.step(step);
    }
    (compile.steps, compile.published, compile.heads)
}

/// One more event for every stream, behind the heads that the script leaves. It is small whatever the stream's payloads
/// are like, since only its arrival matters.
pub(super) fn proof_of_life(compiler: &mut Compiler<'_>, case: &Case, heads: Vec<u64>) -> Vec<Step> {
    let mut compile = Steps { compiler, case, steps: Vec::new(), published: Published::new(), heads };
    for (stream, planned) in case.streams.iter().enumerate() {
        compile.event(stream, Payload::Small, planned.keys);
    }
    compile.steps
}

/// Puts the names of faults where their indexes stood.
pub(super) fn name_faults(mut steps: Vec<Step>, faults: &[PlannedFault]) -> Vec<Step> {
    for step in &mut steps {
        if let Step::AwaitFired { fault } = step
            && let Some(named) = fault.as_str().parse::<usize>().ok().and_then(|index| faults.get(index))
        {
            *fault = named.id.clone();
        }
    }
    steps
}

/// The hash of a payload that this compiler wrote. All of those have one: a test holds them to it.
fn hash_of(payload: &str) -> PayloadHash {
    payload_hash(payload.as_bytes()).unwrap_or_else(|_| PayloadHash::of_canonical(payload.as_bytes()))
}

struct Steps<'c, 's> {
    compiler: &'c mut Compiler<'s>,
    case: &'c Case,
    steps: Vec<Step>,
    published: Published,
    heads: Vec<u64>,
}

impl Steps<'_, '_> {
    fn stream(&self, index: usize) -> StreamId {
        StreamId::new(&self.case.streams[index].topic)
    }

    fn client(&self, index: usize) -> ClientId {
        ClientId::new(&self.case.clients[index].name)
    }

    fn toxic(&self, index: usize) -> FaultId {
        self.case.toxics[index].id.clone()
    }

    fn step(&mut self, step: &script::Step) {
        let compiled = match step {
            script::Step::Policy { stream, retention, replay_budget } => Step::Policy {
                op: self.compiler.op(),
                stream: self.stream(*stream),
                retention: *retention,
                replay_budget: *replay_budget,
            },
            script::Step::Publish { shares, spread, lockstep } => {
                return self.publish(shares, *spread, lockstep.as_deref());
            }
            script::Step::Republish { stream, seq } => return self.again(*stream, *seq, false),
            script::Step::Conflict { stream, seq } => return self.again(*stream, *seq, true),
            script::Step::Connect(client) => Step::Connect { client: self.client(*client) },
            script::Step::Disconnect(client) => Step::Disconnect { client: self.client(*client) },
            script::Step::Crash(client) => Step::Crash { client: self.client(*client) },
            script::Step::Resubscribe(client) => Step::Resubscribe { client: self.client(*client) },
            script::Step::SetCursor { client, stream, to } => Step::SetCursor {
                client: self.client(*client),
                stream: self.stream(*stream),
                cursor: Cursor(draw(&mut self.compiler.chance, *to)),
            },
            script::Step::Await(clients) => {
                Step::AwaitCaughtUp { clients: clients.iter().map(|client| self.client(*client)).collect() }
            }
            script::Step::AwaitFault(fault) => Step::AwaitFired { fault: FaultId::new(fault.to_string()) },
            script::Step::AwaitToxic(toxic) => Step::AwaitFired { fault: self.toxic(*toxic) },
            script::Step::Arm(toxics) => Step::Arm { toxics: toxics.iter().map(|toxic| self.toxic(*toxic)).collect() },
            script::Step::Disarm(toxics) => {
                Step::Disarm { toxics: toxics.iter().map(|toxic| self.toxic(*toxic)).collect() }
            }
            script::Step::Server { lane, action } => Step::Server { lane: *lane, action: *action },
        };
        self.steps.push(compiled);
    }

    fn publish(&mut self, shares: &[(usize, u64)], spread: Spread, lockstep: Option<&[usize]>) {
        for stream in order(&mut self.compiler.chance, shares, spread) {
            let planned = &self.case.streams[stream];
            self.event(stream, planned.payload, planned.keys);
            let readers = lockstep.unwrap_or_default().iter();
            let readers = readers.filter(|client| self.case.clients[**client].streams.contains(&stream));
            let clients: Vec<_> = readers.map(|client| self.client(*client)).collect();
            if !clients.is_empty() {
                self.steps.push(Step::AwaitCaughtUp { clients });
            }
        }
    }

    fn event(&mut self, stream: usize, kind: Payload, keys: Keys) {
        self.heads[stream] += 1;
        let seq = self.heads[stream];
        let op = self.compiler.op();
        let chance = &mut self.compiler.chance;
        let mark = format!("{}:{seq}:{:08x}", self.case.streams[stream].topic, chance.below(1 << 32));
        let key = match keys {
            Keys::Own => mark.clone(),
            Keys::Shared => format!("shared:{seq}"),
        };
        let payload = payload(chance, kind, &mark, seq);
        let event = Event { op, hash: hash_of(&payload), key, mark, payload };
        self.steps.push(Step::Publish {
            op,
            stream: self.stream(stream),
            key: event.key.clone(),
            payload: event.payload.clone(),
            hash: event.hash,
            expect: PublishExpect::Accepted { seq: Seq(seq) },
        });
        self.published.insert((stream, seq), event);
    }

    /// Publishes under a key that is known: the same payload, or another one.
    fn again(&mut self, stream: usize, seq: u64, other: bool) {
        let op = self.compiler.op();
        let id = self.stream(stream);
        let Some(event) = self.published.get(&(stream, seq)) else {
            return;
        };
        let (payload, expect) = if other {
            let marked = format!("{}:other", event.mark);
            let payload = payload(&mut self.compiler.chance, Payload::Small, &marked, seq);
            let code = "idempotency_conflict".to_owned();
            (payload, PublishExpect::Refused { code })
        } else {
            (event.payload.clone(), PublishExpect::Repeated { seq: Seq(seq) })
        };
        self.steps.push(Step::Publish {
            op,
            stream: id,
            key: event.key.clone(),
            hash: hash_of(&payload),
            payload,
            expect,
        });
    }
}

/// A choice, made.
pub(super) fn draw(chance: &mut Chance, choice: script::Choice) -> u64 {
    if choice.low >= choice.high { choice.high } else { chance.between(choice.low, choice.high) }
}

/// Which stream each event of a publish goes to.
fn order(chance: &mut Chance, shares: &[(usize, u64)], spread: Spread) -> Vec<usize> {
    let mut left = shares.to_vec();
    let mut order = Vec::new();
    while left.iter().any(|(_, left)| *left > 0) {
        for (stream, left) in left.iter_mut().filter(|(_, left)| *left > 0) {
            *left -= 1;
            order.push(*stream);
        }
    }
    if spread != Spread::Even {
        chance.shuffle(&mut order);
    }
    order
}
