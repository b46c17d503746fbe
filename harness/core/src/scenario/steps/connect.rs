//! `connect`: clients connect and subscribe from their checkpoints.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "connect",
    keys: &["clients"],
    what: "they connect and subscribe from their checkpoints; all that are not connected where `clients` is left out",
    read: |section, names, mistakes| Some(Box::new(Connect(names.clients(section, mistakes)))),
};

#[derive(Debug)]
struct Connect(Option<Vec<usize>>);

impl Step for Connect {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("connecting");
        let clients = rehearsal.world.clients.iter().enumerate();
        let away: Vec<_> = clients.filter(|(_, client)| !client.connected).map(|(index, _)| index).collect();
        if self.0.is_none() && away.is_empty() {
            rehearsal.refuse("every client is connected already", None);
        }
        for &client in self.0.as_ref().unwrap_or(&away) {
            if rehearsal.world.clients[client].connected {
                rehearsal.refuse(format!("`{}` is connected already", rehearsal.client_name(client)), None);
                continue;
            }
            rehearsal.needs_progress(&[Some(client)]);
            rehearsal.world.connect(client);
            rehearsal.push(plan::Step::Connect { client: rehearsal.world.client_ids[client].clone() });
        }
    }
}
