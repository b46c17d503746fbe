//! Draws whole scenarios: streams, clients, steps, faults and toxics. Edges and rare combinations are favoured, and what
//! was covered less is drawn more often.
//!
//! A drawn scenario is the text of a scenario file. The ordinary reader and rehearsal decide whether it is possible, and
//! say what its lanes must show. The same seed, index, coverage and lanes give the same text.
#![allow(missing_docs, reason = "the names say it")]

mod cast;
mod coverage;
mod dice;
mod faults;
mod mend;
mod moves;
mod sketch;
mod toxics;
mod words;

#[cfg(test)]
mod tests;

pub use coverage::Coverage;

use std::collections::BTreeMap;

use crate::gate::fit::Means;
use crate::ids::{LaneId, Seed};
use crate::scenario::{Chance, Scenario, stock};
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
    let name = name_of(index);
    let mut dice = Dice::new(Chance::new(seed, &name), coverage);
    let room = Room::of(lanes);
    let (mut best, mut refused, mut rivals): (Option<DrawnScenario>, u32, u32) = (None, 0, 0);
    // Most sketches are possible, so this ends soon.
    loop {
        match mend::mended(&name, Sketch::draw(&mut dice, room)) {
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

/// The drawn scenarios of a run, each steered by the built-in ones and by those before it.
pub fn draws(seed: Seed, count: u32, lanes: &BTreeMap<LaneId, Means>) -> Vec<DrawnScenario> {
    let mut coverage = Coverage::of_stock();
    let mut drawn = Vec::new();
    for index in 1..=count {
        let next = draw(seed, index, &coverage, lanes);
        coverage.note_text(&next.text);
        drawn.push(next);
    }
    drawn
}

pub fn name_of(index: u32) -> String {
    format!("drawn-{index:02}")
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
