//! What a lane saw of a plan, as the `vacuity` checker counted it, and the ledger of its faults. Nothing is judged
//! here.

use std::collections::BTreeMap;

use super::judged::{LedgerEntry, Seen};
use crate::check::{CheckInput, Report, unplanned_end};
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

/// How many different messages of a lane are named. A broken lane may send any number of them.
const PASSED_OVER_MAX: usize = 16;

/// What clients of each lane passed over, as the lane's session named it.
pub fn passed_over(input: &CheckInput<'_>) -> BTreeMap<LaneId, BTreeMap<String, u64>> {
    let of_lane = |lane: LaneId| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for record in &input.history(lane).records {
            let Record::Ignored { what, .. } = record else { continue };
            let is_named = counts.contains_key(what) || counts.len() < PASSED_OVER_MAX;
            let named = if is_named { what.as_str() } else { "other messages" };
            *counts.entry(named.to_owned()).or_default() += 1;
        }
        (!counts.is_empty()).then_some((lane, counts))
    };
    input.lanes().iter().filter_map(|lane| of_lane(*lane)).collect()
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
