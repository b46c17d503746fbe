//! Compiles the faults of a case: what is left to chance is drawn, no position twice for one victim.

use std::collections::BTreeSet;

use super::payload::altered;
use super::steps::{Published, draw};
use super::{Chance, Compiler};
use crate::ids::{ClientId, Cursor, FaultId, OpId, Seq, StreamId};
use crate::plan::{Cut, FaultKind, Mutation, Pick, PlannedFault, Position, Predicate, Release, Times, WRITER, When};
use crate::scenario::script::{self, Case, Place, Victim};

/// The faults, in the order of the script's.
pub(super) fn faults(
    compiler: &mut Compiler<'_>,
    case: &Case,
    published: &Published,
    heads: &[u64],
) -> Vec<PlannedFault> {
    let mut compile = Faults { chance: &mut compiler.chance, case, published, heads, taken: BTreeSet::new() };
    case.faults.iter().map(|fault| compile.fault(fault)).collect()
}

struct Faults<'c> {
    chance: &'c mut Chance,
    case: &'c Case,
    published: &'c Published,
    /// Each stream's head behind the script.
    heads: &'c [u64],
    /// Positions that were drawn: victim, stream, seq.
    taken: BTreeSet<(Option<usize>, usize, u64)>,
}

impl Faults<'_> {
    fn stream(&self, index: usize) -> StreamId {
        StreamId::new(&self.case.streams[index].topic)
    }

    fn fault(&mut self, fault: &script::Fault) -> PlannedFault {
        let victim = match fault.victim {
            Victim::Client(client) => Some(client),
            Victim::Writer => None,
        };
        let mut struck = None;
        let at = match &fault.at {
            Place::Delivery { stream, seqs } => {
                let seq = self.seq(victim, *stream, seqs);
                struck = Some((*stream, seq));
                Position::Delivery { stream: self.stream(*stream), seq: Seq(seq) }
            }
            Place::Proof { stream } => {
                Position::Delivery { stream: self.stream(*stream), seq: Seq(self.heads[*stream] + 1) }
            }
            Place::Ack { stream, seqs } => {
                let seq = self.seq(victim, *stream, seqs);
                Position::Ack { op: self.op(*stream, seq) }
            }
            Place::Resume(nth) => Position::Resume { nth: *nth },
            Place::ResumeReply(nth) => Position::ResumeReply { nth: *nth },
            Place::HeartbeatReply(nth) => Position::HeartbeatReply { nth: *nth },
            Place::Message(pick) => {
                struck = pick.stream.zip(pick.seq);
                Position::Message(self.pick(pick))
            }
        };
        let client = victim.map_or(WRITER, |client| &self.case.clients[client].name);
        PlannedFault {
            id: FaultId::new(&fault.name),
            lane: fault.lane,
            client: ClientId::new(client),
            at,
            kind: self.kind(&fault.kind, struck),
            times: if fault.always { Times::Always } else { Times::Once },
        }
    }

    fn pick(&self, pick: &script::Pick) -> Pick {
        Pick {
            direction: pick.direction,
            kind: pick.kind,
            event: pick.event.clone(),
            stream: pick.stream.map(|stream| self.stream(stream)),
            seq: pick.seq.map(Seq),
            payload: pick
                .payload
                .as_ref()
                .map(|(pointer, equals)| Predicate { pointer: pointer.clone(), equals: equals.clone() }),
            nth: pick.nth,
            per: pick.per,
        }
    }

    /// One of the positions that no fault of this victim has yet.
    fn seq(&mut self, victim: Option<usize>, stream: usize, seqs: &[u64]) -> u64 {
        let free = |seq: &u64| seqs.len() == 1 || !self.taken.contains(&(victim, stream, *seq));
        let free: Vec<u64> = seqs.iter().copied().filter(free).collect();
        let seq = self.chance.pick(&free).or_else(|| seqs.first().copied()).unwrap_or(0);
        self.taken.insert((victim, stream, seq));
        seq
    }

    fn op(&self, stream: usize, seq: u64) -> OpId {
        self.published.get(&(stream, seq)).map_or(OpId(0), |event| event.op)
    }

    fn kind(&mut self, kind: &script::FaultKind, struck: Option<(usize, u64)>) -> FaultKind {
        let mutation = match kind {
            script::FaultKind::Cut { how, code, when } => {
                let how = match self.chance.pick(how) {
                    None | Some(script::Cut::Close) => Cut::Close { code: *code },
                    Some(script::Cut::Drop) => Cut::Drop,
                    Some(script::Cut::Reset) => Cut::Reset,
                    Some(script::Cut::Silence) => Cut::Silence,
                };
                let when = match self.chance.pick(when) {
                    None | Some(script::When::Before) => When::Before,
                    Some(script::When::After) => When::After,
                };
                return FaultKind::Cut { how, when };
            }
            script::FaultKind::Settled(kind) => return kind.clone(),
            script::FaultKind::Hold { acked } => {
                let until = acked.map_or(Release::Heal, |(stream, seq)| Release::Acked { op: self.op(stream, seq) });
                return FaultKind::Hold { until };
            }
            script::FaultKind::RewriteCursor { stream, to } => {
                return FaultKind::RewriteCursor { stream: self.stream(*stream), to: Cursor(draw(self.chance, *to)) };
            }
            script::FaultKind::ReplacePayload => {
                let event = struck.and_then(|struck| self.published.get(&struck));
                let payload = event.map_or_else(|| "{}".to_owned(), |event| altered(&event.payload, &event.mark));
                Mutation::ReplacePayload { payload }
            }
            script::FaultKind::Misdeliver { stream, seq } => {
                Mutation::Misdeliver { stream: self.stream(*stream), seq: Seq(*seq) }
            }
        };
        FaultKind::Mutate { mutation }
    }
}
