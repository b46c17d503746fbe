//! Which parts of the rows about times a lane's history shows.

use std::collections::BTreeSet;

use super::latency::latency;
use super::measured::samples;
use super::recovery::recovery;
use crate::history::{History, Record};
use crate::matrix::Part;
use crate::plan::Plan;
use crate::stats::Quantile;

/// The microseconds that a record measures.
type Us = fn(&Record) -> Option<u64>;

pub(super) fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    let measured: [(Part, Us); 2] = [(Part::DeliveriesTimed, latency), (Part::RecoveriesTimed, recovery)];
    let shown = measured
        .into_iter()
        .filter(|(_, us)| plan.takes_turns() && samples(history, us).len() >= Quantile::P95.least());
    shown.map(|(part, _)| part).collect()
}
