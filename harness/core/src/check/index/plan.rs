//! The plan, looked up by operation, payload hash, client and stream.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Names, PairKey};
use crate::hash::PayloadHash;
use crate::ids::{FaultId, LaneId, OpId, StreamId};
use crate::plan::{Change, Claims, Deed, Misuse, Plan, PublishExpect, Step, Token, deed_of, misuse, token_of};

#[derive(Debug)]
pub(in crate::check) struct PlannedOp<'a> {
    pub id: OpId,
    pub stream: usize,
    /// The only lane that it is sent to; `None` is each.
    pub lane: Option<LaneId>,
    /// Of publishes that are sent at the same moment: the first of them.
    pub together: Option<OpId>,
    pub what: What<'a>,
}

#[derive(Debug)]
pub(in crate::check) enum What<'a> {
    Publish {
        /// The payload as it is sent.
        payload: &'a str,
        key: &'a str,
        hash: PayloadHash,
        claims: &'a Claims,
        expect: &'a PublishExpect,
    },
    /// Sets a policy; `None` leaves a value as it is.
    Policy {
        retention: Option<u64>,
        budget: Option<u64>,
    },
    /// To be refused with a code on each lane; a lane without a code is sent nothing.
    Misuse(Option<&'static Misuse>),
    /// Something that is done with a token; `None` where a word is not known.
    Attempt(Option<Attempted<'a>>),
    Prune {
        up_to: u64,
    },
    Checkpoint {
        client: &'a str,
        seq: u64,
        durable_offset: u64,
        refused: Option<&'a str>,
    },
    Call {
        reducer: &'a str,
        refused: Option<&'a str>,
    },
    Rows {
        query: &'a str,
        rows: &'a str,
    },
}

#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Attempted<'a> {
    pub identity: &'a str,
    pub token: &'static Token,
    pub deed: &'static Deed,
    pub allowed: bool,
    /// The tokens of the identity were revoked before.
    pub revoked: bool,
    pub sees: &'a [StreamId],
}

impl PlannedOp<'_> {
    pub fn hash(&self) -> Option<PayloadHash> {
        match self.what {
            What::Publish { hash, .. } => Some(hash),
            _ => None,
        }
    }

    /// The seq that the plan gives a publish that is to be written.
    pub fn planned_seq(&self) -> Option<u64> {
        match self.what {
            What::Publish { expect: PublishExpect::Accepted { seq }, .. } => Some(seq.0),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct SamePayload {
    pub first: usize,
    pub to_be_written: usize,
}

/// The publishes of one payload, to all streams.
#[derive(Debug)]
struct Carriers {
    first: usize,
    /// How many of them are events of their own.
    events: usize,
    tells: bool,
}

/// An object or array of so many bytes does not become another event's payload by a small change.
const TELLING_BYTES: usize = 12;

/// A stream's policy at the start; `None` is without bound.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::check) struct StartPolicy {
    pub retention: Option<u64>,
    pub budget: Option<u64>,
}

#[derive(Debug)]
pub(in crate::check) struct PlanIndex<'a> {
    pub plan: &'a Plan,
    pub streams: Names<'a>,
    pub clients: Names<'a>,
    pub ops: Vec<PlannedOp<'a>>,
    /// The publishes that prove streams alive, by place in `ops`.
    pub proofs: Vec<usize>,
    pub subscribes: BTreeSet<PairKey>,
    op_at: HashMap<OpId, usize>,
    by_hash: HashMap<PayloadHash, Carriers>,
    by_place: HashMap<(usize, PayloadHash), SamePayload>,
    policies: Vec<StartPolicy>,
    connected: Vec<bool>,
    set_cursors: HashMap<PairKey, Vec<u64>>,
    displacing: HashSet<&'a str>,
    /// The identities whose tokens were revoked by the steps until now.
    revoked: BTreeSet<&'a str>,
}

