//! Faults: one file for each, with its specification and its planned value. To add one, write such a file and give it a
//! line in [`FAULTS`]. A fault that does something new is a variant of [`FaultKind`] or [`Mutation`] as well.
//!
//! Faults are addressed by logical position and never by time, so that two protocols fail at the same point.

mod cut;
mod delay;
mod drain;
mod drop;
mod drop_event;
mod flood;
mod hold;
mod kind;
mod merge;
mod misdeliver;
mod position;
mod reorder;
mod repeat;
mod replace_payload;
mod rewrite_cursor;
pub mod rules;
mod set_column;
mod set_json;
pub mod spec;
mod split;
mod starve_heartbeats;
mod swap;
#[cfg(test)]
mod tests;

pub use kind::{Cut, FaultKind, Mutation, Release, When};
pub use position::{ALWAYS, FILTER, MessageFilter, MessageKind, ONCE, Position, Predicate, Scope};

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, FaultId, LaneId};
use spec::FaultSpec;

/// Every fault, in the order of the pages: those of the network, then the defects.
pub static FAULTS: &[&FaultSpec] = &[
    &cut::SPEC,
    &repeat::SPEC,
    &delay::SPEC,
    &hold::SPEC,
    &rewrite_cursor::SPEC,
    &drop::SPEC,
    &reorder::SPEC,
    &split::SPEC,
    &merge::SPEC,
    &drain::SPEC,
    &starve_heartbeats::SPEC,
    &drop_event::SPEC,
    &swap::SPEC,
    &flood::SPEC,
    &replace_payload::SPEC,
    &misdeliver::SPEC,
    &set_json::SPEC,
    &set_column::SPEC,
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// Its name in the ledger and in findings.
    pub id: FaultId,
    /// The lane that it applies to, or both where `None`.
    pub lane: Option<LaneId>,
    /// The client that it applies to, or [`super::WRITER`].
    pub client: ClientId,
    pub at: Position,
    pub kind: FaultKind,
    pub times: Times,
}

impl PlannedFault {
    pub fn applies_to(&self, lane: LaneId) -> bool {
        self.lane.is_none_or(|only| only == lane)
    }
}

impl FaultKind {
    /// The specification by which it was planned, or an equal one.
    pub fn spec(&self) -> &'static FaultSpec {
        match self {
            FaultKind::Cut { .. } => &cut::SPEC,
            FaultKind::Repeat { .. } => &repeat::SPEC,
            FaultKind::Delay { .. } => &delay::SPEC,
            FaultKind::Hold { .. } => &hold::SPEC,
            FaultKind::RewriteCursor { .. } => &rewrite_cursor::SPEC,
            FaultKind::Drop => &drop::SPEC,
            FaultKind::Reorder { .. } => &reorder::SPEC,
            FaultKind::Split { .. } => &split::SPEC,
            FaultKind::Merge { .. } => &merge::SPEC,
            FaultKind::Drain { .. } => &drain::SPEC,
            FaultKind::Mutate { .. } => &drop_event::SPEC,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    Once,
    Always,
}
