//! `prune`: the operator removes the oldest events of a stream.

use super::super::names::MAX_NUMBER;
use super::prelude::*;
use crate::ids::{Seq, StreamId};

pub(super) const KIND: StepKind = StepKind {
    name: "prune",
    keys: &["stream", "up_to"],
    what: "the events of `stream` up to `up_to` are removed. The legacy lane has no such call: its retention is \
           lowered for a moment. A prune that goes to the head or beyond it is followed by one more event, since the \
           legacy lane keeps one at least",
    read,
};

#[derive(Debug)]
struct Prune {
    stream: usize,
    up_to: u64,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let stream = names.need_stream(section, mistakes);
    section.need("up_to", mistakes)?;
    let up_to = section.number("up_to", 0..=MAX_NUMBER, mistakes);
    Some(Box::new(Prune { stream: stream?, up_to: up_to? }))
}

impl Step for Prune {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("pruning");
        let (stream, up_to) = (self.stream, self.up_to);
        let state = &rehearsal.world.streams[stream];
        let (head, Some(retention)) = (state.head, state.retention) else {
            return rehearsal.refuse(
                "the stream has no `retention`, to which the legacy lane could go back after a prune",
                "give the stream a `retention`",
            );
        };
        if head == 0 {
            return rehearsal.refuse("nothing is published to the stream yet", None);
        }
        let whole = up_to >= head;
        let id = rehearsal.world.stream_ids[stream].clone();
        if whole {
            set_retention(rehearsal, &id, 1);
        }
        rehearsal.world.streams[stream].prune_to(up_to);
        let pruned = id.clone();
        rehearsal.then(move |planner| {
            let op = planner.op();
            let (stream, up_to, head) = (pruned.clone(), Seq(up_to), Seq(head));
            let retention = if whole { 1 } else { retention };
            planner.push(plan::Step::Prune { op, stream, up_to, head, retention });
        });
        rehearsal.inspect(stream);
        if whole {
            rehearsal.world.publish(rehearsal.index, stream, false);
            rehearsal.then(move |planner| planner.publish(stream, None));
            set_retention(rehearsal, &id, retention);
        }
    }
}

fn set_retention(rehearsal: &mut Rehearsal<'_, '_>, stream: &StreamId, retention: u64) {
    let stream = stream.clone();
    rehearsal.then(move |planner| {
        let op = planner.op();
        let (stream, retention) = (stream.clone(), Some(retention));
        planner.push(plan::Step::Policy { op, stream, retention, replay_budget: None });
    });
}
