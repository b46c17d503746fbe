//! What a lane saw of a plan, as the `vacuity` checker counted it, and the ledger of its faults. Nothing is judged
//! here.

use std::collections::BTreeMap;

use super::judged::{LedgerEntry, Seen};
use crate::check::{Report, unplanned_end};
use crate::history::{History, Record};
use crate::ids::{FaultId, LaneId};
use crate::plan::Plan;

/// What a lane saw; zeros where the checker that counts panicked.
pub fn seen(reports: &[Report], lane: LaneId) -> Seen {
    let counted = |checker: &str, what: &str| {
        let report = reports.iter().find(|report| report.checker == checker);
        report.and_then(|report| report.counted.get(what)).copied().unwrap_or(0)
    };
    let count = |what: &str| counted("vacuity", &format!("{lane} {what}"));
    Seen {
        deliveries: count("deliveries"),
        resumes: count("resumes"),
        refusals: count("refusals"),
        duplicates: count("duplicates"),
        faults: count("faults"),
        unplanned_ends: counted("unplanned-end", &unplanned_end::ends_of(lane)),
        unplanned_silences: counted("unplanned-end", &unplanned_end::silences_of(lane)),
    }
}

/// The ledger of a lane: each planned fault and each toxic that applies to it, in the plan's order, and how often it
/// fired.
pub fn ledger(plan: &Plan, lane: LaneId, history: &History) -> Vec<LedgerEntry> {
    let mut fired = BTreeMap::<&FaultId, (u64, &str)>::new();
    for record in &history.records {
        if let Record::Fault { fault, fire, .. } = record {
            fired.entry(fault).or_insert((0, &fire.hit)).0 += 1;
        }
    }
    let faults = plan.faults.iter().filter(|fault| fault.applies_to(lane));
    let toxics = plan.toxics.iter().filter(|toxic| toxic.applies_to(lane));
    let planned = faults.map(|fault| (&fault.id, &fault.client));
    let planned = planned.chain(toxics.map(|toxic| (&toxic.id, &toxic.client)));
    let entries = planned.map(|(fault, client)| {
        let fires = fired.get(fault);
        LedgerEntry {
            fault: fault.clone(),
            lane,
            client: client.clone(),
            fired: fires.map_or(0, |(count, _)| *count),
            hit: fires.map(|(_, hit)| (*hit).to_owned()),
        }
    });
    entries.collect()
}
