//! `contradiction`: a client that needs only the events sees nothing wrong, so the client records what its messages say
//! against each other, against what was sent before, and against the rules of their fields. There is one finding for
//! each client, stream and rule.

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, PairKey};
use super::reason::Reason;
use crate::history::{Contradiction, Record};
use crate::ids::{Seq, StreamId};

pub const NAME: &str = "contradiction";

/// Declares the reason of each rule: its word, its sentence, and what the lane did.
macro_rules! reasons {
    ($($rule:ident $word:literal $says:literal $deed:literal;)+) => {
        static REASONS: &[&Reason] = &[$({
            static REASON: Reason = Reason::invalid($word, $says).deed($deed);
            &REASON
        }),+];

        const RULES: &[Contradiction] = &[$(Contradiction::$rule),+];
    };
}

reasons! {
    FrameSeq "frame-seq" "{client} got a frame of {stream} that names another seq than the batch in it"
        "sent frames that name another seq than the batch in them";
    FrameTopic "frame-topic" "{client} got a frame of {stream} that names another topic than the batch in it"
        "sent frames that name another topic than the batch in them";
    HeadBelowEvent "head-below-event" "{client} got {event} in a batch whose head lies below it"
        "sent batches whose head lies below their events";
    HeadBeyond "head-beyond" "{client} got a batch of {stream} whose head {seq} was not published"
        "sent batches with a head that was not published";
    HeadOfOther "head-of-other" "{client} got a batch of {stream} that does not name the head of its own topic alone"
        "sent batches that do not name the head of their own topic alone";
    NeverComplete "never-complete"
        "{client} got an answer after {event}, although its batch said that there was more to replay"
        "answered resumes before their replay was complete";
    CompleteTooSoon "complete-too-soon"
        "{client} got a batch of {stream} that says that its replay is complete before its head {seq}"
        "called replays complete before their head";
    CompleteTooLate "complete-too-late"
        "{client} got a batch of {stream} with its head {seq} that says that more follows"
        "said that more follows in batches with the head";
    BatchTooLong "batch-too-long" "{client} got a batch of {stream} with more events than it asked for"
        "sent batches with more events than their clients asked for";
    FieldMissing "field-missing" "{client} got a message without a field of the contract, or with another type"
        "left fields of the contract out";
    DocVersion "doc-version" "{client} got {event} with a doc_version that is not its seq"
        "sent events with a doc_version that is not their seq";
    Hydration "hydration" "{client} got {event} with a hydration_required that does not fit its payload"
        "sent events with a hydration_required that does not fit their payload";
    HashMissing "hash-missing" "{client} got {event} without a payload hash" "sent events without a payload hash";
    SchemaVersion "schema-version" "{client} got a frame of another schema_version"
        "sent frames of another schema_version";
    CopiesDiffer "copies-differ" "{client} got a frame of {stream} that differs from the batch that it repeats"
        "sent frames that differ from the batch that they repeat";
    SubscriptionId "subscription-id" "{client} got an answer with another subscription_id than the join had"
        "changed the subscription_id of a channel";
    JoinAnswer "join-answer" "{client} got an answer to a join with watermarks, or with a topic twice"
        "answered joins with watermarks, or with a topic twice";
    TopicsAnswered "topics-answered" "{client} got an answer with other topics than those that are subscribed"
        "answered with other topics than those that are subscribed";
    Watermark "watermark" "{client} was told a watermark of {stream} that is not what was sent"
        "told watermarks that are not what was sent";
    HeartbeatUnpushed "heartbeat-unpushed" "{client} got an answer to a heartbeat without a sync:heartbeat before it"
        "answered heartbeats without a sync:heartbeat";
    AfterUnsubscribe "after-unsubscribe" "{client} got {event} after it had unsubscribed"
        "sent events of streams that were unsubscribed";
    ErrorUnpushed "error-unpushed" "{client} got a stale refusal without the sync:error, or without its frame"
        "refused stale cursors without a sync:error";
    ErrorCopiesDiffer "error-copies-differ" "{client} got a sync:error that differs from the refusal beside it"
        "sent a sync:error that differs from the refusal beside it";
    OddAnswer "odd-answer" "{client} sent a request that must be refused, and the answer was another one"
        "answered requests otherwise that it must refuse";
    CommittedAt "committed-at" "{client} got {event} with a commit time that is impossible or has changed"
        "sent commit times that are impossible or changed";
    ConfirmedRead "confirmed-read" "{client} got {event} with confirmed_read false"
        "sent events with confirmed_read false";
    RowRewritten "row-rewritten" "the row of {event}, which {client} had, was written anew"
        "wrote rows anew that clients had";
    RowDeleted "row-deleted" "the row of {event}, which {client} follows, was deleted though retention keeps it"
        "deleted rows that retention keeps";
    RowHead "row-head" "{client} got {event}, and the row of the stream names another head"
        "wrote events without their head in the row of the stream";
}

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a field of a message has a value that the contract does not allow, or two fields can't both be true",
    source: "contract, \"Server to client\", \"Client to server\" and \"Ordering, delivery, replay\"; of the \
             candidate, \"The module's tables\"",
    rows: &[],
    reasons: REASONS,
    accounts_for: "",
    explains: nothing,
    check,
};

