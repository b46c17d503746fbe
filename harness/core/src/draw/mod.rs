//! Draws whole scenarios: streams, clients, steps, faults and toxics. Edges and rare combinations are favoured, and
//! what was covered less is drawn more often.
//!
//! A drawn scenario is the text of a scenario file. The ordinary reader and rehearsal decide whether it is possible,
//! and say what its lanes must show. The same seed, index, coverage and lanes give the same text.
#![allow(missing_docs, reason = "the names say it")]

mod cast;
mod coverage;
mod dice;
mod faults;
mod mend;
mod moves;
mod operator;
mod script;
mod seen;
mod sketch;
mod toxics;
mod words;

#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Group};

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::gate::drawn_name;
use crate::gate::fit::Means;
use crate::ids::{LaneId, Seed};
use crate::scenario::{Scenario, stock};
use dice::Dice;
use sketch::{Room, Sketch};

/// How many sketches compete for each drawn scenario. The one with the rarest words is taken.
const RIVALS: u32 = 3;

#[derive(Debug, Clone)]
pub struct DrawnScenario {
    /// `drawn-` and its index.
    pub name: String,
    /// The scenario file.
    pub text: String,
    pub scenario: Scenario,
    /// How many sketches the rehearsal refused before.
    pub refused: u32,
    /// How many lines were left out because the rehearsal refused them.
    pub mended: u32,
}

/// Draws one scenario that these lanes can be put through.
pub fn draw(seed: Seed, index: u32, coverage: &Coverage, lanes: &BTreeMap<LaneId, Means>) -> DrawnScenario {
    let name = drawn_name(index);
    let mut dice = Dice::new(Chance::new(seed, &name), coverage);
    let room = Room::of(lanes);
    let (mut best, mut refused, mut rivals): (Option<DrawnScenario>, u32, u32) = (None, 0, 0);
    // Most sketches are possible, so this ends soon.
    loop {
        match mend::mended(&name, sketch(&mut dice, room)) {
            None => refused += 1,
            Some(drawn) => {
                rivals += 1;
                let rarer = |best: &DrawnScenario| coverage.rarity(&drawn.text) > coverage.rarity(&best.text);
                if best.as_ref().is_none_or(rarer) {
                    best = Some(drawn);
                }
            }
        }
        if rivals >= RIVALS
            && let Some(best) = best.take()
        {
            return DrawnScenario { refused, ..best };
        }
    }
}

fn sketch(dice: &mut Dice<'_>, room: Room) -> Sketch {
    let streams = cast::streams(dice, room);
    let clients = cast::clients(dice, &streams);
    let mut sketch = Sketch { streams, clients, ..Sketch::default() };
    moves::draw(&mut sketch, dice, room);
    if !sketch.servers && dice.one_in(3) {
        toxics::from_the_start(&mut sketch, dice);
    }
    faults::draw(&mut sketch, dice);
    sketch
}

/// The drawn scenarios of a run, each steered by the built-in ones and by those before it. `aa` is the lane that runs
/// against itself.
pub fn draws(seed: Seed, count: u32, lanes: &BTreeMap<LaneId, Means>, aa: Option<LaneId>) -> Vec<DrawnScenario> {
    let lanes = &roles(lanes, aa);
    let mut coverage = Coverage::of_stock();
    let mut drawn = Vec::new();
    for index in 1..=count {
        let next = draw(seed, index, &coverage, lanes);
        coverage.note_text(&next.text);
        drawn.push(next);
    }
    drawn
}

/// What each role's server leaves room for.
fn roles(lanes: &BTreeMap<LaneId, Means>, aa: Option<LaneId>) -> BTreeMap<LaneId, Means> {
    let means = |role: LaneId| {
        let lane = aa.unwrap_or(role);
        let means = lanes.get(&lane)?;
        Some((role, Means { protocol: Some(means.protocol(lane)), ..means.clone() }))
    };
    LaneId::BOTH.into_iter().filter_map(means).collect()
}

/// Where the file of a drawn scenario would be, for messages.
pub fn path_of(name: &str) -> String {
    format!("drawn/{name}.toml")
}

impl Coverage {
    /// The coverage of the honest built-in scenarios.
    pub fn of_stock() -> Coverage {
        let mut coverage = Coverage::default();
        for (path, text) in stock() {
            if !path.contains("/known-bad/") {
                coverage.note_text(text);
            }
        }
        coverage
    }
}
