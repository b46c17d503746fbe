//! `slow-consumer`: a client that the plan has read too slowly is told so, dropped, or served in the end. The legacy
//! lane tells it by strikes: two with the action `throttle`, a third one with `disconnect`, and then it ends the
//! channel. What such a client misses on a connection that stays, without a strike, was lost in silence. Other clients
//! and the writer get on meanwhile: what was acknowledged in the spell, and came to another client only after that one
//! had asked again, or after the spell, was kept from it.

use std::collections::{BTreeMap, HashMap};

use super::checker::Checker;
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, PairKey, Settled, Sub};
use super::reason::Reason;
use super::slow::{Spell, is_unhindered, spells, strikes};
use super::{convergence, gap, lost_write, unseen};
use crate::history::{Closed, Record, SlowNotice, Verdict};
use crate::ids::{ClientId, ConnId};

const NAME: &str = "slow-consumer";

/// How many topics the legacy lane queues for a client.
const QUEUE_LIMIT: u64 = 64;
/// How long a client waits that was told that it reads too slowly.
const RECONNECT_AFTER_MS: u64 = 2_000;

static OUT_OF_ORDER: Reason = Reason::invalid(
    "strikes-out-of-order",
    "{client} was told that it reads too slowly otherwise than by two throttles and a disconnect",
)
.deed("told slow clients its strikes out of order");
static WRONG_FIELDS: Reason =
    Reason::invalid("wrong-fields", "{client} was told that it reads too slowly, with a wrong field")
        .deed("told slow clients of strikes with wrong fields");
static WENT_ON: Reason =
    Reason::invalid("went-on", "{client} was told to disconnect, and its channel went on to deliver")
        .deed("went on to deliver to clients that it had told to disconnect");
static LOST: Reason = Reason::invalid(
    "lost-in-silence",
    "{event} {was} left out for {client}, which read slowly and was neither told nor dropped",
)
.deed("left events out for clients that read slowly, and neither told nor dropped them");
static KEPT: Reason =
    Reason::invalid("others-slowed", "{event} did not come to {client} while another client did not read")
        .deed("kept events from its other clients while one client did not read");
static WRITER_KEPT: Reason =
    Reason::invalid("writer-slowed", "{op} was not answered while {client} did not read, and later ones were")
        .deed("did not answer its writer while one client did not read");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a client that reads too slowly loses events in silence, is told wrongly, or slows the others",
    source: "contract, \"Server to client\" (a slow consumer: a queue of 64 topics, strikes, the third one stops the \
             channel), and \"Ordering, delivery, replay\" (no gaps)",
    rows: &["slow-consumer"],
    reasons: &[&OUT_OF_ORDER, &WRONG_FIELDS, &WENT_ON, &LOST, &KEPT, &WRITER_KEPT],
    accounts_for: "same client and seqs: lost-write, gap, unseen, convergence; all seqs, of events lost in silence",
    explains: |cause, effect| {
        effect.is_at_client_of(cause)
            && effect.is_of(&[lost_write::NAME, gap::NAME, unseen::NAME, convergence::NAME])
            // Of what such a client lost, the first stretch stands for all.
            && (cause.reason.word == LOST.word || effect.overlaps(cause))
    },
    check,
};

type Found<'a> = Repeated<(&'static str, &'a str, Option<&'a str>)>;

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let mut found = Found::new();
        let mut connections: BTreeMap<(&ClientId, ConnId), usize> = BTreeMap::new();
        for record in &lane.history.records {
            if let Record::Struck { client, conn, .. } = record {
                *connections.entry((client, *conn)).or_default() += 1;
            }
        }
        for (client, conn) in connections.keys() {
            told(index, lane, client, *conn, &mut found);
        }
        let spells = spells(&lane.history.records);
        report.count("strikes", connections.values().map(|strikes| *strikes as u64).sum());
        report.count("slow clients", spells.len() as u64);
        for spell in &spells {
            let events = Events::of(index, lane, spell);
            events.lost(&mut found);
            events.kept(&mut found);
            events.writer_kept(&mut found);
        }
        found.report(report);
    }
}

