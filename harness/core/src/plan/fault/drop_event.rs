//! Takes an event out of the messages that carry it.

use super::kind::{FaultKind, Mutation};
use super::spec::{DELIVERY_OR_PROOF, Effect, FaultSpec};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "drop-event",
    toxic: None,
    says: "Takes the event out of the message.",
    attributes: &[],
    effects: &[Effect::Defect],
    positions: DELIVERY_OR_PROOF,
    plan: |_| FaultKind::Mutate { mutation: Mutation::DropEvent },
};
