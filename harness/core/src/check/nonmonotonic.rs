//! `nonmonotonic`: events of a stream came in the wrong order.
//!
//! Anomaly: within one subscription, and within one kind of copy, an event came for the first time after a later one.
//! Repeats of what was delivered before are at-least-once delivery and fine, and so is what follows a message that a fault
//! lost or let others pass on its way to this subscription. Source: contract, "Ordering, delivery,
//! replay" (the order is topic and seq; replay first, then the live tail).

use std::collections::BTreeMap;

use super::order::{Late, Tracks};
use super::{CheckInput, Checker, Finding, Report, Verdict};

/// See the module's documentation.
pub struct Nonmonotonic;

impl Checker for Nonmonotonic {
    fn name(&self) -> &'static str {
        "nonmonotonic"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            report.count("subscriptions", lane.subs.len() as u64);
            for sub in &lane.subs {
                let tracks = Tracks::of(lane, sub);
                let mut late: BTreeMap<u64, Late> = BTreeMap::new();
                for one in tracks.first.late.iter().chain(&tracks.second.late) {
                    late.entry(one.seq).or_insert(*one);
                }
                for one in late.values().filter(|one| !sub.is_disturbed(one.at)) {
                    report.push(
                        Finding::new(self.name(), Verdict::Invalid, "delivered-after-a-later-one")
                            .on(lane.lane)
                            .at_client(index.plan.clients.name(sub.client))
                            .in_stream(index.plan.streams.name(sub.stream))
                            .of_event(one.seq)
                            .seen_at(one.skipped_at)
                            .seen_at(one.at),
                    );
                }
            }
        }
        report
    }
}
