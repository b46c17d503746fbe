//! `checkpoint`: a client of any name tells the lane how far it came.

use super::super::names::MAX_NUMBER;
use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;

pub(super) const KIND: StepKind = StepKind {
    name: "checkpoint",
    keys: &["stream", "client", "seq", "offset"],
    what: "`client` (any name but those of the scenario's clients) acknowledges `seq` of `stream`, with `offset` in \
           its own count (`seq` by default), where the lane keeps checkpoints. The lane must keep it, or refuse a \
           step back and what lies beyond the head",
    read,
};

#[derive(Debug)]
struct Checkpoint {
    stream: usize,
    client: String,
    seq: u64,
    offset: u64,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let stream = names.need_stream(section, mistakes);
    let client = section.need_text("client", mistakes).map(|client| client.value.to_owned());
    section.need("seq", mistakes)?;
    let seq = section.number("seq", 0..=MAX_NUMBER, mistakes)?;
    let offset = section.number("offset", 0..=MAX_NUMBER, mistakes).unwrap_or(seq);
    Some(Box::new(Checkpoint { stream: stream?, client: client?, seq, offset }))
}

impl Step for Checkpoint {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("acknowledging a cursor");
        let Checkpoint { stream, client, seq, offset } = self;
        if rehearsal.world.client_ids.iter().any(|id| id.as_str() == client) {
            return rehearsal
                .refuse(format!("`{client}` is a client of the scenario, which has checkpoints of its own"), None);
        }
        let head = rehearsal.world.streams[*stream].head;
        let had = rehearsal.world.checkpoints.get(&(client.clone(), *stream)).copied();
        let refused = match had {
            Some(had) if had == (*seq, *offset) => None,
            Some((had, had_offset)) if *seq <= had || *offset < had_offset => Some("checkpoint_conflict"),
            _ if *seq > head => Some("checkpoint_beyond_head"),
            _ => None,
        };
        if refused == Some("checkpoint_conflict") {
            rehearsal.world.earn(Some(LaneId::Candidate), [Part::CheckpointBack]);
        }
        if refused.is_none() {
            rehearsal.world.checkpoints.insert((client.clone(), *stream), (*seq, *offset));
        }
        let id = rehearsal.world.stream_ids[*stream].clone();
        let (client, seq, durable_offset) = (client.clone(), *seq, *offset);
        let refused = refused.map(str::to_owned);
        rehearsal.then(move |planner| {
            let (op, stream) = (planner.op(), id.clone());
            let (client, refused) = (client.clone(), refused.clone());
            planner.push(plan::Step::Checkpoint { op, stream, client, seq, durable_offset, refused });
        });
        rehearsal.inspect(*stream);
    }
}
