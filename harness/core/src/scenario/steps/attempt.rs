//! `attempt`: an identity does what it may do, or tries what it may not.

use super::super::read::as_word;
use super::prelude::*;
use crate::matrix::Part;
use crate::plan::{CONNECT, DEEDS, Deed, GOOD, HELD, HOLD, Needs};

pub(super) const KIND: StepKind = StepKind {
    name: "attempt",
    keys: &["as", "stream", "what"],
    what: "the identity in `as` tries to read and write `stream` in each way that there is, or in those of `what`, \
           with a good token. What its rights allow must be done, and all else be refused. `hold` subscribes and keeps \
           the connection, and `held` looks what came on it since",
    read,
};

#[derive(Debug)]
struct Attempt {
    identity: usize,
    stream: usize,
    deeds: Vec<&'static Deed>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let all = || DEEDS.iter().filter(|deed| ![CONNECT, HOLD, HELD].contains(&deed.word));
    let known: Vec<_> = DEEDS.iter().map(|deed| (deed.word, deed)).filter(|(word, _)| *word != CONNECT).collect();
    let (identity, stream) = (names.need_identity(section, mistakes), names.need_stream(section, mistakes));
    let words = section.texts("what", mistakes);
    let named: Option<Vec<_>> = words.into_iter().map(|word| as_word(word, "what", &known, mistakes)).collect();
    let deeds = if section.has("what") { named? } else { all().collect() };
    Some(Box::new(Attempt { identity: identity?, stream: stream?, deeds }))
}

impl Step for Attempt {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let Attempt { identity, stream, .. } = *self;
        rehearsal.needs_servers("a request");
        if rehearsal.world.streams[stream].head == 0 {
            let topic = rehearsal.topic(stream).to_owned();
            rehearsal.refuse(format!("nothing is published to `{topic}` yet, so nothing could come of it"), None);
        }
        for deed in &self.deeds {
            let rights = &mut rehearsal.world.rights[identity];
            let allowed = match deed.needs {
                Needs::Token => true,
                Needs::Read => rights.reads.contains(&stream),
                Needs::Write => rights.writes.contains(&stream),
                Needs::Owner => false,
            };
            let mut is_good = true;
            if deed.word == HOLD {
                rights.held.insert(stream, true);
            } else if deed.word == HELD {
                match rights.held.remove(&stream) {
                    Some(held) => is_good = held,
                    None => rehearsal.refuse("no connection is kept for this identity and stream", "`hold` it first"),
                }
            }
            rehearsal.attempt((identity, stream), (GOOD, deed.word), (allowed && is_good, is_good));
        }
        let parts = [
            Part::ReadsWithinGrants,
            Part::WritesWithinRights,
            Part::TenantsApart,
            Part::RevokedConnected,
            Part::WithdrawnConnected,
        ];
        rehearsal.world.earn(None, parts);
    }
}
