//! What a lane saw of a plan, counted from its history, and the ledger of its faults. Only told, never judged: whether it
//! was enough is the `vacuity` checker's affair.

use std::collections::{BTreeMap, BTreeSet};

use super::judged::{LedgerEntry, Seen};
use crate::history::{History, Record, Verdict};
use crate::ids::{FaultId, LaneId, SubId};
use crate::plan::Plan;

/// Counts what a lane saw.
pub fn seen(history: &History) -> Seen {
    let mut seen = Seen::default();
    let mut resuming = BTreeSet::<(&str, SubId, &str)>::new();
    for record in &history.records {
        match record {
            Record::Delivered { verdict: Verdict::Applied, .. } => seen.deliveries += 1,
            Record::Delivered { verdict: Verdict::Duplicate, .. } => seen.duplicates += 1,
            Record::Subscribed { client, sub, stream, cursor: Some(_), .. } => {
                resuming.insert((client.as_str(), *sub, stream.as_str()));
            }
            Record::Accepted { client, sub, stream, .. } => {
                seen.resumes += u64::from(resuming.remove(&(client.as_str(), *sub, stream.as_str())));
            }
            Record::Refused { refusal, .. } if refusal.code == "stale_cursor" => seen.refusals += 1,
            Record::Fault { .. } => seen.faults += 1,
            _ => {}
        }
    }
    seen
}

/// The ledger of a lane: each planned fault that strikes it, in the plan's order, and how often it fired.
pub fn ledger(plan: &Plan, lane: LaneId, history: &History) -> Vec<LedgerEntry> {
    let mut fired = BTreeMap::<&FaultId, (u64, &str)>::new();
    for record in &history.records {
        if let Record::Fault { fault, fire, .. } = record {
            fired.entry(fault).or_insert((0, &fire.hit)).0 += 1;
        }
    }
    let planned = plan.faults.iter().filter(|fault| fault.strikes(lane));
    let entries = planned.map(|fault| {
        let fires = fired.get(&fault.id);
        LedgerEntry {
            fault: fault.id.clone(),
            lane,
            client: fault.client.clone(),
            fired: fires.map_or(0, |(count, _)| *count),
            hit: fires.map(|(_, hit)| (*hit).to_owned()),
        }
    });
    entries.collect()
}
