//! `disconnect`: clients close in good order.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "disconnect",
    keys: &["clients"],
    what: "they close in good order",
    read: |section, names, mistakes| Some(Box::new(Disconnect(names.clients(section, mistakes)))),
};

#[derive(Debug)]
struct Disconnect(Option<Vec<usize>>);

impl Step for Disconnect {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        for client in rehearsal.connected_of(self.0.as_deref(), "disconnect") {
            rehearsal.world.clients[client].connected = false;
            rehearsal.push(plan::Step::Disconnect { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
