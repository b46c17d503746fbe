//! `arm`: puts toxics on.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "arm",
    keys: &["toxics"],
    what: "the toxics of these names are added, to open connections and to new ones; a toxic that a step arms is off \
           until then",
    read,
};

#[derive(Debug)]
struct Arm(Vec<At<String>>);

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(Arm(toxics(section, mistakes)?)))
}

/// The names of toxics. The rehearsal looks up whether they exist.
pub(super) fn toxics(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Vec<At<String>>> {
    let node = section.need("toxics", mistakes)?;
    let names = section.texts("toxics", mistakes);
    if names.is_empty() {
        mistakes.local(node.at, "`toxics` names none", None);
    }
    Some(names.into_iter().map(|name| At { value: name.value.to_owned(), at: name.at }).collect())
}

impl Step for Arm {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let names = rehearsal.switch(&self.0, true);
        rehearsal.then(move |planner| {
            let toxics = names.iter().flat_map(|name| planner.fault_ids(name)).collect();
            planner.push(plan::Step::Arm { toxics });
        });
    }

    fn needs_faults(&self) -> bool {
        true
    }

    fn arms(&self, toxic: &str) -> bool {
        self.0.iter().any(|name| name.value == toxic)
    }
}
