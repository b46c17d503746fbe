//! A delivery, and which event of the plan it is.

use super::plan::PlanIndex;
use super::stream::{OpState, Timeline};
use crate::hash::PayloadHash;
use crate::history::{Verdict, Via};

#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Delivery {
    pub at: usize,
    pub client: usize,
    pub stream: usize,
    pub seq: u64,
    pub hash: Option<PayloadHash>,
    pub via: Via,
    pub verdict: Verdict,
    pub arrival: Arrival,
}

/// Which event of the plan a delivery is. Every delivery is exactly one of these, so that one defect is not reported
/// twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Arrival {
    Right(usize),
    WrongPayload(usize),
    /// A publish stands there, and what came has no canonical form.
    NotCanonical(usize),
    OtherStream(usize),
    NotSubscribed,
    NeverPublished,
    /// The publish that stands there had not been sent yet.
    BeforePublished(usize),
}

impl Arrival {
    /// Whether something arrived in the place of the event at this seq, right or wrong.
    pub fn fills_its_seq(self) -> bool {
        matches!(self, Arrival::Right(_) | Arrival::WrongPayload(_) | Arrival::NotCanonical(_))
    }
}

pub(super) fn classify(
    plan: &PlanIndex<'_>,
    states: &[OpState<'_>],
    timelines: &[Timeline],
    (client, stream): (usize, usize),
    (at, seq, hash): (usize, u64, Option<PayloadHash>),
) -> Arrival {
    if !plan.subscribes.contains(&(client, stream)) {
        return Arrival::NotSubscribed;
    }
    let owners = timelines.get(stream).and_then(|timeline| timeline.owners.get(&seq)).map_or(&[][..], Vec::as_slice);
    let foreign = || {
        let hash = hash.filter(|hash| plan.publishes_of(stream, *hash).is_none())?;
        plan.told_by(hash)
    };
    let Some(first) = owners.first() else {
        return foreign().map_or(Arrival::NeverPublished, Arrival::OtherStream);
    };
    let same = owners.iter().filter(|owner| hash.is_some() && plan.ops[**owner].hash() == hash);
    // Of publishes that were sent together, any one may be the one that was written.
    if let Some(owner) = same.min_by_key(|owner| states[**owner].sent.unwrap_or(usize::MAX)) {
        return match states[*owner].sent {
            Some(sent) if sent < at => Arrival::Right(*owner),
            _ => Arrival::BeforePublished(*owner),
        };
    }
    match (hash, foreign()) {
        (None, _) => Arrival::NotCanonical(*first),
        (Some(_), Some(op)) => Arrival::OtherStream(op),
        // Before anything was sent that could stand there, it is no change of that either.
        (Some(_), None) if owners.iter().all(|owner| states[*owner].sent.is_none_or(|sent| sent > at)) => {
            Arrival::NeverPublished
        }
        (Some(_), None) => Arrival::WrongPayload(*first),
    }
}
