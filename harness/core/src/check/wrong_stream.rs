//! `wrong-stream`: the delivered payload is none of this stream's, and the plan publishes it to another one; or the
//! client never subscribed to the stream; or this run does not have the stream at all, such as another tenant's. There
//! is one finding for each client, stream and seq.

use super::checker::Checker;
use super::convergence;
use super::finding::{Finding, Repeated, Report};
use super::index::{Arrival, Index, LaneIndex};
use super::reason::Reason;
use crate::history::Record;

const NAME: &str = "wrong-stream";

static OTHERS: Reason = Reason::invalid("another-streams-event", "{client} received another stream's event as {event}")
    .deed("delivered events of one stream in another");
static NOT_SUBSCRIBED: Reason =
    Reason::invalid("not-subscribed", "{client} received {event} without a subscription to it")
        .deed("delivered events that a client never subscribed to");
static FOREIGN: Reason =
    Reason::invalid("foreign-stream", "{client} was sent an event of a stream that this run does not have")
        .deed("sent events of streams that the run does not have");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "an event was delivered under a stream that is not its own, or that this run does not have",
    source: "contract, \"Ordering, delivery, replay\" (order is per topic; a batch is of one topic), and the matrix \
             row `authorization` (two topics never mix)",
    rows: &["cursor-continuity"],
    reasons: &[&OTHERS, &NOT_SUBSCRIBED, &FOREIGN],
    accounts_for: "same client: heads from there on",
    explains: convergence::follows_an_extra_event,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("deliveries", lane.deliveries.len() as u64);
        misdelivered(index, lane, report);
        foreign(lane, report);
    }
}

fn misdelivered(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut found = Repeated::new();
    for delivery in &lane.deliveries {
        let (reason, op) = match delivery.arrival {
            Arrival::OtherStream(op) => (&OTHERS, Some(&index.plan.ops[op])),
            Arrival::NotSubscribed => (&NOT_SUBSCRIBED, None),
            _ => continue,
        };
        let key = (delivery.client, delivery.stream);
        found.add((key, delivery.seq), || {
            let finding = index.finding(NAME, reason, lane, key).of_event(delivery.seq).seen_at(delivery.at);
            let streams = &index.plan.streams;
            match op {
                Some(op) => finding.of_op(op.id).expected(streams.name(op.stream), streams.name(delivery.stream)),
                None => finding,
            }
        });
    }
    found.report(report);
}

/// Events under names on the wire that the run does not have. Such a name is no stream of the plan, so the finding has
/// it as what came, and not as its stream.
fn foreign(lane: &LaneIndex<'_>, report: &mut Report) {
    let mut found = Repeated::new();
    for (at, record) in lane.history.records.iter().enumerate() {
        if let Record::Foreign { client, name, seq, .. } = record {
            found.add((client.as_str(), name, seq.0), || {
                let finding = Finding::new(NAME, &FOREIGN).on(lane.lane).at_client(client.as_str()).seen_at(at);
                finding.expected("streams that it subscribed to", format!("event {seq} of `{name}`"))
            });
        }
    }
    found.report(report);
}
