//! `phantom`: what is published at a seq is what the lane acknowledged there, or, where an answer is outstanding, what
//! the plan expects there. A payload that no publish has, under a seq whose own event comes too, is one more event, and
//! no change of that one. There is one finding for each client, stream and seq. The name is Adya's, as Jepsen uses it.

use super::checker::Checker;
use super::convergence;
use super::finding::{Repeated, Report};
use super::index::{Arrival, Index};
use super::reason::Reason;

pub const NAME: &str = "phantom";

static NEVER: Reason = Reason::invalid("never-published", "{event} came to {client} and was never published")
    .deed("delivered events that were never published");
static BEFORE: Reason = Reason::invalid("before-published", "{event} came to {client} before it was published")
    .deed("delivered events before they were published");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "an event was delivered that nobody published",
    source: "contract, \"Writes\": the one writer publishes",
    rows: &[],
    reasons: &[&NEVER, &BEFORE],
    accounts_for: "same client: heads from there on",
    explains: convergence::follows_an_extra_event,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("deliveries", lane.deliveries.len() as u64);
        let mut found = Repeated::new();
        for delivery in &lane.deliveries {
            let reason = match delivery.arrival {
                Arrival::NeverPublished => &NEVER,
                Arrival::BeforePublished(_) => &BEFORE,
                _ => continue,
            };
            let key = (delivery.client, delivery.stream);
            found.add((key, delivery.seq), || {
                index.finding(NAME, reason, lane, key).of_event(delivery.seq).seen_at(delivery.at)
            });
        }
        found.report(report);
    }
}