fn reason_of(what: Contradiction) -> &'static Reason {
    let place = RULES.iter().position(|rule| *rule == what).unwrap_or_default();
    REASONS[place]
}

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let mut found = Repeated::new();
        for (at, record) in lane.history.records.iter().enumerate() {
            let Record::Contradicted { client, stream, seq, what, said, .. } = record else {
                continue;
            };
            if index.plan.clients.get(client.as_str()).is_some_and(|client| {
                let stream = stream.as_ref();
                streams_of(index, lane, client, stream).any(|key| is_excused(lane, key, at, *what, *seq))
            }) {
                continue;
            }
            found.add((client, stream, *what), || {
                let finding = Finding::new(NAME, reason_of(*what)).on(lane.lane).at_client(client.as_str());
                let finding = stream.iter().fold(finding, |finding, stream| finding.in_stream(stream.as_str()));
                let event = (*seq > Seq(0)).then_some(seq.0);
                let finding = event.into_iter().fold(finding, Finding::of_event);
                finding.seen_at(at).expected(expected(*what, *seq), said)
            });
        }
        report.count("records", lane.history.records.len() as u64);
        found.report(report);
    }
}

/// What the rule asks for, beside what was said.
fn expected(what: Contradiction, seq: Seq) -> String {
    match what {
        Contradiction::FrameSeq | Contradiction::HeadBelowEvent | Contradiction::DocVersion => seq.to_string(),
        _ => "what the contract says".to_owned(),
    }
}

/// The pair of the client and the stream; of a message about no stream, every pair of the client.
fn streams_of<'a>(
    index: &'a Index<'_>,
    lane: &'a LaneIndex<'_>,
    client: usize,
    stream: Option<&StreamId>,
) -> impl Iterator<Item = PairKey> + 'a {
    let about = stream.map(|stream| index.plan.streams.get(stream.as_str()));
    let keys = lane.pairs.range((client, 0)..=(client, usize::MAX)).map(|(key, _)| *key);
    keys.filter(move |(_, stream)| about.is_none_or(|about| about == Some(*stream)))
}

/// Whether a planned fault, or what was in flight, makes it no contradiction of the lane's.
fn is_excused(lane: &LaneIndex<'_>, key: PairKey, at: usize, what: Contradiction, seq: Seq) -> bool {
    // What would have resolved it may be what a fault lost.
    if lane.is_disturbed(key, at) {
        return true;
    }
    let timeline = &lane.streams[key.1];
    match what {
        Contradiction::HeadBeyond => seq.0 <= timeline.head_may.before(at),
        // The head may have moved on since the replay began, or since the head was read.
        Contradiction::CompleteTooSoon => lane.open_at(key, at).all(|sub| seq.0 > timeline.head_sure.before(sub.at)),
        Contradiction::CompleteTooLate => seq.0 < timeline.head_may.before(at),
        // A lane may count what retention removed before it could be sent. A fault may have changed the cursor.
        Contradiction::Watermark => {
            let pruned = seq > Seq(0) && seq.0 <= timeline.floor_may.before(at);
            pruned || lane.is_rewritten(key, at)
        }
        // What a server lost as it died is written again.
        Contradiction::CommittedAt | Contradiction::RowRewritten => lane.deaths.iter().any(|death| *death < at),
        _ => false,
    }
}
