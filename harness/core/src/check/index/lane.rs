//! One lane's history, looked up by operation, subscription, and client with stream.

use std::collections::{BTreeMap, HashMap};

use super::arrival::{Arrival, Delivery, classify};
use super::plan::PlanIndex;
use super::stream::{OpState, Timeline, timelines};
use super::{Names, PairKey};
use crate::history::{Closed, History, Phase, Process, Record, Refusal, Rewrote, Verdict, Via};
use crate::ids::{ConnId, LaneId, Seq, SubId};

/// A subscription of one stream by one client.
#[derive(Debug)]
pub(in crate::check) struct Sub<'a> {
    /// Its record.
    pub at: usize,
    /// Whose.
    pub client: usize,
    /// Of what.
    pub stream: usize,
    /// On which connection.
    pub conn: ConnId,
    /// The cursor that the client sent; `None` for a bootstrap.
    pub asked: Option<u64>,
    /// The cursor that the lane saw, after a fault rewrote it.
    pub saw: Option<u64>,
    /// The ledger's record of the rewriting.
    pub rewritten_at: Option<usize>,
    /// The lane's answer.
    pub reply: Option<Reply<'a>>,
    /// The record that ended it: the connection's end or the next subscription of the same stream; the length of the
    /// history where nothing did.
    pub ended: usize,
    /// Whether its connection had not carried the stream before.
    pub fresh: bool,
    /// Its deliveries, by their place in [`LaneIndex::deliveries`].
    pub deliveries: Vec<usize>,
}

/// A lane's answer to a subscription.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) enum Reply<'a> {
    /// Accepted.
    Accepted {
        /// The record.
        at: usize,
        /// The head by the lane's word.
        head: Option<Seq>,
    },
    /// Refused.
    Refused {
        /// The record.
        at: usize,
        /// The lane's words.
        refusal: &'a Refusal,
    },
}

impl Sub<'_> {
    /// The record of acceptance.
    pub fn accepted_at(&self) -> Option<usize> {
        match self.reply {
            Some(Reply::Accepted { at, .. }) => Some(at),
            _ => None,
        }
    }
}

/// What concerns one client and one stream.
#[derive(Debug, Default)]
pub(in crate::check) struct Pair {
    /// Its subscriptions, by place in [`LaneIndex::subs`].
    pub subs: Vec<usize>,
    /// Its deliveries, by place in [`LaneIndex::deliveries`].
    pub deliveries: Vec<usize>,
    /// Seqs in whose place something arrived; sorted, each once.
    pub arrived: Vec<u64>,
    /// Records at which the client gave up its cursor.
    pub rewinds: Vec<usize>,
    /// The last watermark, with its record.
    pub watermark: Option<(usize, u64)>,
    /// The last time that the client could get no further, with its record.
    pub stuck: Option<(usize, u64)>,
}

impl Pair {
    /// Whether something arrived in the place of this seq.
    pub fn has(&self, seq: u64) -> bool {
        self.arrived.binary_search(&seq).is_ok()
    }
}

/// How often things were seen; what a scenario's `at_least` is held against.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::check) struct Seen {
    /// Events applied.
    pub deliveries: u64,
    /// Subscribes with a cursor that were accepted.
    pub resumes: u64,
    /// Resumes that were refused as stale.
    pub refusals: u64,
    /// Deliveries that a client suppressed.
    pub duplicates: u64,
    /// Faults that fired.
    pub faults: u64,
}

/// One lane's history, indexed.
#[derive(Debug)]
pub(in crate::check) struct LaneIndex<'a> {
    /// The lane.
    pub lane: LaneId,
    /// The history itself.
    pub history: &'a History,
    /// Whether the run was complete.
    pub done: bool,
    /// The record from which on everything in flight was to arrive; the length of the history where it never came.
    pub drain_at: usize,
    /// What became of each operation, in the order of [`PlanIndex::ops`].
    pub ops: Vec<OpState<'a>>,
    /// Streams through time, by number.
    pub streams: Vec<Timeline>,
    /// Subscriptions, in order.
    pub subs: Vec<Sub<'a>>,
    /// Deliveries, in order.
    pub deliveries: Vec<Delivery>,
    /// By client and stream.
    pub pairs: BTreeMap<PairKey, Pair>,
    /// Records at which the server died.
    pub deaths: Vec<usize>,
    /// Records at which a client died, in order, with the client.
    pub crashes: Vec<(usize, usize)>,
    /// Faults that fired: how often, and the first record.
    pub fired: HashMap<&'a str, (u64, usize)>,
    /// Records at which the driver gave up waiting.
    pub timed_out: Vec<usize>,
    /// Whether the lane delivers every event in two copies.
    pub two_copies: bool,
    /// Counts.
    pub seen: Seen,
}

