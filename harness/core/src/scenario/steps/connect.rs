//! `connect`: clients connect and subscribe from their checkpoints.

use super::prelude::*;
use super::publish::PACES;

pub(super) const KIND: StepKind = StepKind {
    name: "connect",
    keys: &["clients", "pace"],
    what: "they connect and subscribe from their checkpoints; all that are not connected where `clients` is left out. \
           With `pace = \"burst\"`, the script goes on before they are subscribed, so that what follows meets their \
           replay",
    read: |section, names, mistakes| {
        let clients = names.clients(section, mistakes);
        let lockstep = section.word("pace", PACES, mistakes).unwrap_or(true);
        Some(Box::new(Connect { clients, at_once: !lockstep }))
    },
};

#[derive(Debug)]
struct Connect {
    clients: Option<Vec<usize>>,
    at_once: bool,
}

impl Step for Connect {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("connecting");
        let clients = rehearsal.world.clients.iter().enumerate();
        let away: Vec<_> = clients.filter(|(_, client)| !client.connected).map(|(index, _)| index).collect();
        if self.clients.is_none() && away.is_empty() {
            rehearsal.refuse("every client is connected already", None);
        }
        for &client in self.clients.as_ref().unwrap_or(&away) {
            if rehearsal.world.clients[client].connected {
                rehearsal.refuse(format!("`{}` is connected already", rehearsal.client_name(client)), None);
                continue;
            }
            rehearsal.needs_progress(&[Some(client)]);
            // How much it resumes depends on timing.
            rehearsal.world.clients[client].blurred |= self.at_once;
            rehearsal.world.connect(client);
            let client = rehearsal.world.client_ids[client].clone();
            rehearsal.push(plan::Step::Connect { client, at_once: self.at_once });
        }
    }
}