/// What one connection was told by strikes.
fn told<'a>(index: &Index<'a>, lane: &LaneIndex<'a>, client: &'a ClientId, conn: ConnId, found: &mut Found<'a>) {
    let records = &lane.history.records;
    let mut add = |reason: &'static Reason, at: usize, expected: &str, got: &str| {
        found.add((reason.word, client.as_str(), None), || {
            let finding = Finding::new(NAME, reason).on(lane.lane).at_client(client.as_str());
            finding.seen_at(at).expected(expected, got)
        });
    };
    let strikes: Vec<(usize, &SlowNotice)> = strikes(records, client, conn).collect();
    for (nth, (at, strike)) in strikes.iter().enumerate() {
        match ["throttle", "throttle", "disconnect"].get(nth) {
            Some(due) if *due == strike.action => {}
            Some(due) => add(&OUT_OF_ORDER, *at, due, &strike.action),
            None => add(&OUT_OF_ORDER, *at, "nothing after the disconnect", &strike.action),
        }
        if let Some((expected, got)) = wrong_field(index, client, strike) {
            add(&WRONG_FIELDS, *at, &expected, &got);
        }
    }
    let disconnect = strikes.iter().find(|(_, strike)| strike.action == "disconnect").map(|(at, _)| *at);
    let mine = |record: &Record| match record {
        Record::Delivered { client: to, conn: over, .. } => to == client && *over == conn,
        _ => false,
    };
    if let Some(from) = disconnect
        && let Some(at) = (from..records.len()).find(|at| mine(&records[*at]))
    {
        add(&WENT_ON, at, "phx_error", "an event");
    }
    let ends = |(at, record): (usize, &Record)| match record {
        Record::Closed { client: of, conn: ended, why: Closed::Channel { event } } => {
            (of == client && *ended == conn && event == "phx_error").then_some(at)
        }
        _ => None,
    };
    if let (None, Some(at)) = (disconnect, records.iter().enumerate().find_map(ends)) {
        add(&OUT_OF_ORDER, at, "a strike with the action disconnect", "phx_error");
    }
}

/// The first field of a strike that is wrong: what it should be, and what it is. What is not told is not judged here.
fn wrong_field(index: &Index<'_>, client: &ClientId, strike: &SlowNotice) -> Option<(String, String)> {
    let pair = |stream: &str| Some((index.plan.clients.get(client.as_str())?, index.plan.streams.get(stream)?));
    let pair = strike.stream.as_ref().and_then(|stream| pair(stream.as_str()));
    if !strike.topic.is_empty() && !pair.is_some_and(|pair| index.plan.subscribes.contains(&pair)) {
        return Some(("a topic that the client follows".to_owned(), strike.topic.clone()));
    }
    let limit = strike.queue_limit.unwrap_or(QUEUE_LIMIT);
    [
        ("queue_limit", strike.queue_limit, QUEUE_LIMIT..=QUEUE_LIMIT),
        // The topic that found the queue full may be counted with those in it.
        ("queue_depth", strike.queue_depth, limit..=limit.saturating_add(1)),
        ("reconnect_after_ms", strike.reconnect_after_ms, RECONNECT_AFTER_MS..=RECONNECT_AFTER_MS),
    ]
    .into_iter()
    .filter_map(|(field, told, due)| Some((field, told?, due)))
    .find(|(_, told, due)| !due.contains(told))
    .map(|(field, told, due)| (format!("{field} {}", due.start()), format!("{field} {told}")))
}

/// What happened to the events that were published in a spell.
struct Events<'i, 'a> {
    index: &'i Index<'a>,
    lane: &'i LaneIndex<'a>,
    spell: &'i Spell<'a>,
    /// The record at which each was acknowledged, by stream and seq.
    acked: HashMap<(usize, u64), usize>,
}

impl<'i, 'a> Events<'i, 'a> {
    fn of(index: &'i Index<'a>, lane: &'i LaneIndex<'a>, spell: &'i Spell<'a>) -> Events<'i, 'a> {
        let ops = index.plan.ops.iter().zip(&lane.ops).filter(|(_, state)| state.sent.is_some_and(|at| spell.has(at)));
        let event = |(planned, state): (&super::index::PlannedOp<'_>, &super::index::OpState<'_>)| {
            planned.planned_seq().and_then(|_| Some(((planned.stream, state.acked_seq()?), state.acked_at()?)))
        };
        Events { index, lane, spell, acked: ops.filter_map(event).collect() }
    }

    /// The events of this range that were published in the spell and acknowledged before a record.
    fn within(&self, stream: usize, first: u64, last: u64, until: usize) -> Option<(u64, u64)> {
        let seqs = self
            .acked
            .iter()
            .filter(|((of, seq), acked)| *of == stream && (first..=last).contains(seq) && **acked < until);
        let seqs: Vec<u64> = seqs.map(|((_, seq), _)| *seq).collect();
        seqs.iter().min().copied().zip(seqs.iter().max().copied())
    }

    fn add(&self, found: &mut Found<'a>, reason: &'static Reason, key: PairKey, (first, last): (u64, u64), at: usize) {
        let names = (self.index.plan.clients.name(key.0), self.index.plan.streams.name(key.1));
        found.add((reason.word, names.0, Some(names.1)), || {
            let finding = self.index.finding(NAME, reason, self.lane, key).of_events(first, last);
            finding.seen_at(self.spell.from).seen_at(at)
        });
    }

