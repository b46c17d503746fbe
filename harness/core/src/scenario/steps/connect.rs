//! `connect`: clients connect and subscribe from their checkpoints.

use super::prelude::*;
use super::publish::PACES;
use crate::matrix::Part;

pub(super) const KIND: StepKind = StepKind {
    name: "connect",
    keys: &["clients", "pace"],
    what: "they connect and subscribe from their checkpoints; all that are not connected where `clients` is left out. \
           With `pace = \"burst\"`, the script goes on before they are subscribed, so that what follows meets their \
           replay. They may so connect while a server is down, and are subscribed once it is back",
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
        if !self.at_once {
            rehearsal.needs_servers("connecting");
        }
        let draft = rehearsal.world.draft;
        let refused = |client: usize| draft.clients[client].value.refused;
        let clients = rehearsal.world.clients.iter().enumerate();
        let away = clients.filter(|(index, client)| !(client.connected || client.ever && refused(*index).is_some()));
        let away: Vec<_> = away.map(|(index, _)| index).collect();
        if self.clients.is_none() && away.is_empty() {
            rehearsal.refuse("every client is connected already", None);
        }
        for &client in self.clients.as_ref().unwrap_or(&away) {
            if let Some(why) = keeps_away(rehearsal, client) {
                rehearsal.refuse(format!("`{}` {why}", rehearsal.client_name(client)), None);
                continue;
            }
            rehearsal.needs_progress(&[Some(client)]);
            if draft.clients[client].value.join.is_some() {
                rehearsal.world.earn(None, Part::joined(refused(client), draft.window.is_some()));
            }
            if refused(client).is_some() {
                rehearsal.needs_servers("connecting a client that is refused");
                rehearsal.world.clients[client].ever = true;
            } else {
                // How much it resumes depends on timing.
                rehearsal.world.clients[client].blurred |= self.at_once;
                rehearsal.world.connect(client);
            }
            let client = rehearsal.world.client_ids[client].clone();
            rehearsal.push(plan::Step::Connect { client, at_once: self.at_once });
        }
    }
}

fn keeps_away(rehearsal: &Rehearsal<'_, '_>, client: usize) -> Option<&'static str> {
    let state = &rehearsal.world.clients[client];
    if state.connected {
        return Some("is connected already");
    }
    let refused = rehearsal.world.draft.clients[client].value.refused.is_some();
    (refused && state.ever).then_some("was refused, and does not try again")
}
