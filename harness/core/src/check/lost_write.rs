//! `lost-write`: a publish was acknowledged and its event never reached a client that was owed it.
//!
//! Anomaly: the lane answered a publish well, the client subscribes to its stream and is connected at the end, and by
//! the end of converge no message of any kind brought it the event (reason `never-delivered`). What retention pruned
//! before a bootstrap, and what lies at or below a cursor that was put on the client's disk, is not owed; of a client
//! that could not be reached nobody can tell (`Unknown`). A publish that was answered well and written nowhere is lost
//! too, though a retry mends it (`acknowledged-but-not-written`): the lane has no row of it; or another publish was
//! given its seq; or the plan wants it refused and its payload never shows up. Where the server died between the answer
//! and the look, nobody can tell (`Unknown`). Source: contract, "Writes" (an answer comes once the event is in the
//! journal) and "Ordering, delivery, replay" (delivery is at least once); the name is Jepsen's.

use std::collections::HashSet;

use super::index::{Index, LaneIndex, PairKey, Settled, What};
use super::owed::excused_up_to;
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::hash::PayloadHash;
use crate::history::{Completion, Record};
use crate::plan::PublishExpect;

/// See the module's documentation.
pub struct LostWrite;

impl Checker for LostWrite {
    fn name(&self) -> &'static str {
        "lost-write"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        // What an interrupted run did not deliver yet is not lost.
        for lane in index.lanes().iter().filter(|lane| lane.done) {
            unwritten(index, lane, &mut report);
            for pair in index.plan.owing_pairs() {
                undelivered(index, lane, pair, &mut report);
            }
        }
        report
    }
}

/// Acknowledged events that one client never got, one finding for each unbroken range.
fn undelivered(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey, report: &mut Report) {
    let excused = excused_up_to(&index.plan, lane, key);
    let pair = lane.pair(key);
    let mut range: Option<(u64, u64, usize)> = None;
    let mut owed = 0;
    for (seq, owners) in lane.streams[key.1].owners.range(excused.saturating_add(1)..) {
        let Some(acked) = owners.iter().find_map(|op| lane.ops[*op].acked_at()) else {
            continue;
        };
        owed += 1;
        if pair.is_some_and(|pair| pair.has(*seq)) {
            continue;
        }
        range = match range {
            Some((first, last, at)) if last + 1 == *seq => Some((first, *seq, at)),
            before => {
                tell(index, lane, key, before, report);
                Some((*seq, *seq, acked))
            }
        };
    }
    tell(index, lane, key, range, report);
    report.count("events owed", owed);
}

fn tell(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    (client, stream): PairKey,
    range: Option<(u64, u64, usize)>,
    report: &mut Report,
) {
    if let Some((first, last, acked)) = range {
        let finding = Finding::new("lost-write", lane.charge(client), "never-delivered")
            .on(lane.lane)
            .at_client(index.plan.clients.name(client))
            .in_stream(index.plan.streams.name(stream))
            .of_events(first, last)
            .seen_at(acked);
        report.push(finding);
    }
}

/// Publishes that were answered well, and whose payload stands nowhere.
fn unwritten(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let shown: HashSet<(usize, PayloadHash)> =
        lane.deliveries.iter().filter_map(|delivery| Some((delivery.stream, delivery.hash?))).collect();
    for (number, (op, state)) in index.plan.ops.iter().zip(&lane.ops).enumerate() {
        let What::Publish { hash, expect, .. } = &op.what else {
            continue;
        };
        let is_shown = shown.contains(&(op.stream, *hash));
        let finding = |verdict| {
            Finding::new("lost-write", verdict, "acknowledged-but-not-written")
                .on(lane.lane)
                .in_stream(index.plan.streams.name(op.stream))
                .of_op(op.id)
        };
        let found = match (state.settled, expect) {
            (Settled::Done { at, seq: Some(seq), .. }, PublishExpect::Refused { .. }) if !is_shown => {
                let expected = "a refusal, or an event with this payload";
                Some(finding(Verdict::Invalid).of_event(seq).seen_at(at).expected(expected, acked(seq)))
            }
            // Its place is another's, which shows that it was free.
            (Settled::Done { at, seq: Some(seq), .. }, PublishExpect::Accepted { .. })
                if !is_shown && taken_by(index, lane, number, seq, &shown) =>
            {
                let expected = "an event with this payload";
                Some(finding(Verdict::Invalid).of_event(seq).seen_at(at).expected(expected, acked(seq)))
            }
            _ => None,
        };
        found.into_iter().for_each(|finding| report.push(finding));
        // What a later attempt mended is wrong all the same.
        if let (Some(unwritten), PublishExpect::Accepted { seq }) = (state.unwritten, expect) {
            let died = lane.deaths.iter().any(|death| (unwritten.sent..unwritten.at).contains(death));
            let verdict = if died { Verdict::Unknown } else { Verdict::Invalid };
            let mut finding = finding(verdict).of_event(seq.0).seen_at(unwritten.sent).seen_at(unwritten.at);
            if let Some(Record::Complete { completion: Completion::Unwritten { why }, .. }) =
                lane.history.records.get(unwritten.at)
            {
                finding = finding.expected("a row with this key", why);
            }
            finding.witness.repeats = unwritten.more;
            report.push(finding);
        }
    }
}

fn acked(seq: u64) -> String {
    format!("acknowledged at {seq}")
}

/// Whether another publish was acknowledged at the same seq, and came from there.
fn taken_by(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    number: usize,
    seq: u64,
    shown: &HashSet<(usize, PayloadHash)>,
) -> bool {
    let stream = index.plan.ops[number].stream;
    let owners = lane.streams[stream].owners.get(&seq).map_or(&[][..], Vec::as_slice);
    owners.iter().any(|owner| {
        let hash = index.plan.ops[*owner].hash();
        hash != index.plan.ops[number].hash() && hash.is_some_and(|hash| shown.contains(&(stream, hash)))
    })
}
