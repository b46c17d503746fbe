//! `disarm`: takes toxics off.

use super::arm::toxics;
use super::prelude::*;

pub(super) const KIND: StepKind =
    StepKind { name: "disarm", keys: &["toxics"], what: "the toxics of these names are removed", read };

#[derive(Debug)]
struct Disarm(Vec<At<String>>);

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(Disarm(toxics(section, mistakes)?)))
}

impl Step for Disarm {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let names = rehearsal.switch(&self.0, false);
        rehearsal.then(move |planner| {
            let toxics = names.iter().flat_map(|name| planner.fault_ids(name)).collect();
            planner.push(plan::Step::Disarm { toxics });
        });
    }

    fn needs_faults(&self) -> bool {
        true
    }
}