impl<'a> PlanIndex<'a> {
    pub fn build(plan: &'a Plan) -> PlanIndex<'a> {
        let displacing = plan.faults.iter().filter(|fault| fault.kind.spec().leaves_gap());
        let mut index = PlanIndex {
            plan,
            streams: Names::default(),
            clients: Names::default(),
            ops: Vec::new(),
            proofs: Vec::new(),
            subscribes: BTreeSet::new(),
            op_at: HashMap::new(),
            by_hash: HashMap::new(),
            by_place: HashMap::new(),
            policies: Vec::new(),
            connected: Vec::new(),
            set_cursors: HashMap::new(),
            displacing: displacing.map(|fault| fault.id.as_str()).collect(),
            revoked: BTreeSet::new(),
        };
        for case in &plan.cases {
            for stream in &case.streams {
                let number = index.streams.add(stream.id.as_str());
                index.policies.resize(number + 1, StartPolicy::default());
                index.policies[number] = StartPolicy { retention: stream.retention, budget: stream.replay_budget };
            }
        }
        for case in &plan.cases {
            for client in &case.clients {
                let number = index.clients.add(client.id.as_str());
                for stream in &client.streams {
                    let stream = index.streams.add(stream.as_str());
                    index.subscribes.insert((number, stream));
                }
            }
            for step in &case.steps {
                index.add_step(step);
            }
            let scripted = index.ops.len();
            for step in &case.proof_of_life {
                index.add_step(step);
            }
            index.proofs.extend(scripted..index.ops.len());
        }
        index
    }

    fn add_step(&mut self, step: &'a Step) {
        match step {
            Step::Publish { op, stream, payload, key, hash, claims, expect, lane, together, .. } => {
                let at = self.add_op(*op, stream.as_str(), What::Publish { payload, key, hash: *hash, claims, expect });
                (self.ops[at].lane, self.ops[at].together) = (*lane, *together);
                let tells = payload.len() >= TELLING_BYTES && payload.trim_start().starts_with(['{', '[']);
                let carriers = self.by_hash.entry(*hash).or_insert(Carriers { first: at, events: 0, tells });
                if self.ops[at].planned_seq().is_some() {
                    carriers.first = if carriers.events == 0 { at } else { carriers.first };
                    carriers.events += 1;
                }
                let same = self
                    .by_place
                    .entry((self.ops[at].stream, *hash))
                    .or_insert(SamePayload { first: at, to_be_written: 0 });
                same.to_be_written += usize::from(self.ops[at].planned_seq().is_some());
            }
            Step::Policy { op, stream, retention, replay_budget } => {
                self.add_op(*op, stream.as_str(), What::Policy { retention: *retention, budget: *replay_budget });
            }
            Step::Prune { op, stream, up_to, .. } => {
                self.add_op(*op, stream.as_str(), What::Prune { up_to: up_to.0 });
            }
            Step::Misuse { op, stream, what } => {
                self.add_op(*op, stream.as_str(), What::Misuse(misuse(what)));
            }
            Step::Attempt { op, stream, identity, token, deed, allowed, sees } => {
                let known = token_of(token).zip(deed_of(deed));
                let (allowed, revoked) = (*allowed, self.revoked.contains(identity.as_str()));
                let attempted = known.map(|(token, deed)| Attempted { identity, token, deed, allowed, revoked, sees });
                self.add_op(*op, stream.as_str(), What::Attempt(attempted));
            }
            Step::Checkpoint { op, stream, client, seq, durable_offset, refused } => {
                let (seq, durable_offset, refused) = (*seq, *durable_offset, refused.as_deref());
                self.add_op(*op, stream.as_str(), What::Checkpoint { client, seq, durable_offset, refused });
            }
            Step::Call { op, stream, reducer, refused, .. } => {
                self.add_op(*op, stream.as_str(), What::Call { reducer, refused: refused.as_deref() });
            }
            Step::Rows { op, stream, query, rows } => {
                self.add_op(*op, stream.as_str(), What::Rows { query, rows });
            }
            Step::Connect { client, .. } => self.set_connected(client.as_str(), true),
            Step::Disconnect { client } | Step::Crash { client } => self.set_connected(client.as_str(), false),
            Step::SetCursor { client, stream, cursor } => {
                let pair = (self.clients.add(client.as_str()), self.streams.add(stream.as_str()));
                self.set_cursors.entry(pair).or_default().push(cursor.0);
            }
            Step::Access(Change::Revoke { identity }) => drop(self.revoked.insert(identity)),
            Step::Inspect { .. }
            | Step::Count { .. }
            | Step::TakeTurn { .. }
            | Step::EndTurn
            | Step::Resubscribe { .. }
            | Step::AwaitCaughtUp { .. }
            | Step::AwaitFired { .. }
            | Step::Arm { .. }
            | Step::Access(_)
            | Step::Disarm { .. }
            | Step::Backup { .. }
            | Step::BackedUp { .. }
            | Step::Restore(_)
            | Step::Server { .. }
            | Step::UpdateModule { .. }
            | Step::Beside { .. }
            | Step::Relay { .. }
            | Step::AwaitRelay
            | Step::AwaitOutbox => {}
        }
    }

    fn add_op(&mut self, id: OpId, stream: &'a str, what: What<'a>) -> usize {
        let stream = self.streams.add(stream);
        self.op_at.insert(id, self.ops.len());
        self.ops.push(PlannedOp { id, stream, lane: None, together: None, what });
        self.ops.len() - 1
    }

    fn set_connected(&mut self, client: &'a str, connected: bool) {
        let number = self.clients.add(client);
        if self.connected.len() <= number {
            self.connected.resize(number + 1, false);
        }
        self.connected[number] = connected;
    }

    /// An operation's place in [`PlanIndex::ops`].
    pub fn op(&self, id: OpId) -> Option<usize> {
        self.op_at.get(&id).copied()
    }

    pub fn is_published(&self, hash: PayloadHash) -> bool {
        self.by_hash.contains_key(&hash)
    }

    /// The event that a payload tells, in any stream. Where several events have the same payload, it tells none of
    /// them. What is to be refused is no event. A bare value tells none either: a lane that changes a payload may end
    /// up with it.
    pub fn told_by(&self, hash: PayloadHash) -> Option<usize> {
        let carriers = self.by_hash.get(&hash)?;
        (carriers.tells && carriers.events == 1).then_some(carriers.first)
    }

    pub fn publishes_of(&self, stream: usize, hash: PayloadHash) -> Option<SamePayload> {
        self.by_place.get(&(stream, hash)).copied()
    }

    pub fn policy(&self, stream: usize) -> StartPolicy {
        self.policies.get(stream).copied().unwrap_or_default()
    }

    pub fn connected_at_end(&self, client: usize) -> bool {
        self.connected.get(client).copied().unwrap_or(false)
    }

    /// Whether a fault takes messages from their place: loses them, or lets others pass them.
    pub fn displaces(&self, fault: &FaultId) -> bool {
        self.displacing.contains(fault.as_str())
    }

    pub fn sets_cursor(&self, pair: PairKey, cursor: u64) -> bool {
        self.set_cursors.get(&pair).is_some_and(|cursors| cursors.contains(&cursor))
    }

    /// The pairs that owe convergence: subscribed by plan, and connected at its end.
    pub fn owing_pairs(&self) -> impl Iterator<Item = PairKey> + '_ {
        self.subscribes.iter().copied().filter(|(client, _)| self.connected_at_end(*client))
    }
}
