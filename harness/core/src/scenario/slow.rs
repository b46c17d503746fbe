//! What a script lets a lane show of clients that read too slowly.

use super::faults::{ToxicDraft, applies};
use super::world::World;
use crate::ids::LaneId;
use crate::matrix::Part;
use crate::plan::Reading;

/// The legacy lane queues 64 topics for a client, and drops it at the third one that finds the queue full.
const TOPICS: usize = 64 + 3;
/// SpacetimeDB queues 16,384 messages for a client, behind what the buffers of the sockets hold.
const EVENTS: usize = 17_000;

/// Notes what each lane can see while a toxic keeps a client from reading.
pub(super) fn earn(world: &mut World<'_>) {
    for spell in spells(world) {
        for client in 0..world.clients.len() {
            let toxic = &world.draft.toxics[spell.toxic].value;
            if applies(toxic.clients.as_ref(), Some(client)) {
                of_client(world, &spell, client);
            }
        }
    }
}

/// The steps between which a client reads too slowly.
struct Spell {
    toxic: usize,
    reading: Reading,
    from: usize,
    to: usize,
}

impl Spell {
    fn has(&self, step: usize) -> bool {
        self.from < step && step < self.to
    }
}

fn spells(world: &World<'_>) -> Vec<Spell> {
    let begins = world.switched.iter().filter(|(.., on)| *on);
    let spell = |(from, toxic, _): &(usize, usize, bool)| {
        let ends = |(step, other, on): &&(usize, usize, bool)| other == toxic && !on && step > from;
        let to = world.switched.iter().find(ends).map_or(usize::MAX, |(step, ..)| *step);
        let reading = world.draft.toxics[*toxic].value.reading()?;
        Some(Spell { toxic: *toxic, reading, from: *from, to })
    };
    begins.filter_map(spell).collect()
}

fn of_client(world: &mut World<'_>, spell: &Spell, client: usize) {
    let lanes = world.draft.toxics[spell.toxic].value.lane;
    let within = |stream: usize| world.published_at[stream].iter().filter(|step| spell.has(**step)).count();
    let events: Vec<_> = world.draft.clients[client].value.streams.iter().map(|stream| within(*stream)).collect();
    let (topics, events) = (events.iter().filter(|events| **events > 0).count(), events.iter().sum::<usize>());
    let on = |lane: LaneId| lanes.is_none_or(|only| only == lane);
    if topics >= TOPICS && on(LaneId::Legacy) {
        dropped(world, LaneId::Legacy, client);
        world.earn(Some(LaneId::Legacy), [Part::SlowThrottled]);
    }
    if events >= EVENTS && spell.reading == Reading::Nothing && on(LaneId::Candidate) {
        dropped(world, LaneId::Candidate, client);
    }
    let crashes = world.crashed.iter().any(|(step, who)| *who == client && spell.has(*step));
    if crashes && world.clients[client].connected && events > 0 {
        world.earn(lanes, [Part::SlowRecovered]);
    }
    if events > 0 && (0..world.clients.len()).any(|other| is_on_time(world, spell, other)) {
        world.earn(lanes, [Part::OthersOnTime]);
    }
}

fn dropped(world: &mut World<'_>, lane: LaneId, client: usize) {
    world.comes_back(Some(lane), client);
    world.earn(Some(lane), [Part::SlowDropped, Part::SlowRecovered]);
}

/// Whether the script awaits a client without toxics of its own for what is published in the spell.
fn is_on_time(world: &World<'_>, spell: &Spell, client: usize) -> bool {
    let hindered = |toxic: &ToxicDraft| applies(toxic.clients.as_ref(), Some(client));
    if world.draft.toxics.iter().any(|toxic| hindered(&toxic.value)) || world.faults_of(client).next().is_some() {
        return false;
    }
    let streams = world.draft.clients[client].value.streams.iter();
    let mut published = streams.flat_map(|stream| &world.published_at[*stream]).filter(|step| spell.has(**step));
    let awaits = |step: &usize| {
        let mut awaited = world.awaited.iter();
        awaited.any(|(at, clients)| step < at && spell.has(*at) && clients.contains(&client))
    };
    published.any(awaits)
}
