//! Keeps the faults of one client apart: each needs a message of its own.

use std::collections::BTreeSet;

use super::super::errors::Mistakes;
use super::super::faults::{Fault, FaultPosition, Target};
use super::world::World;

/// Notes faults of one client that compete for a message: in a batch, the first to fire would keep the others from it.
pub(super) fn check(world: &World<'_>, all: &[(usize, Fault)], mistakes: &mut Mistakes) {
    let on_delivery = |fault: &Fault| match (&fault.target, &fault.at) {
        (Target::Client(client), FaultPosition::Delivery { stream, seqs }) => Some((*client, *stream, seqs.clone())),
        _ => None,
    };
    for (index, (entry, fault)) in all.iter().enumerate() {
        let Some((client, stream, seqs)) = on_delivery(fault) else {
            continue;
        };
        for (_, other) in &all[..index] {
            let Some((other_client, other_stream, other_seqs)) = on_delivery(other) else {
                continue;
            };
            let lanes_meet = fault.lane.is_none() || other.lane.is_none() || fault.lane == other.lane;
            if other_client != client || !lanes_meet {
                continue;
            }
            let at = world.draft.faults[*entry].at;
            let fixed = seqs.len() == 1 && other_seqs.len() == 1;
            if fixed && stream == other_stream && seqs == other_seqs {
                mistakes.once(at, "another fault fires at the same position of the same client", None);
            }
            let alone = |stream: usize, seq: &u64| world.clients[client].delivered[stream].get(seq) == Some(&true);
            if !seqs.iter().all(|seq| alone(stream, seq)) || !other_seqs.iter().all(|seq| alone(other_stream, seq)) {
                let what = "one message may carry the positions of two faults, and then only one can fire";
                let hint = "publish these events with pace = \"lockstep\" while the client is connected".to_owned();
                mistakes.once(at, what, hint);
            }
        }
    }
}

/// Takes positions that are fixed for a client out of what is drawn for it.
pub(super) fn spare_fixed(all: &mut [(usize, Fault)]) {
    let mut taken = BTreeSet::new();
    for (_, fault) in all.iter() {
        if let (Target::Client(client), FaultPosition::Delivery { stream, seqs }) = (&fault.target, &fault.at)
            && let [only] = seqs.as_slice()
        {
            taken.insert((*client, *stream, *only));
        }
    }
    for (_, fault) in all.iter_mut() {
        if let (Target::Client(client), FaultPosition::Delivery { stream, seqs }) = (&fault.target, &mut fault.at)
            && seqs.len() > 1
        {
            seqs.retain(|seq| !taken.contains(&(*client, *stream, *seq)));
        }
    }
}
