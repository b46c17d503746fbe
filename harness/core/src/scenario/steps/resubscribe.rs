//! `resubscribe`: clients unsubscribe and subscribe again without cursors, on the same connection.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "resubscribe",
    keys: &["clients"],
    what: "once each has applied every acknowledged event, they unsubscribe, give their cursors up, and subscribe \
           again on the same connection: all that is retained comes again",
    read: |section, names, mistakes| Some(Box::new(Resubscribe(names.clients(section, mistakes)))),
};

#[derive(Debug)]
struct Resubscribe(Option<Vec<usize>>);

impl Step for Resubscribe {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("subscribing");
        for client in rehearsal.connected_of(self.0.as_deref(), "resubscribe") {
            rehearsal.needs_progress(&[Some(client)]);
            rehearsal.world.resubscribe(client);
            rehearsal.push(plan::Step::Resubscribe { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
