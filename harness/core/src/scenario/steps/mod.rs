//! The steps that a scenario can take, a file for each. [`KINDS`] is the list: the reader, the schema for editors, and
//! docs/SCENARIOS.md take the steps from it.

mod access;
mod arm;
mod attempt;
mod await_clients;
mod await_fault;
mod await_outbox;
mod await_relay;
mod backup;
mod checkpoint;
mod conflict;
mod connect;
mod count;
mod crash;
mod disarm;
mod disconnect;
mod inspect;
mod kill_as_seen;
mod misuse;
mod policy;
mod prelude;
mod prune;
mod publish;
mod reducers;
mod refused_publish;
mod relay;
mod republish;
mod restore;
mod resubscribe;
mod server;
mod set_cursor;
mod together;
mod tokens;
mod update_module;

use super::errors::Mistakes;
use super::names::Names;
use super::read::{At, Section, as_word};
use super::rehearsal::{Step, StepKind, Steps};

pub(super) const KINDS: &[&StepKind] = &[
    &connect::KIND,
    &disconnect::KIND,
    &crash::KIND,
    &resubscribe::KIND,
    &await_clients::KIND,
    &await_fault::KIND,
    &publish::KIND,
    &republish::KIND,
    &conflict::KIND,
    &refused_publish::KIND,
    &together::KIND,
    &policy::KIND,
    &prune::KIND,
    &checkpoint::KIND,
    &misuse::KIND,
    &tokens::KIND,
    &attempt::KIND,
    &access::KIND,
    &reducers::KIND,
    &inspect::KIND,
    &count::KIND,
    &set_cursor::KIND,
    &arm::KIND,
    &disarm::KIND,
    &server::KIND,
    &kill_as_seen::KIND,
    &update_module::KIND,
    &backup::KIND,
    &restore::KIND,
    &relay::KIND,
    &await_relay::KIND,
    &await_outbox::KIND,
];

pub(super) fn read(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Steps {
    let mut steps = Steps::new();
    if root.need("steps", mistakes).is_some() {
        for node in root.list("steps", mistakes) {
            let section = Section::of(node, "a step", mistakes);
            let step = section.and_then(|section| step(section, names, mistakes));
            steps.extend(step.map(|value| At { value, at: node.at }));
        }
    }
    steps
}

fn step(section: Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let known: Vec<_> = KINDS.iter().map(|kind| (kind.name, *kind)).collect();
    let kind = as_word(section.need_text("do", mistakes)?, "step", &known, mistakes)?;
    let section = section.called(format!("`{}`", kind.name));
    section.only(&[&["do"], kind.keys].concat(), mistakes);
    (kind.read)(&section, names, mistakes)
}
