//! Resolves the byte toxics of one case, and refuses those that delay answers for too long.

use super::super::cast::Client;
use super::super::errors::Mistakes;
use super::super::faults::{ToxicDraft, applies, targets};
use super::super::script::client_id;
use super::super::world::World;
use crate::ids::{ClientId, FaultId};
use crate::plan::{BRIDGE, ByteToxic, PlannedToxic};

/// How long a client waits for an answer before it takes the connection for dead, in milliseconds.
const PATIENCE_MS: i64 = 2_000;

pub(super) fn toxics(world: &World<'_>, clients: &[Client], mistakes: &mut Mistakes) -> Vec<(usize, PlannedToxic)> {
    let mut all = Vec::new();
    for (index, entry) in world.draft.toxics.iter().enumerate() {
        let toxic = &entry.value;
        let planned = |id: String, client| PlannedToxic {
            id: FaultId::new(id),
            lane: toxic.lane,
            client,
            stream: toxic.stream,
            toxicity: toxic.toxicity,
            toxic: toxic.toxic.clone(),
        };
        let targets = targets(toxic.clients.as_ref());
        for target in &targets {
            let id = super::name_of(world, &toxic.name, *target, targets.len() > 1, None);
            all.push((index, planned(id, client_id(clients, *target))));
        }
        if toxic.of_bridge {
            all.push((index, planned(toxic.name.clone(), ClientId::new(BRIDGE))));
        }
    }
    patience(world, mistakes);
    all
}

/// Notes delays that add up to more than a client waits for an answer.
fn patience(world: &World<'_>, mistakes: &mut Mistakes) {
    let delay = |toxic: &ToxicDraft| match toxic.toxic {
        ByteToxic::Latency { latency, jitter } => latency + jitter,
        _ => 0,
    };
    let clients = (0..world.clients.len()).map(Some).chain([None]);
    for client in clients {
        let mine = world.draft.toxics.iter().filter(|toxic| applies(toxic.value.clients.as_ref(), client));
        let (mut sum, mut last) = (0, 0);
        for toxic in mine {
            sum += delay(&toxic.value);
            last = toxic.at;
        }
        if sum >= PATIENCE_MS {
            let who = client.map_or("writer", |client| &world.draft.clients[client].value.name);
            let what = format!("answers may reach `{who}` {sum} ms late, and it waits for {PATIENCE_MS} ms");
            mistakes.once(last, what, "give less latency and jitter in all".to_owned());
        }
    }
}
