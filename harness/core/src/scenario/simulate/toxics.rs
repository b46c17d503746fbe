//! Resolves the byte toxics of one case, and finds those that keep a client from what the script waits for.

use super::super::cast::Client;
use super::super::errors::{Mistakes, did_you_mean};
use super::super::faults::{ToxicDraft, applies, targets};
use super::super::read::At;
use super::super::script::client_id;
use super::world::World;
use crate::ids::FaultId;
use crate::plan::{ByteToxic, Direction, PlannedToxic};

/// A client or writer that may send less on a connection, in bytes, never gets as far as to be subscribed or answered.
const TOO_LITTLE_BYTES: i64 = 2_048;
/// How long a client waits for an answer before it takes the connection for dead, in milliseconds.
const PATIENCE_MS: i64 = 2_000;

/// Every toxic, with the index of its entry in the file.
pub(super) fn toxics(world: &World<'_>, clients: &[Client], mistakes: &mut Mistakes) -> Vec<(usize, PlannedToxic)> {
    let mut all = Vec::new();
    for (index, entry) in world.draft.toxics.iter().enumerate() {
        let toxic = &entry.value;
        let targets = targets(toxic.clients.as_ref());
        for target in &targets {
            let planned = PlannedToxic {
                id: FaultId::new(super::name_of(world, &toxic.name, *target, targets.len() > 1, None)),
                lane: toxic.lane,
                client: client_id(clients, *target),
                stream: toxic.stream,
                toxicity: toxic.toxicity,
                toxic: toxic.toxic.clone(),
            };
            all.push((index, planned));
        }
    }
    patience(world, mistakes);
    all
}

/// The index of the toxic of this name.
pub(in crate::scenario) fn named(world: &World<'_>, name: &At<String>, mistakes: &mut Mistakes) -> Option<usize> {
    let toxics = &world.draft.toxics;
    let found = toxics.iter().position(|toxic| toxic.value.name == name.value);
    if found.is_none() && world.draft.faults_whole {
        let known: Vec<_> = toxics.iter().map(|toxic| toxic.value.name.as_str()).collect();
        let what = format!("no toxic is called `{}`", name.value);
        mistakes.once(name.at, what, did_you_mean(&name.value, &known));
    }
    found
}

/// A toxic that is on and keeps this client, or the writer, from getting anything done on any connection.
pub(in crate::scenario) fn blocking<'w>(world: &'w World<'_>, client: Option<usize>) -> Option<&'w str> {
    let on = world.draft.toxics.iter().zip(&world.armed).filter(|(_, armed)| **armed);
    let mut on = on.map(|(toxic, _)| &toxic.value);
    on.find(|toxic| applies(toxic.clients.as_ref(), client) && toxic.toxicity >= 1.0 && blocks(toxic))
        .map(|toxic| toxic.name.as_str())
}

fn blocks(toxic: &ToxicDraft) -> bool {
    match &toxic.toxic {
        // The first data that comes is lost to a reset as well, however long after it the reset comes.
        ByteToxic::Timeout { .. } | ByteToxic::ResetPeer { .. } => true,
        // How much a service says to a client that joins depends on all that it holds, so that no number is enough.
        ByteToxic::LimitData { .. } if toxic.clients.is_some() && toxic.stream == Direction::Downstream => true,
        ByteToxic::LimitData { bytes } => *bytes < TOO_LITTLE_BYTES,
        _ => false,
    }
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
