//! `refused-publish`: one event that is refused for something wrong beside it, and then written.

use super::super::compile::planner::Wrong;
use super::super::read::as_word;
use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;

pub(super) const KIND: StepKind = StepKind {
    name: "refused-publish",
    keys: &["stream", "wrong"],
    what: "one event: first it is refused, once for each thing that is `wrong` beside it; then it is written under the \
           same key. `seq-low`, `seq-high`, `seq-zero` and `seq-huge` expect another seq than the next; `hash-other`, \
           `hash-end` (another last digit), `hash-upper` and `hash-bare` give another hash, on the candidate alone, \
           since the legacy publish takes none",
    read,
};

const WRONGS: &[(&str, Wrong)] = &[
    ("seq-low", Wrong::SeqLow),
    ("seq-high", Wrong::SeqHigh),
    ("seq-zero", Wrong::SeqZero),
    ("seq-huge", Wrong::SeqHuge),
    ("hash-other", Wrong::HashOther),
    ("hash-end", Wrong::HashEnd),
    ("hash-upper", Wrong::HashUpper),
    ("hash-bare", Wrong::HashBare),
];

#[derive(Debug)]
struct RefusedPublish {
    stream: usize,
    wrongs: Vec<Wrong>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let stream = names.need_stream(section, mistakes);
    section.need("wrong", mistakes)?;
    let words = section.texts("wrong", mistakes);
    let wrongs: Option<Vec<Wrong>> = words.into_iter().map(|word| as_word(word, "wrong", WRONGS, mistakes)).collect();
    Some(Box::new(RefusedPublish { stream: stream?, wrongs: wrongs? }))
}

impl Step for RefusedPublish {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("publishing");
        rehearsal.needs_progress(&[None]);
        let (stream, wrongs) = (self.stream, self.wrongs.clone());
        let is_hash = |wrong: &Wrong| wrong.is_of_hash();
        if wrongs.iter().any(is_hash) {
            rehearsal.world.earn(Some(LaneId::Candidate), [Part::HashRefused]);
        }
        if !wrongs.iter().all(is_hash) {
            rehearsal.world.earn(None, [Part::SeqExpected]);
        }
        rehearsal.world.publish(rehearsal.index, stream, false);
        rehearsal.then(move |planner| planner.publish_refused(stream, &wrongs));
        rehearsal.inspect(stream);
    }
}
