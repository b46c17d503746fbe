//! A rehearsed scenario, case by case: all names are resolved, and only what the seed decides is open.

use std::collections::BTreeMap;

use super::cast::{Client, Stream};
use super::compile::planner::Act;
use super::faults::{Fault, Target};
use crate::ids::{ClientId, FaultId, LaneId};
use crate::plan::{PlannedToxic, WRITER};

/// One lane, or both where `None`.
pub(super) type Lanes = Option<LaneId>;

/// One case: the whole script, or the script for one position where the scenario is expanded.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `main`, or what the case was expanded for.
    pub(crate) name: String,
    pub(crate) streams: Vec<Stream>,
    pub(crate) clients: Vec<Client>,
    pub(super) acts: Vec<Act>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) toxics: Vec<PlannedToxic>,
    /// What each fault and toxic of the file became in this case, by its name there.
    pub(super) fault_ids: BTreeMap<String, Vec<FaultId>>,
    /// How many events its clients apply where nothing goes wrong.
    pub(crate) deliveries: u64,
}

pub(super) fn client_id(clients: &[Client], target: Target) -> ClientId {
    ClientId::new(match target {
        Target::Client(client) => &clients[client].name,
        Target::Writer => WRITER,
    })
}

/// A backup: the heads when it began, and when it was whole.
#[derive(Debug, Clone)]
pub(super) struct Backup {
    pub(super) name: String,
    pub(super) begun: Vec<u64>,
    pub(super) ended: Vec<u64>,
}