impl<'a> LaneIndex<'a> {
    /// Indexes a history: one pass for what was asked and answered, one for what was delivered.
    pub fn build(lane: LaneId, history: &'a History, plan: &PlanIndex<'a>) -> LaneIndex<'a> {
        let end = history.records.len();
        let mut index = LaneIndex {
            lane,
            history,
            done: false,
            drain_at: end,
            ops: vec![OpState::NEW; plan.ops.len()],
            streams: Vec::new(),
            subs: Vec::new(),
            deliveries: Vec::new(),
            pairs: plan.subscribes.iter().map(|pair| (*pair, Pair::default())).collect(),
            deaths: Vec::new(),
            crashes: Vec::new(),
            fired: HashMap::new(),
            timed_out: Vec::new(),
            two_copies: false,
            seen: Seen::default(),
        };
        index.read_operations(plan);
        index.streams = timelines(plan, &index.ops);
        Subscriptions::read(&mut index, plan);
        index.two_copies = index.deliveries.iter().any(|delivery| delivery.via == Via::Frame)
            && index.deliveries.iter().any(|delivery| delivery.via == Via::UpdateBatch);
        for pair in index.pairs.values_mut() {
            pair.arrived.sort_unstable();
            pair.arrived.dedup();
        }
        index
    }

    /// The pair's view, where there is one.
    pub fn pair(&self, key: PairKey) -> Option<&Pair> {
        self.pairs.get(&key)
    }

    /// Whether the client died between two records.
    pub fn crashed_between(&self, client: usize, from: usize, to: usize) -> bool {
        let start = self.crashes.partition_point(|(at, _)| *at < from);
        self.crashes[start..]
            .iter()
            .take_while(|(at, _)| *at < to)
            .any(|(_, who)| *who == client)
    }

    fn read_operations(&mut self, plan: &PlanIndex<'a>) {
        for (at, record) in self.history.records.iter().enumerate() {
            match record {
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
                Record::Process {
                    process: Process::Killed | Process::Died { .. },
                } => self.deaths.push(at),
                Record::TimedOut { .. } => self.timed_out.push(at),
                Record::Fault { fault, .. } => {
                    self.fired.entry(fault.as_str()).or_insert((0, at)).0 += 1;
                    self.seen.faults += 1;
                }
                Record::Closed {
                    client,
                    why: Closed::Crashed,
                    ..
                } => {
                    self.crashes
                        .extend(plan.clients.get(client.as_str()).map(|client| (at, client)));
                }
                _ => {}
            }
        }
    }
}

/// The second pass: subscriptions, and what was delivered in them.
struct Subscriptions<'a> {
    by_id: HashMap<(usize, SubId), usize>,
    open: HashMap<PairKey, usize>,
    /// Open subscriptions of each client, so that a connection's end need not search all pairs.
    open_of: HashMap<usize, Vec<usize>>,
    carried: HashMap<(PairKey, ConnId), ()>,
    rewrites: Vec<(usize, usize, u32, &'a Rewrote)>,
}

impl<'a> Subscriptions<'a> {
    fn read(index: &mut LaneIndex<'a>, plan: &PlanIndex<'a>) {
        let mut reading = Subscriptions {
            by_id: HashMap::new(),
            open: HashMap::new(),
            open_of: HashMap::new(),
            carried: HashMap::new(),
            rewrites: Vec::new(),
        };
        for (at, record) in index.history.records.iter().enumerate() {
            reading.record(index, plan, at, record);
        }
        reading.rewrite(index, &plan.streams);
    }

    fn record(&mut self, index: &mut LaneIndex<'a>, plan: &PlanIndex<'a>, at: usize, record: &'a Record) {
        let pair_of = |client: &str, stream: &str| plan.clients.get(client).zip(plan.streams.get(stream));
        match record {
            Record::Subscribed {
                client,
                conn,
                sub,
                stream,
                cursor,
            } => {
                let Some(key) = pair_of(client.as_str(), stream.as_str()) else {
                    return;
                };
                self.subscribe(index, at, key, *conn, cursor.map(|cursor| cursor.0));
                self.by_id.insert((key.0, *sub), index.subs.len() - 1);
            }
            Record::Accepted { client, sub, head, .. } => {
                let Some(sub) = self.sub(plan, client.as_str(), *sub) else {
                    return;
                };
                index.subs[sub].reply = Some(Reply::Accepted { at, head: *head });
                index.seen.resumes += u64::from(index.subs[sub].asked.is_some());
            }
            Record::Refused {
                client, sub, refusal, ..
            } => {
                index.seen.refusals += u64::from(refusal.code == STALE_CURSOR);
                let Some(sub) = self.sub(plan, client.as_str(), *sub) else {
                    return;
                };
                index.subs[sub].reply = Some(Reply::Refused { at, refusal });
            }
            Record::Closed { client, conn, .. } => {
                let Some(client) = plan.clients.get(client.as_str()) else {
                    return;
                };
                for sub in self.open_of.remove(&client).unwrap_or_default() {
                    if index.subs[sub].conn == *conn {
                        index.subs[sub].ended = index.subs[sub].ended.min(at);
                    } else {
                        self.open_of.entry(client).or_default().push(sub);
                    }
                }
            }
            Record::Delivered {
                client,
                sub,
                stream,
                seq,
                hash,
                via,
                verdict,
                ..
            } => {
                let Some(key) = pair_of(client.as_str(), stream.as_str()) else {
                    return;
                };
                let arrival = classify(plan, &index.ops, &index.streams, key, (at, seq.0, *hash));
                let delivery = Delivery {
                    at,
                    client: key.0,
                    stream: key.1,
                    seq: seq.0,
                    hash: *hash,
                    via: *via,
                    verdict: *verdict,
                    arrival,
                };
                self.deliver(index, self.sub(plan, client.as_str(), *sub), delivery);
            }
            Record::Rewound { client, stream, .. } => {
                if let Some(key) = pair_of(client.as_str(), stream.as_str()) {
                    index.pairs.entry(key).or_default().rewinds.push(at);
                }
            }
            Record::Stuck { client, stream, cursor } => {
                if let Some(key) = pair_of(client.as_str(), stream.as_str()) {
                    index.pairs.entry(key).or_default().stuck = Some((at, cursor.0));
                }
            }
            Record::Watermark { client, stream, cursor } => {
                if let Some(key) = pair_of(client.as_str(), stream.as_str()) {
                    index.pairs.entry(key).or_default().watermark = Some((at, cursor.0));
                }
            }
            Record::Fault { client, fire, .. } => {
                if let (Some(client), Some(rewrote)) = (plan.clients.get(client.as_str()), &fire.rewrote) {
                    self.rewrites.push((at, client, fire.conn, rewrote));
                }
            }
            _ => {}
        }
    }

