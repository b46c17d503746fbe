//! `conflict`: the writer publishes another payload under the key of a known event.

use super::super::compile::payload::{Payload, Place, nearly, payload};
use super::prelude::*;
use super::republish::Published;
use crate::plan::{IDEMPOTENCY_CONFLICT, PublishExpect};

pub(super) const KIND: StepKind = StepKind {
    name: "conflict",
    keys: &["stream", "seqs", "with"],
    what: "the same key with another payload: the lane must refuse. `with` is `another` or \
           `nearly-the-same` (it differs in one small thing, such as a type, a blank, a form of Unicode, or the last \
           character)",
    read: |section, names, mistakes| {
        let nearly = section.word("with", WITH, mistakes).unwrap_or(false);
        Some(Box::new(Conflict { published: Published::read(section, names, mistakes)?, nearly }))
    },
};

/// Whether the payload is nearly the same.
const WITH: &[(&str, bool)] = &[("another", false), ("nearly-the-same", true)];

#[derive(Debug)]
struct Conflict {
    published: Published,
    nearly: bool,
}

impl Step for Conflict {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.inspect(self.published.stream);
        let is_nearly = self.nearly;
        for (stream, seq) in self.published.events(rehearsal) {
            rehearsal.then(move |planner| {
                planner.publish_again(stream, seq, |chance, decks, event| {
                    let other = is_nearly.then(|| nearly(chance, decks, stream, &event.payload)).flatten();
                    let other = other.unwrap_or_else(|| {
                        let mark = format!("{}:other", event.mark);
                        payload(chance, decks, Payload::Small, Place { mark: &mark, stream, nth: seq })
                    });
                    (other, PublishExpect::Refused { code: IDEMPOTENCY_CONFLICT.to_owned() })
                });
            });
        }
        rehearsal.inspect(self.published.stream);
    }
}
