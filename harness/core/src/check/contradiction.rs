//! `contradiction`: a client that goes by one of the two values alone sees nothing wrong, so the client records it as
//! it reads. There is one finding for each client, stream and rule.

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::Index;
use super::reason::Reason;
use crate::history::{Contradiction, Record};

pub const NAME: &str = "contradiction";

static FRAME_SEQ: Reason =
    Reason::invalid("frame-seq", "{client} got a frame of {stream} that names another seq than the batch in it")
        .deed("sent frames that name another seq than the batch in them");
static FRAME_TOPIC: Reason =
    Reason::invalid("frame-topic", "{client} got a frame of {stream} that names another topic than the batch in it")
        .deed("sent frames that name another topic than the batch in them");
static HEAD_BELOW_EVENT: Reason =
    Reason::invalid("head-below-event", "{client} got {event} in a batch whose head lies below it")
        .deed("sent batches whose head lies below their events");
static NEVER_COMPLETE: Reason = Reason::invalid(
    "never-complete",
    "{client} got an answer after {event}, although its batch said that there was more to replay",
)
.deed("answered resumes before their replay was complete");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a message says two things that can't both be true",
    source: "contract, \"Server to client\" and \"Ordering, delivery, replay\"",
    rows: &[],
    reasons: &[&FRAME_SEQ, &FRAME_TOPIC, &HEAD_BELOW_EVENT, &NEVER_COMPLETE],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let mut found = Repeated::new();
        for (at, record) in lane.history.records.iter().enumerate() {
            let Record::Contradicted { client, stream, seq, what, said, .. } = record else {
                continue;
            };
            // What would have resolved it may be what a fault lost.
            let key = index.plan.clients.get(client.as_str()).zip(index.plan.streams.get(stream.as_str()));
            if key.is_some_and(|key| lane.is_disturbed(key, at)) {
                continue;
            }
            let reason = match what {
                Contradiction::FrameSeq => &FRAME_SEQ,
                Contradiction::FrameTopic => &FRAME_TOPIC,
                Contradiction::HeadBelowEvent => &HEAD_BELOW_EVENT,
                Contradiction::NeverComplete => &NEVER_COMPLETE,
            };
            found.add((client, stream, *what), || {
                let finding = Finding::new(NAME, reason).on(lane.lane).at_client(client.as_str());
                finding.in_stream(stream.as_str()).of_event(seq.0).seen_at(at).expected(seq, said)
            });
        }
        report.count("records", lane.history.records.len() as u64);
        found.report(report);
    }
}
