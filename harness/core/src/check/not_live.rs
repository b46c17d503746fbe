//! `not-live`: a lane looks converged, and its live updates no longer come.
//!
//! After converge one more event is published to every stream. A client that is at the head must get it live: on the
//! connection that it has, not in a snapshot, and without asking again. Anomaly: the event was acknowledged, the connection
//! stayed open and answered a heartbeat after that, and the event did not come (`dead-tail`, `Invalid`). Where nothing can
//! be said it is `Unknown`: the client that the plan leaves connected had no subscription (`not-asked`), its connection
//! ended before the event came (`proof-cut-short`), or the lane answered no heartbeat since (`proof-unanswered`). A client
//! that was behind the head before is the affair of `convergence`. Source: contract, "Ordering, delivery, replay" (replay
//! first, then the live tail) and, of the candidate, "What a client does", 3 (`TransactionUpdate`s in commit order).

use super::index::{Index, LaneIndex, PairKey, Sub};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::Via;

/// See the module's documentation.
pub struct NotLive;

impl Checker for NotLive {
    fn name(&self) -> &'static str {
        "not-live"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes().iter().filter(|lane| lane.done) {
            for proof in &index.plan.proofs {
                let stream = index.plan.ops[*proof].stream;
                for key in index.plan.owing_pairs().filter(|key| key.1 == stream) {
                    report.count("clients and streams", 1);
                    if let Some(finding) = of_pair(index, lane, *proof, key) {
                        report.push(finding);
                    }
                }
            }
        }
        report
    }
}

fn of_pair(index: &Index<'_>, lane: &LaneIndex<'_>, proof: usize, key: PairKey) -> Option<Finding> {
    let state = &lane.ops[proof];
    let (sent, acked, seq) = (state.sent?, state.acked_at()?, state.acked_seq()?);
    let finding = |verdict, reason| {
        Finding::new("not-live", verdict, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(key.0))
            .in_stream(index.plan.streams.name(key.1))
            .of_event(seq)
            .of_op(index.plan.ops[proof].id)
            .seen_at(acked)
    };
    let pair = lane.pair(key)?;
    let open = |sub: &&Sub<'_>| sub.accepted_at().is_some_and(|at| at < sent) && sub.ended > sent;
    let Some(sub) = pair.subs.iter().map(|sub| &lane.subs[*sub]).find(open) else {
        return Some(finding(Verdict::Unknown, "not-asked"));
    };
    let of_sub = || sub.deliveries.iter().map(|delivery| &lane.deliveries[*delivery]);
    let had = |wanted: u64| of_sub().any(|one| one.at < sent && one.seq == wanted && one.arrival.fills_its_seq());
    let at_head = seq == 1 || sub.saw.is_some_and(|cursor| cursor + 1 == seq) || had(seq - 1);
    let came = of_sub().any(|one| one.seq == seq && one.via != Via::Snapshot && one.arrival.fills_its_seq());
    if came || !at_head {
        return None;
    }
    if sub.ended < lane.drain_at {
        return Some(finding(Verdict::Unknown, "proof-cut-short").seen_at(sub.ended));
    }
    match lane.round_trips.get(&(key.0, sub.conn)) {
        Some(answered) if *answered > acked => Some(finding(Verdict::Invalid, "dead-tail").seen_at(*answered)),
        _ => Some(finding(Verdict::Unknown, "proof-unanswered")),
    }
}
