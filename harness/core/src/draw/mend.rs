//! Reads a sketch with the ordinary reader, leaves out the lines that the rehearsal refuses, and asks for what the
//! rehearsal says that lanes must show.

use super::sketch::Sketch;
use super::{DrawnScenario, path_of};
use crate::scenario::{AtLeast, Scenario};

/// How often lines are left out before a sketch is given up.
const ROUNDS: u32 = 6;

pub(super) fn mended(name: &str, mut sketch: Sketch) -> Option<DrawnScenario> {
    let path = path_of(name);
    let little = AtLeast { deliveries: 1, ..AtLeast::default() };
    let mut mended = 0;
    for _ in 0..ROUNDS {
        let errors = match Scenario::parse(&path, &sketch.text(name, &little)) {
            Ok(scenario) => {
                let text = sketch.text(name, &sketch.asks(&scenario));
                let scenario = Scenario::parse(&path, &text).ok()?;
                return Some(DrawnScenario { name: name.to_owned(), text, scenario, refused: 0, mended });
            }
            Err(errors) => errors.errors,
        };
        let before = mended;
        let mut lines: Vec<usize> = errors.into_iter().map(|error| error.line).collect();
        lines.dedup();
        for line in lines.into_iter().rev() {
            if sketch.leave_out(line) {
                mended += 1;
            }
        }
        if mended == before {
            return None;
        }
    }
    None
}
