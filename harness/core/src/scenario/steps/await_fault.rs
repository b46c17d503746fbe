//! `await-fault`: waits until a fault or a toxic has fired.

use super::super::errors::did_you_mean;
use super::super::simulate::faults::check_awaited;
use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "await-fault",
    keys: &["fault"],
    what: "until the fault or the toxic of that name has fired",
    read,
};

#[derive(Debug)]
struct AwaitFault(At<String>);

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let name = section.need_text("fault", mistakes)?;
    Some(Box::new(AwaitFault(At { value: name.value.to_owned(), at: name.at })))
}

impl Step for AwaitFault {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let At { value: name, at } = &self.0;
        let draft = rehearsal.world.draft;
        let fault = draft.faults.iter().position(|fault| fault.value.name == *name);
        let toxic = draft.toxics.iter().position(|toxic| toxic.value.name == *name);
        match (toxic, fault) {
            (Some(toxic), _) if !rehearsal.world.armed[toxic] => {
                let what = format!("`{name}` is off by now, so nothing is to be waited for");
                rehearsal.mistakes.once(*at, what, "arm it before".to_owned());
            }
            (Some(_), _) => {}
            (None, Some(fault)) => check_awaited(rehearsal.world, fault, *at, rehearsal.mistakes),
            (None, None) => {
                if draft.faults_whole {
                    let faults = draft.faults.iter().map(|fault| fault.value.name.as_str());
                    let toxics = draft.toxics.iter().map(|toxic| toxic.value.name.as_str());
                    let hint = did_you_mean(name, &faults.chain(toxics).collect::<Vec<_>>());
                    rehearsal.mistakes.once(*at, format!("no fault is called `{name}`"), hint);
                }
                return;
            }
        }
        let name = name.clone();
        rehearsal.then(move |planner| {
            for fault in planner.fault_ids(&name) {
                planner.push(plan::Step::AwaitFired { fault });
            }
        });
    }

    fn needs_faults(&self) -> bool {
        true
    }
}
