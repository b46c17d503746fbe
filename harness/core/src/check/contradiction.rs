//! `contradiction`: a message of a lane says two things that can't both be true.
//!
//! Anomaly: a `sync:frame` names another seq or topic than the batch in it (`frame-seq`, `frame-topic`); a batch names a
//! head below an event that it brings (`head-below-event`); the reply to a subscribe comes behind a batch that says there is more to replay
//! (`never-complete`). A client that goes by either word alone sees nothing, so the client notes it as it reads. Told once
//! for each client, stream and rule. Source: contract, "Server to client" and "Ordering, delivery, replay".

use std::collections::BTreeMap;

use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::Record;

/// See the module's documentation.
pub struct SelfContradiction;

impl Checker for SelfContradiction {
    fn name(&self) -> &'static str {
        "contradiction"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let mut report = Report::new(self.name());
        let index = input.index();
        for lane in index.lanes() {
            let mut told: BTreeMap<_, Finding> = BTreeMap::new();
            for (at, record) in lane.history.records.iter().enumerate() {
                let Record::Contradicted { client, stream, seq, what, said, .. } = record else {
                    continue;
                };
                // What would have resolved it may be what a fault lost.
                let key = index.plan.clients.get(client.as_str()).zip(index.plan.streams.get(stream.as_str()));
                if key.is_some_and(|key| lane.is_disturbed(key, at)) {
                    continue;
                }
                told.entry((client, stream, *what)).and_modify(|finding| finding.witness.repeats += 1).or_insert_with(
                    || {
                        Finding::new("contradiction", Verdict::Invalid, what.as_str())
                            .on(lane.lane)
                            .at_client(client.as_str())
                            .in_stream(stream.as_str())
                            .of_event(seq.0)
                            .seen_at(at)
                            .expected(seq, said)
                    },
                );
            }
            report.count("records", lane.history.records.len() as u64);
            for finding in told.into_values() {
                report.push(finding);
            }
        }
        report
    }
}
