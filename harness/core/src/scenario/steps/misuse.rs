//! `misuse`: requests that the lanes must refuse.

use super::super::read::as_word;
use super::prelude::*;
use crate::plan::MISUSES;

pub(super) const KIND: StepKind = StepKind {
    name: "misuse",
    keys: &["stream", "what"],
    what: "requests about `stream` that a lane must refuse, each with its own code: all that there are, or those of \
           `what`. A request that a lane does not know is not sent to it",
    read,
};

#[derive(Debug)]
struct Misuse {
    stream: usize,
    words: Vec<&'static str>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let known: Vec<_> = MISUSES.iter().map(|misuse| (misuse.word, misuse.word)).collect();
    let stream = names.need_stream(section, mistakes);
    let words = section.texts("what", mistakes);
    let named: Option<Vec<_>> = words.into_iter().map(|word| as_word(word, "what", &known, mistakes)).collect();
    let words = if section.has("what") { named? } else { known.iter().map(|(word, _)| *word).collect() };
    Some(Box::new(Misuse { stream: stream?, words }))
}

impl Step for Misuse {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("a request");
        for word in &self.words {
            let (stream, what) = (rehearsal.world.stream_ids[self.stream].clone(), (*word).to_owned());
            rehearsal.then(move |planner| {
                let (op, stream, what) = (planner.op(), stream.clone(), what.clone());
                planner.push(plan::Step::Misuse { op, stream, what });
            });
        }
        rehearsal.inspect(self.stream);
    }
}
