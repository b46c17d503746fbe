//! The scenarios that a run draws from its seed.

use std::collections::BTreeMap;

use cutover_core::draw::{draws, path_of};
use cutover_core::gate::fit::Means;
use cutover_core::gate::{DRAWN, drawn_name};
use cutover_core::ids::{LaneId, Seed};

use crate::args::{GateArgs, ScenarioArgs};
use crate::scenarios::{Source, is_chosen};

/// The index of a drawn scenario, by its name.
pub fn index(name: &str) -> Option<u32> {
    let index = name.strip_prefix("drawn-")?.parse().ok()?;
    (index > 0 && drawn_name(index) == name).then_some(index)
}

/// How many scenarios a run draws. A run of other scenarios than the built-in ones draws none, unless it is asked to.
pub fn count(args: &GateArgs) -> u32 {
    let usual = if args.scenarios.dir.is_some() { 0 } else { DRAWN };
    let named = args.scenarios.globs.iter().filter_map(|glob| index(glob)).max();
    args.drawn.unwrap_or_else(|| usual.max(named.unwrap_or(0)))
}

/// The names among so many that were chosen.
pub fn chosen(args: &ScenarioArgs, count: u32) -> Vec<String> {
    (1..=count).map(drawn_name).filter(|name| is_chosen(args, name)).collect()
}

/// The drawn scenarios of these names.
pub fn sources(seed: Seed, names: &[String], lanes: &BTreeMap<LaneId, Means>, aa: Option<LaneId>) -> Vec<Source> {
    let last = names.iter().filter_map(|name| index(name)).max().unwrap_or(0);
    let drawn = draws(seed, last, lanes, aa).into_iter().filter(|drawn| names.contains(&drawn.name));
    drawn.map(|drawn| Source { path: path_of(&drawn.name), scenario: drawn.scenario, text: drawn.text }).collect()
}
