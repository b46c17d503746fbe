//! `crash`: clients lose their connection and their memory.

use super::super::errors::Mistakes;
use super::super::names::Names;
use super::super::read::Section;
use super::super::rehearsal::{Rehearsal, Step, StepKind};
use crate::plan;

pub(super) const KIND: StepKind = StepKind {
    name: "crash",
    keys: &["clients"],
    what: "they crash; when they connect again, they resume from the checkpoint on disk",
    read,
};

#[derive(Debug)]
struct Crash(Option<Vec<usize>>);

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(Crash(names.clients(section, mistakes))))
}

impl Step for Crash {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        for client in rehearsal.connected_of(self.0.as_deref(), "crash") {
            rehearsal.world.clients[client].connected = false;
            rehearsal.push(plan::Step::Crash { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
