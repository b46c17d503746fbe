//! Compiles the faults of a case: what is left to chance is drawn, no position twice for one target.

use std::collections::BTreeSet;

use super::super::faults::{Fault, FaultPosition, Target};
use super::super::open::{Setting, Settings};
use super::super::script::{Case, client_id};
use super::payload::altered;
use super::planner::{Published, draw};
use crate::chance::Chance;
use crate::ids::{FaultId, OpId, Seq, StreamId};
use crate::plan::fault::spec::{Shape, Value};
use crate::plan::{MessageFilter, PlannedFault, Position, Times};

pub(super) fn faults(chance: &mut Chance, case: &Case, published: &Published, heads: &[u64]) -> Vec<PlannedFault> {
    let mut compile = Faults { chance, case, published, heads, taken: BTreeSet::new() };
    case.faults.iter().map(|fault| compile.fault(fault)).collect()
}

struct Faults<'c> {
    chance: &'c mut Chance,
    case: &'c Case,
    published: &'c Published,
    heads: &'c [u64],
    /// Positions that were drawn: target, stream, seq.
    taken: BTreeSet<(Target, usize, u64)>,
}

impl Faults<'_> {
    fn stream(&self, index: usize) -> StreamId {
        StreamId::new(&self.case.streams[index].topic)
    }

    fn fault(&mut self, fault: &Fault) -> PlannedFault {
        // Numbers beyond 32 bits are refused where the file is read.
        let nth = |nth: u64| u32::try_from(nth).unwrap_or(u32::MAX);
        let mut event = None;
        let at = match &fault.at {
            FaultPosition::Delivery { stream, seqs } => {
                let seq = self.seq(fault.target, *stream, seqs);
                event = Some((*stream, seq));
                Position::Delivery { stream: self.stream(*stream), seq: Seq(seq) }
            }
            FaultPosition::Proof { stream } => {
                Position::Delivery { stream: self.stream(*stream), seq: Seq(self.heads[*stream] + 1) }
            }
            FaultPosition::Ack { stream, seqs } => {
                let seq = self.seq(fault.target, *stream, seqs);
                Position::Ack { op: self.op(*stream, seq) }
            }
            FaultPosition::Resume(at) => Position::Resume { nth: nth(*at) },
            FaultPosition::ResumeReply(at) => Position::ResumeReply { nth: nth(*at) },
            FaultPosition::HeartbeatReply(at) => Position::HeartbeatReply { nth: nth(*at) },
            FaultPosition::Message(direction, filter) => {
                event = filter.event();
                Position::Message(MessageFilter::of(*direction, &self.draw(filter).collect()))
            }
        };
        let altered = fault.spec.attributes.iter().filter(|attribute| attribute.shape == Shape::Altered);
        let altered: Vec<_> = altered.map(|attribute| (attribute.name, self.altered(event))).collect();
        let values = self.draw(&fault.settings).chain(altered).collect();
        PlannedFault {
            id: FaultId::new(&fault.name),
            lane: fault.lane,
            client: client_id(&self.case.clients, fault.target),
            at,
            kind: (fault.spec.plan)(&values),
            times: if fault.always { Times::Always } else { Times::Once },
        }
    }

    fn seq(&mut self, target: Target, stream: usize, seqs: &[u64]) -> u64 {
        let free = |seq: &u64| seqs.len() == 1 || !self.taken.contains(&(target, stream, *seq));
        let free: Vec<u64> = seqs.iter().copied().filter(free).collect();
        let seq = self.chance.pick(&free).or_else(|| seqs.first().copied()).unwrap_or(0);
        self.taken.insert((target, stream, seq));
        seq
    }

    fn op(&self, stream: usize, seq: u64) -> OpId {
        self.published.get(&(stream, seq)).map_or(OpId(0), |event| event.op)
    }

    /// The values, in the order of the attributes, so that a seed always draws the same.
    fn draw<'s>(&mut self, settings: &'s Settings<u64>) -> impl Iterator<Item = (&'static str, Value)> + use<'s> {
        let draw = |(name, setting): &'s (&'static str, Setting<u64>)| Some((*name, self.value(setting)?));
        settings.0.iter().filter_map(draw).collect::<Vec<_>>().into_iter()
    }

    fn value(&mut self, setting: &Setting<u64>) -> Option<Value> {
        Some(match setting {
            Setting::Is(value) => value.clone(),
            Setting::OneOf(words) => Value::Text(self.chance.pick(words)?.to_owned()),
            Setting::Between(choice) => Value::Whole(draw(self.chance, *choice)),
            Setting::Stream(stream) => Value::Text(self.case.streams[*stream].topic.clone()),
            Setting::Number(number) => Value::Whole(*number),
            Setting::Until(Some((stream, seq))) => Value::Whole(u64::from(self.op(*stream, *seq).0)),
            // The heal phase has no value, and the case has settled the others.
            Setting::Until(None) | Setting::Each | Setting::Cursor(..) => return None,
        })
    }

    fn altered(&self, event: Option<(usize, u64)>) -> Value {
        let event = event.and_then(|event| self.published.get(&event));
        Value::Text(event.map_or_else(|| "{}".to_owned(), |event| altered(&event.payload, &event.mark)))
    }
}
