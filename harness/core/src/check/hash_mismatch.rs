//! `hash-mismatch`: a client was delivered something else than what was published.
//!
//! Anomalies: the hash that the client computed of an event's payload is not the hash of what the plan published there
//! (`not-what-was-published`); the payload has no canonical form (`not-canonical`); the lane declared another hash than
//! the payload has (`declared-otherwise`). Both lanes are held to the planned hash, so that where neither has a finding
//! their hashes agree, and two lanes that are wrong alike are both wrong. One finding for each client, stream, seq and
//! reason. Source: contract, "Payload hashes"; the planned payload is what the writer sent.

use std::collections::BTreeMap;

use super::index::{Arrival, Delivery, Index, LaneIndex, What};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::hash::canonicalize;
use crate::hash::diff::{self, ValueDivergence};
use crate::history::Record;
use crate::ids::Seq;
use crate::text::around_difference;

/// See the module's documentation.
pub struct HashMismatch;

impl Checker for HashMismatch {
    fn name(&self) -> &'static str {
        "hash-mismatch"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            report.count("deliveries", lane.deliveries.len() as u64);
            for finding in of_lane(index, lane) {
                report.push(finding);
            }
        }
        report
    }
}

fn of_lane(index: &Index<'_>, lane: &LaneIndex<'_>) -> Vec<Finding> {
    let mut findings: BTreeMap<(usize, usize, u64, &str), Finding> = BTreeMap::new();
    for delivery in &lane.deliveries {
        let Some(Record::Delivered { declared, payload, .. }) = lane.history.records.get(delivery.at) else {
            continue;
        };
        let (reason, op) = match delivery.arrival {
            Arrival::WrongPayload(op) => ("not-what-was-published", Some(op)),
            Arrival::NotCanonical(op) => ("not-canonical", Some(op)),
            Arrival::Right(op) if declared.is_some() => ("declared-otherwise", Some(op)),
            _ => continue,
        };
        let key = (delivery.client, delivery.stream, delivery.seq, reason);
        if let Some(told) = findings.get_mut(&key) {
            told.witness.repeats += 1;
            continue;
        }
        let mut finding = Finding::new("hash-mismatch", Verdict::Invalid, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(delivery.client))
            .in_stream(index.plan.streams.name(delivery.stream))
            .of_event(delivery.seq)
            .seen_at(delivery.at);
        let computed = || delivery.hash.map_or("no canonical form".to_owned(), |hash| hash.to_string());
        let planned = op.and_then(|op| index.plan.ops[op].hash()).map(|hash| hash.to_string()).unwrap_or_default();
        finding = match declared {
            Some(declared) if reason == "declared-otherwise" => finding.expected(computed(), declared),
            _ => finding.expected(planned, computed()),
        };
        if let (Some(What::Publish { payload: sent, .. }), Some(got)) =
            (op.map(|op| &index.plan.ops[op].what), payload.as_deref())
            && let Some(found) = first_difference(sent, got)
        {
            let [sent, got] = [found.a, found.b].map(|value| value.unwrap_or_else(|| "nothing".to_owned()));
            let (sent, got) = around_difference(&sent, &got);
            finding.witness.path = Some(found.pointer);
            finding = finding.expected(sent, got);
        }
        finding.witness.instead = other_event(index, lane, delivery);
        findings.insert(key, finding);
    }
    findings.into_values().collect()
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
    let op = index.plan.publishes_of(delivery.stream, delivery.hash?)?.first;
    lane.ops[op].acked_seq().or(index.plan.ops[op].planned_seq()).map(Seq)
}

#[cfg(test)]
mod tests;