    fn sub(&self, plan: &PlanIndex<'_>, client: &str, sub: SubId) -> Option<usize> {
        self.by_id.get(&(plan.clients.get(client)?, sub)).copied()
    }

    fn subscribe(&mut self, index: &mut LaneIndex<'a>, at: usize, key: PairKey, conn: ConnId, asked: Option<u64>) {
        let number = index.subs.len();
        if let Some(before) = self.open.insert(key, number) {
            index.subs[before].ended = index.subs[before].ended.min(at);
        }
        let open = self.open_of.entry(key.0).or_default();
        open.retain(|sub| index.subs[*sub].stream != key.1);
        open.push(number);
        index.pairs.entry(key).or_default().subs.push(number);
        index.subs.push(Sub {
            at,
            client: key.0,
            stream: key.1,
            conn,
            asked,
            saw: asked,
            rewritten_at: None,
            reply: None,
            ended: index.history.records.len(),
            fresh: self.carried.insert((key, conn), ()).is_none(),
            deliveries: Vec::new(),
        });
    }

    fn deliver(&mut self, index: &mut LaneIndex<'a>, sub: Option<usize>, delivery: Delivery) {
        let number = index.deliveries.len();
        match delivery.verdict {
            Verdict::Applied => index.seen.deliveries += 1,
            Verdict::Duplicate => index.seen.duplicates += 1,
            _ => {}
        }
        if let Some(sub) = sub.filter(|sub| index.subs[*sub].stream == delivery.stream) {
            index.subs[sub].deliveries.push(number);
        }
        let pair = index.pairs.entry((delivery.client, delivery.stream)).or_default();
        pair.deliveries.push(number);
        if delivery.arrival.fills_its_seq() {
            pair.arrived.push(delivery.seq);
        }
        if let Arrival::Right(_) = delivery.arrival {
            index.streams[delivery.stream].observed.raise(delivery.at, delivery.seq);
        }
        index.deliveries.push(delivery);
    }

    /// Gives each subscription the cursor that the lane saw, by the ledger. The proxy and the client write their records
    /// apart, so a rewriting belongs to the last subscription before it that asked for what was rewritten, on the same
    /// connection where one is; else to the first after it.
    fn rewrite(&self, index: &mut LaneIndex<'a>, streams: &Names<'_>) {
        for (at, client, conn, rewrote) in &self.rewrites {
            let Some(stream) = streams.get(rewrote.stream.as_str()) else {
                continue;
            };
            let from = rewrote.from.map(|cursor| cursor.0);
            let Some(pair) = index.pairs.get(&(*client, stream)) else {
                continue;
            };
            let asking = || pair.subs.iter().copied().filter(|sub| index.subs[*sub].asked == from);
            let before = |same: bool| {
                asking().rfind(|sub| index.subs[*sub].at < *at && (!same || index.subs[*sub].conn.0 == *conn))
            };
            let after = |same: bool| {
                asking().find(|sub| index.subs[*sub].at > *at && (!same || index.subs[*sub].conn.0 == *conn))
            };
            let chosen = before(true)
                .or_else(|| after(true))
                .or_else(|| before(false))
                .or_else(|| after(false));
            if let Some(sub) = chosen {
                index.subs[sub].saw = Some(rewrote.to.0);
                index.subs[sub].rewritten_at = Some(*at);
            }
        }
    }
}

/// The code of a refused stale cursor (contract, "Ordering, delivery, replay").
pub(in crate::check) const STALE_CURSOR: &str = "stale_cursor";
