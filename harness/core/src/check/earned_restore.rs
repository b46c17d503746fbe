//! Which parts of the row about restores a lane's history shows.

use std::collections::BTreeSet;

use super::restore::{Drill, drills, is_brought_back, lost};
use crate::history::History;
use crate::matrix::Part;
use crate::plan::{Damage, Plan};

pub(super) fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    drills(plan, history.header.lane, &history.records).iter().flat_map(parts).collect()
}

fn parts(drill: &Drill<'_>) -> Vec<Part> {
    let (Some((_, backup)), Some((_, restored))) = (drill.backup, drill.restored) else { return Vec::new() };
    let loses = restored.refused.is_some() || lost(backup, restored).next().is_some();
    // Only a backup during which events were acknowledged was taken while writing.
    let hot = backup.begun != backup.ended;
    let damage = drill.plan.told();
    let is_shown = match damage {
        None => !loses && restored.files.is_empty(),
        Some(_) => loses && !restored.files.is_empty(),
    };
    let mut parts: Vec<_> = is_shown.then(|| Damage::shows(damage, hot)).into_iter().collect();
    let clients = drill.rejoined.iter().flat_map(|(_, rejoined)| &rejoined.clients);
    let told = clients.filter(|client| client.told && client.from.0 > restored.head_of(&client.stream));
    parts.extend(told.filter(|client| is_brought_back(client, client.ended.0)).map(|_| Part::RestoredBelowCursor));
    parts
}
