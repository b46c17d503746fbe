//! `disconnect`: clients close in good order.

use super::super::errors::Mistakes;
use super::super::names::Names;
use super::super::read::Section;
use super::super::rehearsal::{Rehearsal, Step, StepKind};
use crate::plan;

pub(super) const KIND: StepKind =
    StepKind { name: "disconnect", keys: &["clients"], what: "they close in good order", read };

#[derive(Debug)]
struct Disconnect(Option<Vec<usize>>);

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    Some(Box::new(Disconnect(names.clients(section, mistakes))))
}

impl Step for Disconnect {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        for client in rehearsal.connected_of(self.0.as_deref(), "disconnect") {
            rehearsal.world.clients[client].connected = false;
            rehearsal.push(plan::Step::Disconnect { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
