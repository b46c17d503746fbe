//! Compiles the byte toxics of a case. No chance is spent: whether a connection gets one is drawn where it opens.

use crate::ids::{ClientId, FaultId};
use crate::plan::{PlannedToxic, WRITER};
use crate::scenario::script::{Case, Toxic, Victim};

/// The toxics, in the order of the script's.
pub(super) fn toxics(case: &Case) -> impl Iterator<Item = PlannedToxic> + '_ {
    case.toxics.iter().map(|toxic| planned(case, toxic))
}

fn planned(case: &Case, toxic: &Toxic) -> PlannedToxic {
    let client = match toxic.victim {
        Victim::Client(client) => &case.clients[client].name,
        Victim::Writer => WRITER,
    };
    PlannedToxic {
        id: FaultId::new(&toxic.name),
        lane: toxic.lane,
        client: ClientId::new(client),
        stream: toxic.stream,
        toxicity: toxic.toxicity,
        toxic: toxic.toxic.clone(),
    }
}
