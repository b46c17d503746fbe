//! `await-outbox`: waits until the outbox is mirrored.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "await-outbox",
    keys: &[],
    what: "until the relay has, or blocks, each event that was published, and each that it has is marked in the outbox",
    read,
};

#[derive(Debug)]
struct AwaitOutbox;

fn read(_: &Section<'_>, _: &Names<'_>, _: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(AwaitOutbox))
}

impl Step for AwaitOutbox {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let Some(mirror) = rehearsal.mirror() else { return };
        mirror.waiting = false;
        let still = mirror.stands_still(true);
        if let Some(why) = still {
            rehearsal.refuse(format!("the outbox is not mirrored: {why}"), None);
        }
        rehearsal.push(plan::Step::AwaitOutbox);
    }
}
