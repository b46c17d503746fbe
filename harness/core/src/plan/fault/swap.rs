//! Swaps two deliveries.

use super::kind::{FaultKind, Mutation};
use super::spec::{DELIVERY_OR_PROOF, Effect, FaultSpec};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "swap",
    toxic: None,
    says: "Swaps the message with the next one that delivers events.",
    attributes: &[],
    effects: &[Effect::Defect],
    positions: DELIVERY_OR_PROOF,
    plan: |_| FaultKind::Mutate { mutation: Mutation::SwapWithNext },
};
