//! Compiles the byte toxics of a case. No chance is spent: whether a connection gets one is drawn where it opens.

use super::super::script::Case;
use super::faults::client;
use crate::ids::FaultId;
use crate::plan::PlannedToxic;

/// The toxics, in the order of the script's.
pub(super) fn toxics(case: &Case) -> impl Iterator<Item = PlannedToxic> + '_ {
    case.toxics.iter().map(|toxic| PlannedToxic {
        id: FaultId::new(&toxic.name),
        lane: toxic.lane,
        client: client(case, toxic.target),
        stream: toxic.stream,
        toxicity: toxic.toxicity,
        toxic: toxic.toxic.clone(),
    })
}
