//! `hash-mismatch`: both lanes are held to the hash of the planned payload, which is what the writer sent. So where
//! neither has a finding, their hashes agree, and two lanes that are wrong alike are both wrong. There is one finding
//! for each client, stream, seq and reason.

use super::checker::Checker;
use super::finding::{Finding, Repeated, Report};
use super::index::{Arrival, Delivery, Index, LaneIndex, What};
use super::reason::Reason;
use super::{convergence, gap, lost_write, restore, unseen, wrong_answer};
use crate::hash::canonicalize;
use crate::hash::diff::{self, ValueDivergence};
use crate::history::Record;
use crate::ids::Seq;
use crate::text::around_difference;

const NAME: &str = "hash-mismatch";

static OTHER_PAYLOAD: Reason =
    Reason::invalid("not-what-was-published", "{event} came to {client} with another payload than was published")
        .deed("delivered other payloads than were published");
static NOT_CANONICAL: Reason =
    Reason::invalid("not-canonical", "{event} came to {client} with a payload that has no canonical form")
        .deed("delivered payloads that have no canonical form");
static DECLARED_OTHERWISE: Reason =
    Reason::invalid("declared-otherwise", "{event} came to {client} with a declared hash that is not its payload's")
        .deed("declared hashes that are not those of its payloads");
static ANOTHER_KEY: Reason =
    Reason::invalid("another-key", "{event} came to {client} with another key than it was published under")
        .deed("delivered events with other keys than they were published under");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "what was delivered is not what was published",
    source: "contract, \"Payload hashes\", and \"Writes\" (a key stands for one event)",
    rows: &["replay-determinism"],
    reasons: &[&OTHER_PAYLOAD, &NOT_CANONICAL, &DECLARED_OTHERWISE, &ANOTHER_KEY],
    accounts_for: "same client: not having converged from there on; the absence of the event that came under \
                   another's seq; a text that is no payload: its answer, and what a restore makes of it",
    // The client could not apply what came; and an event that came under another seq is missing under its own.
    explains: |cause, effect| {
        let instead = effect.covers_instead_of(cause);
        let no_payload = *cause.reason == NOT_CANONICAL;
        let follows = match effect.checker {
            wrong_answer::NAME if *effect.reason == wrong_answer::SHIFTED => effect.reaches(cause),
            wrong_answer::NAME => *effect.reason == wrong_answer::ACCEPTED_NO_PAYLOAD && effect.overlaps(cause),
            restore::NAME => effect.reaches(cause) && (effect.client.is_none() || effect.is_at_client_of(cause)),
            _ => false,
        };
        no_payload && follows
            || effect.is_at_client_of(cause)
                && match effect.checker {
                    convergence::NAME => effect.overlaps(cause) || instead,
                    gap::NAME => instead,
                    lost_write::NAME | unseen::NAME => instead && effect.seq == effect.last_seq(),
                    _ => false,
                }
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("deliveries", lane.deliveries.len() as u64);
        let mut found = Repeated::new();
        for delivery in &lane.deliveries {
            let Some(Record::Delivered { declared, key: named, payload, .. }) = lane.history.records.get(delivery.at)
            else {
                continue;
            };
            let (reason, op) = match delivery.arrival {
                Arrival::WrongPayload(op) => (&OTHER_PAYLOAD, op),
                Arrival::NotCanonical(op) => (&NOT_CANONICAL, op),
                Arrival::Right(op) if declared.is_some() => (&DECLARED_OTHERWISE, op),
                Arrival::Right(op) if is_another_key(index, lane, delivery, named.as_deref()) => (&ANOTHER_KEY, op),
                _ => continue,
            };
            let key = (delivery.client, delivery.stream, delivery.seq, reason.word);
            let values = (declared.as_deref().or(named.as_deref()), payload.as_deref());
            found.add(key, || finding(index, lane, delivery, reason, op, values));
        }
        found.report(report);
    }
}

/// Whether no publish that stands at the event's seq has the key that the lane named.
fn is_another_key(index: &Index<'_>, lane: &LaneIndex<'_>, delivery: &Delivery, named: Option<&str>) -> bool {
    let owners = lane.streams[delivery.stream].owners.get(&delivery.seq).map_or(&[][..], Vec::as_slice);
    named.is_some_and(|named| owners.iter().all(|owner| key_of(index, *owner) != named))
}

fn key_of<'a>(index: &'a Index<'_>, op: usize) -> &'a str {
    match index.plan.ops[op].what {
        What::Publish { key, .. } => key,
        _ => "",
    }
}

fn finding(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    delivery: &Delivery,
    reason: &'static Reason,
    op: usize,
    (named, payload): (Option<&str>, Option<&str>),
) -> Finding {
    let finding = index.finding(NAME, reason, lane, (delivery.client, delivery.stream));
    let mut finding = finding.of_event(delivery.seq).seen_at(delivery.at);
    let computed = delivery.hash.map_or("no canonical form".to_owned(), |hash| hash.to_string());
    let planned = index.plan.ops[op].hash().map(|hash| hash.to_string()).unwrap_or_default();
    finding = match named {
        Some(declared) if *reason == DECLARED_OTHERWISE => finding.expected(computed, declared),
        Some(key) if *reason == ANOTHER_KEY => finding.expected(key_of(index, op), key),
        _ => finding.expected(planned, computed),
    };
    if let (What::Publish { payload: sent, .. }, Some(got)) = (&index.plan.ops[op].what, payload)
        && let Some(found) = first_difference(sent, got)
    {
        let [sent, got] = [found.a, found.b].map(|value| value.unwrap_or_else(|| "nothing".to_owned()));
        let (sent, got) = around_difference(&sent, &got);
        finding.witness.path = Some(found.pointer);
        finding = finding.expected(sent, got);
    }
    finding.witness.instead = other_event(index, lane, delivery);
    finding
}

/// The first value in which two payloads differ; `None` where one has no canonical form.
fn first_difference(sent: &str, got: &str) -> Option<ValueDivergence> {
    let canonical = |text: &str| {
        let mut canonical = Vec::new();
        canonicalize(text.as_bytes(), &mut canonical).ok().map(|_| canonical)
    };
    diff::first_difference(&canonical(sent)?, &canonical(got)?)
}

/// The seq of the event of the same stream whose payload was delivered, where it is another one's.
fn other_event(index: &Index<'_>, lane: &LaneIndex<'_>, delivery: &Delivery) -> Option<Seq> {
    let Arrival::WrongPayload(_) = delivery.arrival else {
        return None;
    };
    let publishes = index.plan.publishes_of(delivery.stream, delivery.hash?)?;
    // Of equal payloads, none tells which event it is of.
    let op = (publishes.to_be_written <= 1).then_some(publishes.first)?;
    lane.ops[op].acked_seq().or(index.plan.ops[op].planned_seq()).map(Seq)
}

#[cfg(test)]
mod tests;
