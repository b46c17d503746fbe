//! `not-live`: after the converge phase one more event is published to every stream. A client that is at the head must
//! get it live: on the connection that it has, not in a snapshot, and without asking again. It is a dead tail where the
//! event was acknowledged, the connection stayed open and answered a heartbeat after that, and the event did not come.
//! A client that was behind the head before is judged by `convergence`.

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, PairKey, Sub};
use super::reason::{Reason, Shortage};
use super::{convergence, gap, lost_write, unseen};
use crate::history::Via;

const NAME: &str = "not-live";

static DEAD_TAIL: Reason = Reason::invalid(
    "dead-tail",
    "{event} {was} acknowledged and did not come live to {client}, whose connection is open",
)
.deed("no longer sends live updates, though its replays and snapshots work");
static NOT_ASKED: Reason =
    Reason::unknown("not-asked", "{client} had no connection on which {event} could prove {stream} alive")
        .shortage(Shortage::TimedOut);
static CUT_SHORT: Reason =
    Reason::unknown("proof-cut-short", "the connection of {client} ended before {event} could prove {stream} alive")
        .shortage(Shortage::TimedOut);
static UNANSWERED: Reason = Reason::unknown(
    "proof-unanswered",
    "{event} did not come live to {client}, and no heartbeat was answered since it was acknowledged",
)
.shortage(Shortage::TimedOut);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a lane looks converged, and its live updates no longer come",
    source: "contract, \"Ordering, delivery, replay\" (replay first, then the live tail); of the candidate, \"What a \
             client does\", 3 (`TransactionUpdate`s in commit order)",
    rows: &[],
    reasons: &[&DEAD_TAIL, &NOT_ASKED, &CUT_SHORT, &UNANSWERED],
    accounts_for: "same client and seqs: lost-write, gap, unseen, convergence",
    // An event that did not come live, and that the client did not ask for again, never came.
    explains: |cause, effect| {
        effect.is_at_client_of(cause)
            && effect.is_of(&[lost_write::NAME, gap::NAME, unseen::NAME, convergence::NAME])
            && effect.overlaps(cause)
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes().iter().filter(|lane| lane.done) {
        for proof in &index.plan.proofs {
            let stream = index.plan.ops[*proof].stream;
            for key in index.plan.owing_pairs().filter(|key| key.1 == stream) {
                report.count("clients and streams", 1);
                of_pair(index, lane, *proof, key).into_iter().for_each(|finding| report.push(finding));
            }
        }
    }
}

fn of_pair(index: &Index<'_>, lane: &LaneIndex<'_>, proof: usize, key: PairKey) -> Option<Finding> {
    let state = &lane.ops[proof];
    let (sent, acked, seq) = (state.sent?, state.acked_at()?, state.acked_seq()?);
    let finding = |reason| {
        let finding = index.finding(NAME, reason, lane, key).of_event(seq);
        finding.of_op(index.plan.ops[proof].id).seen_at(acked)
    };
    let pair = lane.pair(key)?;
    let open = |sub: &&Sub<'_>| sub.accepted_at().is_some_and(|at| at < sent) && sub.ended > sent;
    let Some(sub) = pair.subs.iter().map(|sub| &lane.subs[*sub]).find(open) else {
        return Some(finding(&NOT_ASKED));
    };
    let of_sub = || sub.deliveries.iter().map(|delivery| &lane.deliveries[*delivery]);
    let had = |wanted: u64| of_sub().any(|one| one.at < sent && one.seq == wanted && one.arrival.fills_its_seq());
    let at_head = seq == 1 || sub.saw.is_some_and(|cursor| cursor + 1 == seq) || had(seq - 1);
    let came = of_sub().any(|one| one.seq == seq && one.via != Via::Snapshot && one.arrival.fills_its_seq());
    if came || !at_head {
        return None;
    }
    if sub.ended < lane.drain_at {
        return Some(finding(&CUT_SHORT).seen_at(sub.ended));
    }
    match lane.round_trips.get(&(key.0, sub.conn)) {
        Some(answered) if *answered > acked => Some(finding(&DEAD_TAIL).seen_at(*answered)),
        _ => Some(finding(&UNANSWERED)),
    }
}
