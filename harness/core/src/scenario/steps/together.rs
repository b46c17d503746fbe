//! `together`: several publishes are sent at the same moment, each on a connection of its own.

use super::super::compile::planner::Together as Kind;
use super::prelude::*;
use crate::matrix::{Part, WRITERS};

pub(super) const KIND: StepKind = StepKind {
    name: "together",
    keys: &["stream", "count", "same"],
    what: "`count` publishes to `stream` (2 by default) are sent at the same moment, each on its own connection. \
           `same` says what they have in common: `key-and-payload` (one is written, the others repeat it), `key` (one \
           is written, the others are refused), `payload` or `nothing` (each is written). Only of the first kind may \
           a client follow the stream, since the seed does not decide which one is written where",
    read,
};

const SAME: &[(&str, Kind)] = &[
    ("key-and-payload", Kind::Repeats),
    ("key", Kind::Conflicts),
    ("payload", Kind::Equals),
    ("nothing", Kind::Apart),
];

const MOST: u64 = WRITERS;

#[derive(Debug)]
struct Together {
    stream: usize,
    kind: Kind,
    count: u64,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let stream = names.need_stream(section, mistakes);
    let count = section.number("count", 2..=MOST, mistakes).unwrap_or(2);
    section.need("same", mistakes)?;
    let kind = section.word("same", SAME, mistakes)?;
    Some(Box::new(Together { stream: stream?, kind, count }))
}

impl Step for Together {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("publishing");
        rehearsal.needs_progress(&[None]);
        let Together { stream, kind, count } = *self;
        let followed = (0..rehearsal.world.clients.len()).any(|client| rehearsal.world.subscribes(client, stream));
        if kind != Kind::Repeats && followed {
            return rehearsal
                .refuse("which publish is written where is open, so no client may follow the stream", None);
        }
        let each = matches!(kind, Kind::Equals | Kind::Apart);
        let events = if each { count } else { 1 };
        if each && count == WRITERS {
            rehearsal.world.earn(None, [Part::WritersTogether]);
        }
        for _ in 0..events {
            rehearsal.world.publish(rehearsal.index, stream, false);
            let head = rehearsal.world.streams[stream].head;
            rehearsal.world.open.insert((stream, head));
        }
        rehearsal.then(move |planner| planner.publish_together(stream, kind, count));
        rehearsal.inspect(stream);
    }
}
