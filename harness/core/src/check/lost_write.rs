//! `lost-write`: a publish was acknowledged and its event never reached a client that was owed it.
//!
//! Anomaly: the lane answered a publish well, the client subscribes to its stream and is connected at the end, and by the
//! end of converge no message of any kind brought it the event (reason `never-delivered`). What retention pruned before a
//! bootstrap, and what lies at or below a cursor that was put on the client's disk, is not owed; of a client that could not
//! be reached nobody can tell (`Unknown`). A publish that the plan
//! wants refused, and that was answered well although its payload never shows up, is lost too
//! (`acknowledged-but-not-written`). Source: contract, "Writes" (an answer comes once the event is in the journal) and
//! "Ordering, delivery, replay" (delivery is at least once); the name is Jepsen's.

use super::index::{Delivery, Index, LaneIndex, PairKey, Settled, What};
use super::owed::excused_up_to;
use super::{CheckInput, Checker, Finding, Report, Verdict};
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

/// Publishes that were to be refused, were answered well, and whose payload never arrived anywhere.
fn unwritten(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let suspects = index
        .plan
        .ops
        .iter()
        .zip(&lane.ops)
        .filter_map(|(op, state)| match (&op.what, state.settled) {
            (
                What::Publish {
                    hash,
                    expect: PublishExpect::Refused { .. },
                    ..
                },
                Settled::Done { at, seq: Some(seq), .. },
            ) => Some((op, *hash, at, seq)),
            _ => None,
        });
    for (op, hash, at, seq) in suspects {
        let shown = |delivery: &Delivery| delivery.stream == op.stream && delivery.hash == Some(hash);
        if !lane.deliveries.iter().any(shown) {
            report.push(
                Finding::new("lost-write", Verdict::Invalid, "acknowledged-but-not-written")
                    .on(lane.lane)
                    .in_stream(index.plan.streams.name(op.stream))
                    .of_event(seq)
                    .of_op(op.id)
                    .seen_at(at)
                    .expected(
                        "a refusal, or an event with this payload",
                        format!("acknowledged at {seq}"),
                    ),
            );
        }
    }
}
