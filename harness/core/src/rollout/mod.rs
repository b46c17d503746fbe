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
