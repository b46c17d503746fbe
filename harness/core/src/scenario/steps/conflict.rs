//! `conflict`: the writer publishes another payload under the key of a known event.

use super::super::compile::payload::{Payload, payload};
use super::prelude::*;
use super::republish::Published;
use crate::plan::PublishExpect;

pub(super) const KIND: StepKind = StepKind {
    name: "conflict",
    keys: &["stream", "seqs"],
    what: "the same key with another payload: the lane must refuse",
    read: |section, names, mistakes| Some(Box::new(Conflict(Published::read(section, names, mistakes)?))),
};

#[derive(Debug)]
struct Conflict(Published);

impl Step for Conflict {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.inspect(self.0.stream);
        for (stream, seq) in self.0.events(rehearsal) {
            rehearsal.then(move |planner| {
                planner.publish_again(stream, seq, |chance, event| {
                    let other = payload(chance, Payload::Small, &format!("{}:other", event.mark), seq);
                    (other, PublishExpect::Refused { code: "idempotency_conflict".to_owned() })
                });
            });
        }
        rehearsal.inspect(self.0.stream);
    }
}
