//! One lane's history, looked up by operation, subscription, and client with stream.

use std::collections::{BTreeMap, HashMap};

use super::PairKey;
use super::arrival::Delivery;
use super::plan::PlanIndex;
use super::reach::{Reach, reaches};
use super::stream::{OpState, Timeline, settle_together, timelines};
use super::sub::Sub;
use crate::check::reason::Verdict;
use crate::history::{Closed, History, Phase, Process, Record};
use crate::ids::{ConnId, LaneId};

#[derive(Debug, Default)]
pub(in crate::check) struct Pair {
    /// Its subscriptions, by place in [`LaneIndex::subs`].
    pub subs: Vec<usize>,
    /// Its deliveries, by place in [`LaneIndex::deliveries`].
    pub deliveries: Vec<usize>,
    /// Seqs in whose place something arrived; sorted, each once.
    pub arrived: Vec<u64>,
    pub rewinds: Vec<usize>,
    /// Records at which the client asked again for events that had not come, with the first and the last of them.
    pub overdue: Vec<(usize, u64, u64)>,
    /// The last watermark, with its record.
    pub watermark: Option<(usize, u64)>,
    /// The last time that the client could get no further, with its record.
    pub stuck: Option<(usize, u64)>,
}

impl Pair {
    pub fn has(&self, seq: u64) -> bool {
        self.arrived.binary_search(&seq).is_ok()
    }
}

/// How often things were seen, which a scenario's `at_least` bounds. Deliveries of the proof of life do not count: they
/// come whatever the script did.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::check) struct Seen {
    pub deliveries: u64,
    /// Subscribes with a cursor that were accepted.
    pub resumes: u64,
    pub refusals: u64,
    /// Deliveries that a client suppressed.
    pub duplicates: u64,
    pub faults: u64,
}

#[derive(Debug)]
pub(in crate::check) struct LaneIndex<'a> {
    pub lane: LaneId,
    pub history: &'a History,
    pub done: bool,
    /// The record from which on streams are proven alive; the length of the history where it never came.
    pub proof_at: usize,
    /// The record from which on everything in flight was to arrive; the length of the history where it never came.
    pub drain_at: usize,
    pub ops: Vec<OpState<'a>>,
    pub streams: Vec<Timeline>,
    pub subs: Vec<Sub<'a>>,
    pub deliveries: Vec<Delivery>,
    pub pairs: BTreeMap<PairKey, Pair>,
    pub deaths: Vec<usize>,
    /// Records at which a client died, in order, with the client.
    pub crashes: Vec<(usize, usize)>,
    pub fired: HashMap<&'a str, (u64, usize)>,
    reaches: BTreeMap<usize, Reach>,
    /// Answered heartbeats while proofs of life were waited for, by client and connection: the last record.
    pub round_trips: HashMap<(usize, ConnId), usize>,
    pub timed_out: Vec<usize>,
    pub two_copies: bool,
    pub seen: Seen,
}

impl<'a> LaneIndex<'a> {
    /// What a history says of operations, faults and the server. Subscriptions and deliveries are read afterwards.
    pub fn of_operations(lane: LaneId, history: &'a History, plan: &PlanIndex<'a>) -> LaneIndex<'a> {
        let end = history.records.len();
        let mut index = LaneIndex {
            lane,
            history,
            done: false,
            proof_at: end,
            drain_at: end,
            ops: vec![OpState::NEW; plan.ops.len()],
            streams: Vec::new(),
            subs: Vec::new(),
            deliveries: Vec::new(),
            pairs: plan.subscribes.iter().map(|pair| (*pair, Pair::default())).collect(),
            deaths: Vec::new(),
            crashes: Vec::new(),
            fired: HashMap::new(),
            reaches: reaches(history, plan),
            round_trips: HashMap::new(),
            timed_out: Vec::new(),
            two_copies: false,
            seen: Seen::default(),
        };
        index.read_operations(plan);
        settle_together(plan, &mut index.ops);
        index.streams = timelines(plan, &index.ops);
        index
    }

    pub fn pair(&self, key: PairKey) -> Option<&Pair> {
        self.pairs.get(&key)
    }

    pub fn reach(&self, client: usize) -> &Reach {
        self.reaches.get(&client).unwrap_or(Reach::NEVER_TRIED)
    }

    /// `Invalid`, but `Unknown` of a client that could not be reached.
    pub fn charge(&self, client: usize) -> Verdict {
        match self.reaches.get(&client) {
            Some(reach) if !reach.is_hindered() => Verdict::Invalid,
            _ => Verdict::Unknown,
        }
    }

    /// Whether a record of a client and a stream lies behind a fault that took messages of the subscription that was
    /// open then from their place.
    pub fn is_disturbed(&self, key: PairKey, at: usize) -> bool {
        self.open_at(key, at).any(|sub| sub.is_disturbed(at))
    }

    /// Whether the lane saw another cursor than the client sent, in a subscription that was open then.
    pub fn is_rewritten(&self, key: PairKey, at: usize) -> bool {
        self.open_at(key, at).any(|sub| sub.saw != sub.asked)
    }

    pub fn open_at(&self, key: PairKey, at: usize) -> impl Iterator<Item = &Sub<'a>> {
        let subs = self.pair(key).map_or(&[][..], |pair| &pair.subs);
        subs.iter().map(|sub| &self.subs[*sub]).filter(move |sub| sub.at <= at && at <= sub.ended)
    }

    pub fn crashed_between(&self, client: usize, from: usize, to: usize) -> bool {
        let start = self.crashes.partition_point(|(at, _)| *at < from);
        self.crashes[start..].iter().take_while(|(at, _)| *at < to).any(|(_, who)| *who == client)
    }

    fn read_operations(&mut self, plan: &PlanIndex<'a>) {
        for (at, record) in self.history.records.iter().enumerate() {
            match record {
                Record::Phase { phase: Phase::ProofOfLife } => self.proof_at = at,
                Record::RoundTrip { client, conn } => {
                    if let Some(client) = plan.clients.get(client.as_str()) {
                        self.round_trips.insert((client, *conn), at);
                    }
                }
                Record::Phase { phase: Phase::Drain } => self.drain_at = at,
                Record::Phase { phase: Phase::Done } => self.done = true,
                Record::Invoke { op, .. } => {
                    if let Some(number) = plan.op(*op) {
                        self.ops[number].invoke(at);
                    }
                }
                Record::Complete { op, completion, .. } => {
                    if let Some(number) = plan.op(*op) {
                        self.ops[number].complete(at, completion);
                    }
                }
                Record::Process { process: Process::Killed { .. } | Process::Stopped | Process::Died { .. } } => {
                    self.deaths.push(at);
                }
                Record::TimedOut { .. } => self.timed_out.push(at),
                Record::Fault { fault, .. } => {
                    self.fired.entry(fault.as_str()).or_insert((0, at)).0 += 1;
                    self.seen.faults += 1;
                }
                Record::Closed { client, why: Closed::Crashed, .. } => {
                    self.crashes.extend(plan.clients.get(client.as_str()).map(|client| (at, client)));
                }
                _ => {}
            }
        }
    }
}