    /// What the slow client missed on the connection that it kept.
    fn lost(&self, found: &mut Found<'a>) {
        let slow = self.index.plan.clients.get(self.spell.client.as_str());
        let kept = |sub: &&Sub<'_>| Some(sub.client) == slow && Some(sub.conn) == self.spell.conn;
        for sub in self.lane.subs.iter().filter(kept).filter(|sub| sub.at < self.spell.from) {
            let struck = strikes(&self.lane.history.records, self.spell.client, sub.conn).map(|(at, _)| at).next();
            let is_silent = |at: usize| !sub.is_disturbed(at) && struck.is_none_or(|told| told > at);
            let missed = self.missed(sub).filter(|(.., at)| is_silent(*at));
            if let Some((first, last, at)) = missed
                && let Some(range) = self.within(sub.stream, first, last, at)
            {
                self.add(found, &LOST, (sub.client, sub.stream), range, at);
            }
        }
    }

    /// The first gap in a subscription once the spell had begun, or what the client asked for again; with the record.
    fn missed(&self, sub: &Sub<'_>) -> Option<(u64, u64, usize)> {
        let came = || sub.deliveries.iter().map(|number| &self.lane.deliveries[*number]);
        let gap =
            came().find(|one| one.at > self.spell.from && one.verdict == Verdict::OutOfOrder).and_then(|behind| {
                let applied = came().filter(|one| one.at < behind.at && one.verdict == Verdict::Applied);
                let before = applied.map(|one| one.seq).max().max(sub.asked).unwrap_or(0);
                // What comes later in the subscription is out of order, and not lost.
                let later = came().any(|one| one.at > behind.at && one.seq == before + 1);
                (!later).then_some((before + 1, behind.seq.saturating_sub(1), behind.at))
            });
        gap.or_else(|| {
            let overdue = self.lane.pair((sub.client, sub.stream))?.overdue.iter();
            let mut overdue = overdue.filter(|(at, ..)| self.spell.from < *at && *at <= sub.ended);
            overdue.next().map(|(at, first, last)| (*first, *last, *at))
        })
    }

    /// What came to another client only after that client had asked again, or after the spell.
    fn kept(&self, found: &mut Found<'a>) {
        let plan = self.index.plan.plan;
        let other =
            |client: &str| client != self.spell.client.as_str() && is_unhindered(plan, &ClientId::new(client), false);
        let pairs = self.index.plan.subscribes.iter().filter(|pair| other(self.index.plan.clients.name(pair.0)));
        for (key, pair) in pairs.filter_map(|key| Some((*key, self.lane.pair(*key)?))) {
            let asked = pair.overdue.iter().find(|(at, ..)| self.spell.has(*at));
            let gave_up = self.lane.timed_out.iter().copied().find(|at| self.spell.has(*at));
            let (first, last, at) = match (asked, gave_up) {
                (Some((at, first, last)), _) => (*first, *last, *at),
                (None, Some(at)) if self.lane.open_at(key, at).any(|sub| sub.accepted_at().is_some()) => {
                    let came = pair.deliveries.iter().map(|number| &self.lane.deliveries[*number]);
                    let came = came.filter(|one| one.at < at).map(|one| one.seq).max();
                    (came.unwrap_or(0) + 1, u64::MAX, at)
                }
                _ => continue,
            };
            if let Some(range) = self.within(key.1, first, last, at).filter(|(first, _)| pair.has(*first)) {
                self.add(found, &KEPT, key, range, at);
            }
        }
    }

    /// A publish that was not answered before the driver gave up, though later ones were.
    fn writer_kept(&self, found: &mut Found<'a>) {
        let Some(gave_up) = self.lane.timed_out.iter().copied().find(|at| self.spell.has(*at)) else { return };
        let ops = || self.index.plan.ops.iter().zip(&self.lane.ops).filter(|(op, _)| op.planned_seq().is_some());
        let open = |state: &super::index::OpState<'_>| {
            state.any_open && matches!(state.settled, Settled::Open) && state.sent.is_some_and(|at| self.spell.has(at))
        };
        let answered_later = ops().any(|(_, state)| state.acked_at().is_some_and(|at| at > self.spell.to));
        let Some((op, state)) = ops().find(|(_, state)| open(state)).filter(|_| answered_later) else { return };
        let client = self.spell.client.as_str();
        found.add((WRITER_KEPT.word, client, None), || {
            let finding = Finding::new(NAME, &WRITER_KEPT).on(self.lane.lane).at_client(client).of_op(op.id);
            state.sent.into_iter().chain([gave_up]).fold(finding, Finding::seen_at)
        });
    }
}

#[cfg(test)]
mod tests;
