//! `await`: waits until clients have applied every acknowledged event.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "await",
    keys: &["clients"],
    what: "until each has applied every acknowledged event",
    read: |section, names, mistakes| Some(Box::new(Await(names.clients(section, mistakes)))),
};

#[derive(Debug)]
struct Await(Option<Vec<usize>>);

impl Step for Await {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("waiting for clients");
        let connected = rehearsal.connected();
        if self.0.is_none() && connected.is_empty() {
            rehearsal.refuse("no client is connected, so there is nobody to wait for", None);
        }
        let clients = self.0.as_ref().unwrap_or(&connected);
        for client in clients.iter().filter(|client| !connected.contains(client)) {
            let what = format!("`{}` is not connected, so it would never catch up", rehearsal.client_name(*client));
            rehearsal.refuse(what, "connect it first, or leave it out");
        }
        let waiting: Vec<_> = clients.iter().copied().map(Some).collect();
        rehearsal.needs_progress(&waiting);
        rehearsal.world.awaited.push((rehearsal.index, clients.clone()));
        let clients = clients.iter().map(|client| rehearsal.world.client_ids[*client].clone()).collect();
        rehearsal.push(plan::Step::AwaitCaughtUp { clients });
    }
}
