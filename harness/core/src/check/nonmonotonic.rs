//! `nonmonotonic`: the order is judged within one subscription and within one kind of message. Repeats are
//! at-least-once delivery and fine, and so is what follows a message that a fault lost, or let others pass, on its way
//! to the client.

use std::collections::BTreeMap;

use super::checker::Checker;
use super::finding::Report;
use super::index::Index;
use super::order::{Late, Tracks};
use super::reason::Reason;
use super::{convergence, gap};

const NAME: &str = "nonmonotonic";

static LATE: Reason = Reason::invalid("delivered-after-a-later-one", "{event} came to {client} after a later one")
    .deed("delivered events after later ones");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "within a subscription, an event first came after a later one",
    source: "contract, \"Ordering, delivery, replay\": the order is topic and seq; replay first, then the live tail",
    rows: &["replay-determinism"],
    reasons: &[&LATE],
    accounts_for: "same client and seqs: gap, convergence",
    explains: |cause, effect| {
        effect.is_at_client_of(cause) && effect.is_of(&[gap::NAME, convergence::NAME]) && effect.overlaps(cause)
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("subscriptions", lane.subs.len() as u64);
        for sub in &lane.subs {
            let tracks = Tracks::of(lane, sub);
            let mut late: BTreeMap<u64, Late> = BTreeMap::new();
            for one in tracks.first.late.iter().chain(&tracks.second.late) {
                late.entry(one.seq).or_insert(*one);
            }
            for one in late.values().filter(|one| !sub.is_disturbed(one.at)) {
                let finding = index.finding(NAME, &LATE, lane, (sub.client, sub.stream));
                report.push(finding.of_event(one.seq).seen_at(one.skipped_at).seen_at(one.at));
            }
        }
    }
}
