//! `signals`: transient signals, such as presence and progress, that a lane tells and does not keep.

use super::prelude::*;
use crate::plan::Heard;

pub(super) const KIND: StepKind = StepKind {
    name: "signals",
    keys: &["stream", "count"],
    what: "on a SpacetimeDB lane whose profile has `[signals]`, `count` signals of `stream` are sent through the event \
           table while two clients of their own listen. Then one of them leaves, a third one comes, and `count` more \
           are sent. Each listener must hear each signal that is sent while it is there, once and in order, and no \
           other one. The streams are not touched",
    read: |section, names, mistakes| {
        let stream = names.need_stream(section, mistakes);
        section.need("count", mistakes);
        let count = section.number("count", 1..=MOST, mistakes);
        Some(Box::new(Signals { stream: stream?, count: count? }))
    },
};

const MOST: u64 = 200;

#[derive(Debug)]
struct Signals {
    stream: usize,
    count: u64,
}

impl Step for Signals {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("sending signals");
        let (stream, count) = (rehearsal.world.stream_ids[self.stream].clone(), self.count);
        rehearsal.then(move |planner| {
            let op = planner.op();
            let heard = Heard::of(count).to_json();
            planner.push(plan::Step::Signals { op, stream: stream.clone(), count, heard });
        });
    }
}
