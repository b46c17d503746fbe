//! The second pass over a history: subscriptions, what was delivered in them, and which cursors the lane saw.

use std::collections::{HashMap, HashSet};

use super::arrival::{Arrival, Delivery, classify};
use super::lane::LaneIndex;
use super::plan::PlanIndex;
use super::sub::{Reply, STALE_CURSOR, Sub};
use super::{Names, PairKey};
use crate::history::{Record, Rewrote, Verdict, Via};
use crate::ids::{ConnId, SubId};

/// The second pass: subscriptions, and what was delivered in them.
pub(super) struct Subscriptions<'a> {
    by_id: HashMap<(usize, SubId), usize>,
    open: HashMap<PairKey, usize>,
    /// Open subscriptions of each client, so that a connection's end need not search all pairs.
    open_of: HashMap<usize, Vec<usize>>,
    /// The last subscription of a stream on a connection.
    carried: HashMap<(PairKey, ConnId), usize>,
    rewrites: Vec<(usize, usize, u32, &'a Rewrote)>,
}

impl<'a> Subscriptions<'a> {
    /// Reads a history whose operations have been read.
    pub fn read(index: &mut LaneIndex<'a>, plan: &PlanIndex<'a>) {
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
        mark_disturbed(index, plan);
        find_second_events(index, plan);
        let history = index.history;
        let once = |record: &Record| matches!(record, Record::Opened { spoken: Some(spoken), .. } if spoken.once);
        let once = history.records.iter().any(once);
        let one_of_two = |via| via == Via::Frame || via == Via::UpdateBatch && !once;
        index.two_copies = index.deliveries.iter().any(|delivery| one_of_two(delivery.via));
        for pair in index.pairs.values_mut() {
            pair.arrived.sort_unstable();
            pair.arrived.dedup();
        }
    }

    fn record(&mut self, index: &mut LaneIndex<'a>, plan: &PlanIndex<'a>, at: usize, record: &'a Record) {
        let pair_of = |client: &str, stream: &str| plan.clients.get(client).zip(plan.streams.get(stream));
        match record {
            Record::Subscribed { client, conn, sub, stream, cursor } => {
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
            Record::Refused { client, sub, refusal, .. } => {
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
            Record::Delivered { client, sub, stream, seq, hash, via, verdict, .. } => {
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
            Record::Overdue { client, stream, cursor, head, .. } => {
                if let Some(key) = pair_of(client.as_str(), stream.as_str()) {
                    let pair = index.pairs.entry(key).or_default();
                    pair.overdue.push((at, cursor.0 + 1, head.0));
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
        // A refused subscription delivers nothing, so that nothing of it can still be on its way.
        let carried = self.carried.insert((key, conn), number);
        let fresh = carried.is_none_or(|before| matches!(index.subs[before].reply, Some(Reply::Refused { .. })));
        index.subs.push(Sub {
            at,
            client: key.0,
            stream: key.1,
            conn,
            asked,
            saw: asked,
            disturbed_at: None,
            reply: None,
            ended: index.history.records.len(),
            fresh,
            deliveries: Vec::new(),
        });
    }

    fn deliver(&mut self, index: &mut LaneIndex<'a>, sub: Option<usize>, delivery: Delivery) {
        let number = index.deliveries.len();
        match delivery.verdict {
            _ if delivery.at > index.proof_at => {}
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

    /// Gives each subscription the cursor that the lane saw, by the ledger. The proxy and the client write their
    /// records apart, so a rewriting belongs to the last subscription before it that asked for what was rewritten, on
    /// the same connection where one is; else to the first after it.
    fn rewrite(&self, index: &mut LaneIndex<'a>, streams: &Names<'_>) {
        for (at, client, conn, rewrote) in &self.rewrites {
            let Some(stream) = streams.get(rewrote.stream.as_str()) else {
                continue;
            };
            // A lane may have no words for a bootstrap but a cursor of 0.
            let from = rewrote.from.map_or(0, |cursor| cursor.0);
            let Some(pair) = index.pairs.get(&(*client, stream)) else {
                continue;
            };
            let asking = || pair.subs.iter().copied().filter(|sub| index.subs[*sub].asked.unwrap_or(0) == from);
            let before = |same: bool| {
                asking().rfind(|sub| index.subs[*sub].at < *at && (!same || index.subs[*sub].conn.0 == *conn))
            };
            let after = |same: bool| {
                asking().find(|sub| index.subs[*sub].at > *at && (!same || index.subs[*sub].conn.0 == *conn))
            };
            let chosen = before(true).or_else(|| after(true)).or_else(|| before(false)).or_else(|| after(false));
            if let Some(sub) = chosen {
                index.subs[sub].saw = Some(rewrote.to.0);
            }
        }
    }
}

/// Marks what was open at a client when a message was lost on its way there, or held back until others had passed it.
fn mark_disturbed(index: &mut LaneIndex<'_>, plan: &PlanIndex<'_>) {
    for (at, record) in index.history.records.iter().enumerate() {
        let Record::Fault { fault, client, .. } = record else {
            continue;
        };
        let Some(client) = plan.clients.get(client.as_str()).filter(|_| plan.displaces(fault)) else {
            continue;
        };
        let open = index.subs.iter_mut().filter(|sub| sub.client == client);
        for sub in open.filter(|sub| sub.at <= at && at <= sub.ended) {
            sub.disturbed_at.get_or_insert(at);
        }
    }
}

/// A payload that no publish has, under a seq whose own event came in the same kind of message too, is one more event,
/// which was never published, and no change of that one.
fn find_second_events(index: &mut LaneIndex<'_>, plan: &PlanIndex<'_>) {
    let LaneIndex { subs, deliveries, .. } = index;
    for sub in subs.iter() {
        let unknown = |delivery: &Delivery| {
            matches!(delivery.arrival, Arrival::WrongPayload(_))
                && delivery.hash.is_some_and(|hash| !plan.is_published(hash))
        };
        let suspects: Vec<usize> = sub.deliveries.iter().copied().filter(|at| unknown(&deliveries[*at])).collect();
        if suspects.is_empty() {
            continue;
        }
        let right = |delivery: &Delivery| matches!(delivery.arrival, Arrival::Right(_));
        let own: HashSet<(u64, Via)> = sub
            .deliveries
            .iter()
            .map(|at| &deliveries[*at])
            .filter(|delivery| right(delivery))
            .map(|delivery| (delivery.seq, delivery.via))
            .collect();
        for at in suspects {
            if own.contains(&(deliveries[at].seq, deliveries[at].via)) {
                deliveries[at].arrival = Arrival::NeverPublished;
            }
        }
    }
}
