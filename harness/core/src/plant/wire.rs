//! Defects on the wire: one more fault in an honest plan.

use crate::ids::{ClientId, FaultId, LaneId, Seq, StreamId};
use crate::plan::defect::wire::Defect;
use crate::plan::{
    Case, Direction, FaultKind, MessageFilter, MessageKind, Mutation, Plan, PlannedFault, Position, PublishExpect,
    Scope, Step, Times, WRITER,
};

/// The name of the planted fault.
pub const FAULT: &str = "planted";

/// An event that a plan publishes, and a client that gets it.
struct Event<'p> {
    case: &'p Case,
    stream: &'p StreamId,
    seq: Seq,
    client: &'p ClientId,
}

#[derive(Clone, Copy)]
enum Which {
    Nth(u64),
    Last,
    Proof,
}

/// The plan with a defect, if the plan has an event for it.
pub fn on_wire(defect: Defect, plan: &Plan) -> Option<Plan> {
    use Defect::*;
    let (lane, which, times) = match defect {
        LegacyDrop20 | LegacyDropFrame | LegacyKey => (LaneId::Legacy, Which::Nth(20), Times::Always),
        CandidateDrop20 => (LaneId::Candidate, Which::Nth(20), Times::Always),
        LegacyDrop200 => (LaneId::Legacy, Which::Nth(200), Times::Always),
        CandidateDrop200 => (LaneId::Candidate, Which::Nth(200), Times::Always),
        CandidateDropOnce | CandidateSwap30 => (LaneId::Candidate, Which::Nth(30), Times::Once),
        LegacySwap30 => (LaneId::Legacy, Which::Nth(30), Times::Once),
        LegacyDropProof => (LaneId::Legacy, Which::Proof, Times::Always),
        CandidateDropProof => (LaneId::Candidate, Which::Proof, Times::Always),
        LegacyFlood60 => (LaneId::Legacy, Which::Nth(60), Times::Once),
        CandidateFlood60 => (LaneId::Candidate, Which::Nth(60), Times::Once),
        LegacyReplace100 => (LaneId::Legacy, Which::Nth(100), Times::Always),
        CandidateReplace100 => (LaneId::Candidate, Which::Nth(100), Times::Always),
        LegacyReplaceLast => (LaneId::Legacy, Which::Last, Times::Always),
        CandidateReplaceLast => (LaneId::Candidate, Which::Last, Times::Always),
        LegacyMisdeliver => (LaneId::Legacy, Which::Nth(3), Times::Once),
        CandidateMisdeliver => (LaneId::Candidate, Which::Nth(3), Times::Once),
        CandidateKey | CandidateHash | CandidateConfirmed | CandidateTime | CandidateForeign => {
            (LaneId::Candidate, Which::Nth(12), Times::Always)
        }
        CandidateWriterKey | CandidateWriterStream => (LaneId::Candidate, Which::Nth(1), Times::Once),
    };
    let event = event(plan, which)?;
    let at = match defect {
        LegacyDropFrame => Position::Message(MessageFilter {
            event: Some("sync:frame".to_owned()),
            stream: Some(event.stream.clone()),
            seq: Some(event.seq),
            per: Scope::Proxy,
            ..MessageFilter::any(Direction::Downstream)
        }),
        CandidateWriterKey | CandidateWriterStream => Position::Message(MessageFilter {
            kind: Some(MessageKind::Publish),
            nth: Some(9),
            per: Scope::Proxy,
            ..MessageFilter::any(Direction::Upstream)
        }),
        _ => Position::Delivery { stream: event.stream.clone(), seq: event.seq },
    };
    let is_call = matches!(defect, CandidateWriterKey | CandidateWriterStream);
    let client = if is_call { ClientId::new(WRITER) } else { event.client.clone() };
    let kind = FaultKind::Mutate { mutation: mutation(defect, &event)? };
    let mut planted = plan.clone();
    planted.faults.push(PlannedFault { id: FaultId::new(FAULT), lane: Some(lane), client, at, kind, times });
    Some(planted)
}

fn mutation(defect: Defect, event: &Event<'_>) -> Option<Mutation> {
    use Defect::*;
    let column = |column: &str, value: &str| Mutation::SetColumn { column: column.to_owned(), value: value.to_owned() };
    let argument =
        |pointer: &str, value: &str| Mutation::SetJson { pointer: pointer.to_owned(), value: value.to_owned() };
    Some(match defect {
        LegacyDrop20 | CandidateDrop20 | LegacyDrop200 | CandidateDrop200 | LegacyDropFrame | CandidateDropOnce
        | LegacyDropProof | CandidateDropProof => Mutation::DropEvent,
        LegacySwap30 | CandidateSwap30 => Mutation::SwapWithNext,
        LegacyFlood60 | CandidateFlood60 => Mutation::Flood { more: 3 },
        LegacyReplace100 | CandidateReplace100 | LegacyReplaceLast | CandidateReplaceLast => {
            Mutation::ReplacePayload { payload: "{\"changed\":true}".to_owned() }
        }
        LegacyMisdeliver | CandidateMisdeliver => {
            let follows = event.case.clients.iter().find(|client| client.id == *event.client)?;
            let other = follows.streams.iter().find(|stream| *stream != event.stream)?;
            Mutation::Misdeliver { stream: other.clone(), seq: Seq(4) }
        }
        LegacyKey => column("doc_key", "\"of-another-event\""),
        CandidateKey => column("idempotency_key", "\"of-another-event\""),
        CandidateHash => column("payload_hash", &format!("\"sha256:{}\"", "0".repeat(64))),
        CandidateConfirmed => column("confirmed_read", "false"),
        CandidateTime => column("committed_at", "0"),
        CandidateForeign => column("stream_id", "\"runtime.run.of-another-tenant.events\""),
        CandidateWriterKey => argument("/1", "\"of-another-event\""),
        CandidateWriterStream => argument("/0", "\"runtime.run.elsewhere.events\""),
    })
}

fn event(plan: &Plan, which: Which) -> Option<Event<'_>> {
    plan.cases.iter().find_map(|case| {
        case.streams.iter().find_map(|planned| {
            let stream = &planned.id;
            let accepted = |step: &Step| match step {
                Step::Publish { stream: of, expect: PublishExpect::Accepted { seq }, .. } if of == stream => Some(*seq),
                _ => None,
            };
            let seq = match which {
                Which::Proof => case.proof_of_life.iter().find_map(accepted)?,
                Which::Last => case.steps.iter().filter_map(accepted).max()?,
                Which::Nth(nth) => case.steps.iter().filter_map(accepted).find(|seq| seq.0 == nth)?,
            };
            let client = case.clients.iter().find(|client| client.streams.contains(stream))?;
            Some(Event { case, stream, seq, client: &client.id })
        })
    })
}
