//! `wrong-stream`: a client was delivered an event under a stream that is not its own.
//!
//! Anomaly: the delivered payload is none of this stream's, and the plan publishes it to another stream
//! (`another-streams-event`); or the client never subscribed to the stream under which it came (`not-subscribed`), be it
//! one that this run does not even have, such as another tenant's (`foreign-stream`). One finding for each client, stream
//! and seq. Source: contract, "Ordering, delivery, replay" (order is per topic; a batch is
//! of one topic), and the matrix row `authorization` (two topics never mix).

use std::collections::BTreeMap;

use super::index::{Arrival, Index, LaneIndex};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::Record;

/// See the module's documentation.
pub struct WrongStream;

impl Checker for WrongStream {
    fn name(&self) -> &'static str {
        "wrong-stream"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            report.count("deliveries", lane.deliveries.len() as u64);
            for finding in of_lane(index, lane).into_iter().chain(foreign(lane)) {
                report.push(finding);
            }
        }
        report
    }
}

fn of_lane(index: &Index<'_>, lane: &LaneIndex<'_>) -> Vec<Finding> {
    let mut findings: BTreeMap<(usize, usize, u64), Finding> = BTreeMap::new();
    for delivery in &lane.deliveries {
        let (reason, op) = match delivery.arrival {
            Arrival::OtherStream(op) => ("another-streams-event", Some(op)),
            Arrival::NotSubscribed => ("not-subscribed", None),
            _ => continue,
        };
        let key = (delivery.client, delivery.stream, delivery.seq);
        if let Some(told) = findings.get_mut(&key) {
            told.witness.repeats += 1;
            continue;
        }
        let here = index.plan.streams.name(delivery.stream);
        let mut finding = Finding::new("wrong-stream", Verdict::Invalid, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(delivery.client))
            .in_stream(here)
            .of_event(delivery.seq)
            .seen_at(delivery.at);
        if let Some(op) = op.map(|op| &index.plan.ops[op]) {
            finding = finding.of_op(op.id).expected(index.plan.streams.name(op.stream), here);
        }
        findings.insert(key, finding);
    }
    findings.into_values().collect()
}

/// Events under names on the wire that the run does not have. Such a name is no stream of the plan, so the finding has it
/// as what came, and not as its stream.
fn foreign(lane: &LaneIndex<'_>) -> Vec<Finding> {
    let mut findings: BTreeMap<(&str, &str, u64), Finding> = BTreeMap::new();
    for (at, record) in lane.history.records.iter().enumerate() {
        let Record::Foreign { client, name, seq, .. } = record else {
            continue;
        };
        findings.entry((client.as_str(), name, seq.0)).and_modify(|told| told.witness.repeats += 1).or_insert_with(
            || {
                Finding::new("wrong-stream", Verdict::Invalid, "foreign-stream")
                    .on(lane.lane)
                    .at_client(client.as_str())
                    .expected("streams that it subscribed to", format!("event {seq} of `{name}`"))
                    .seen_at(at)
            },
        );
    }
    findings.into_values().collect()
}
