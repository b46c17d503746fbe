//! `relay`: changes how the relay answers.

use super::prelude::*;
use crate::plan::Mood;

pub(super) const KIND: StepKind = StepKind {
    name: "relay",
    keys: &["answers"],
    what: "in a scenario with a `bridge`: from now on the relay answers events `well`; `blocking` (its write policy \
           refuses them for good), `limiting` or `failing` (it refuses them for now), `silent` (it keeps them, and no \
           answer comes), or `garbling` (what comes is no answer)",
    read,
};

#[derive(Debug)]
struct Relay(Mood);

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    section.need("answers", mistakes);
    Some(Box::new(Relay(section.word("answers", &Mood::WORDS, mistakes)?)))
}

impl Step for Relay {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let Relay(answers) = *self;
        let Some(mirror) = rehearsal.mirror() else { return };
        mirror.answers = answers;
        mirror.changed(false);
        rehearsal.push(plan::Step::Relay { answers });
    }
}
