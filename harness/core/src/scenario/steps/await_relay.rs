//! `await-relay`: waits until an event has come to the relay.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "await-relay",
    keys: &[],
    what: "until an event has come to the relay since it was last changed",
    read,
};

#[derive(Debug)]
struct AwaitRelay;

fn read(_: &Section<'_>, _: &Names<'_>, _: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(AwaitRelay))
}

impl Step for AwaitRelay {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let Some(mirror) = rehearsal.mirror() else { return };
        let (still, asked) = (mirror.stands_still(false), mirror.asked);
        match still {
            Some(why) => rehearsal.refuse(format!("nothing comes to the relay: {why}"), None),
            None if !asked => {
                rehearsal.refuse("nothing was published since the relay was changed, so nothing may come to it", None);
            }
            None => {}
        }
        rehearsal.push(plan::Step::AwaitRelay);
    }
}
