//! Widening the cutover cohort by cohort: whether the next cohort may follow, from snapshots of the service's own
//! measurements, from the bundles of earlier checks, and from the record of the stage before.
//!
//! What is missing, old or of something else is never taken for success: it holds the rollout.

mod facts;
mod judge;
mod moment;
mod snapshot;
#[cfg(test)]
mod tests;

pub use facts::{Named, RolloutFacts};
pub use judge::{Evidence, Found, Input, Previous, Word, judge, word};
pub use moment::Moment;
pub use snapshot::{Metric, SLO_SCHEMA, Snapshot};

/// The environments, in the order in which a module goes through them.
const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// The environment from which a module comes to this one.
pub fn environment_before(name: &str) -> Option<&'static str> {
    let at = ENVIRONMENTS.iter().position(|environment| *environment == name)?;
    ENVIRONMENTS.get(at.checked_sub(1)?).copied()
}
