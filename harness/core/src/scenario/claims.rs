//! Whether the script of a scenario has what its claims need: a row of the matrix that it can't let a lane see is
//! refused in the file, not after the run.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::errors::Mistakes;
use super::faults::Target;
use super::read::At;
use super::script::Case;
use super::world::World;
use crate::ids::LaneId;
use crate::matrix::{self, Part};
use crate::plan::BRIDGE;
use crate::plan::fault::spec::Effect;

pub(super) type Parts = BTreeMap<LaneId, BTreeSet<Part>>;

/// Notes every claim that the script can't earn on each lane.
pub(super) fn check(draft: &Draft, earned: &Parts, mistakes: &mut Mistakes) {
    for At { value: name, at } in &draft.proves {
        let Some(row) = matrix::row(name) else { continue };
        let shown_by_one = row.is_of_one_lane() && earned.values().any(|parts| row.is_seen(parts));
        let blind = earned.iter().find(|(_, parts)| !shown_by_one && !row.is_seen(parts));
        if let Some((lane, _)) = blind {
            let parts: Vec<_> = row.parts.iter().map(|part| part.says()).collect();
            let what =
                format!("the script can't prove `{name}`: nothing in it lets the {lane} lane see any part of it");
            let hint = format!("leave the row out, or have the script bring one of: {}", parts.join("; "));
            mistakes.whole(*at, what, hint);
        }
    }
}

/// Notes what the faults and toxics of a case let each lane see.
pub(super) fn earn(world: &mut World<'_>, case: &Case) {
    for fault in &case.faults {
        let ends = fault.spec.does(Effect::Ends) || fault.spec.leaves_gap();
        match fault.target {
            Target::Writer if ends => world.earn(fault.lane, [Part::LostAnswer]),
            Target::Writer => {}
            Target::Client(_) if fault.spec.does(Effect::Repeats) => world.earn(fault.lane, [Part::RepeatedFrame]),
            Target::Client(client) => {
                if fault.spec.does(Effect::MovesCursor) {
                    world.earn(fault.lane, [Part::OverlappingReplay]);
                }
                world.comes_back(fault.lane, client);
            }
        }
    }
    let of_clients = case.toxics.iter().filter(|toxic| toxic.client.as_str() != BRIDGE);
    for toxic in of_clients.filter(|toxic| toxic.toxic.spec().ends) {
        match world.client_ids.iter().position(|client| *client == toxic.client) {
            Some(client) => world.comes_back(toxic.lane, client),
            None => world.earn(toxic.lane, [Part::LostAnswer]),
        }
    }
}
