//! A decision about the next cohort, as the checks of a record: *go* is passed, *hold* is unknown, and *roll back* is
//! failed.

use super::{Check, Decision, Facts};
use crate::rollout::{Found, RolloutFacts, Word};

pub const COMMAND: &str = "rollout";

/// The checks that follow from the facts of a decision.
pub fn checks(facts: &Facts) -> Vec<Check> {
    match serde_json::from_value::<RolloutFacts>(facts.clone().into()) {
        Ok(facts) => facts.judge().into_iter().map(check).collect(),
        Err(error) => {
            vec![Check::unknown("facts", format!("they are not those of a rollout: {error}"), "decide again")]
        }
    }
}

fn check(found: Found) -> Check {
    let Found { name, word, saw, mend } = found;
    match word {
        Word::Go => Check::passed(&name, saw),
        Word::Hold => Check::unknown(&name, saw, mend),
        Word::RollBack => Check::failed(&name, saw, mend),
    }
}

/// What a decision of a record is called in a rollout.
pub fn word(decision: Decision) -> Word {
    match decision {
        Decision::Passed => Word::Go,
        Decision::Unknown => Word::Hold,
        Decision::Failed => Word::RollBack,
    }
}
