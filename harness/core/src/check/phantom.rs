//! `phantom`: a client was delivered an event that nobody published.
//!
//! Anomaly: nothing stands at the delivered stream and seq, neither by the lane's acknowledgement nor, where an answer
//! is outstanding, by the plan (`never-published`); or the publish that stands there had not been sent yet
//! (`before-published`). A payload that is nobody's under a seq whose own event comes too is one more event, and no change
//! of that one. An event whose answer got lost may well be delivered. One finding for each client, stream and
//! seq. Source: contract, "Writes" (the one writer publishes); the name is Adya's, as Jepsen uses it.

use std::collections::BTreeMap;

use super::index::{Arrival, LaneIndex};
use super::{CheckInput, Checker, Finding, Report, Verdict};

/// See the module's documentation.
pub struct Phantom;

impl Checker for Phantom {
    fn name(&self) -> &'static str {
        "phantom"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            report.count("deliveries", lane.deliveries.len() as u64);
            for ((client, stream, seq), (reason, at, repeats)) in of_lane(lane) {
                let mut finding = Finding::new(self.name(), Verdict::Invalid, reason)
                    .on(lane.lane)
                    .at_client(index.plan.clients.name(client))
                    .in_stream(index.plan.streams.name(stream))
                    .of_event(seq)
                    .seen_at(at);
                finding.witness.repeats = repeats;
                report.push(finding);
            }
        }
        report
    }
}

type Seen = BTreeMap<(usize, usize, u64), (&'static str, usize, u64)>;

fn of_lane(lane: &LaneIndex<'_>) -> Seen {
    let mut seen = Seen::new();
    for delivery in &lane.deliveries {
        let reason = match delivery.arrival {
            Arrival::NeverPublished => "never-published",
            Arrival::BeforePublished(_) => "before-published",
            _ => continue,
        };
        seen.entry((delivery.client, delivery.stream, delivery.seq))
            .and_modify(|(_, _, repeats)| *repeats += 1)
            .or_insert((reason, delivery.at, 0));
    }
    seen
}
