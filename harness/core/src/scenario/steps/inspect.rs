//! `inspect`: what the lanes store of streams is read.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "inspect",
    keys: &["stream", "streams"],
    what: "what the lanes store of `stream`, or of `streams`, is read and judged, where they show it. The same is done \
           around each `republish` and `conflict`, and for every stream at the end",
    read: |section, names, mistakes| Some(Box::new(Inspect(names.streams(section, mistakes)))),
};

#[derive(Debug)]
struct Inspect(Vec<usize>);

impl Step for Inspect {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("reading what is stored");
        for stream in &self.0 {
            rehearsal.inspect(*stream);
        }
    }
}
