//! `crash`: clients lose their connection and their memory.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "crash",
    keys: &["clients"],
    what: "they crash; when they connect again, they resume from the checkpoint on disk",
    read: |section, names, mistakes| Some(Box::new(Crash(names.clients(section, mistakes)))),
};

#[derive(Debug)]
struct Crash(Option<Vec<usize>>);

impl Step for Crash {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        for client in rehearsal.connected_of(self.0.as_deref(), "crash") {
            rehearsal.world.clients[client].connected = false;
            rehearsal.world.clients[client].died = true;
            rehearsal.world.crashed.push((rehearsal.index, client));
            rehearsal.push(plan::Step::Crash { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
