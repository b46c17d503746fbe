//! Delivers an event again and again, as a lane does that repeats itself.

use super::kind::{FaultKind, Mutation};
use super::spec::{DELIVERY_OR_PROOF, Effect, FaultSpec, MORE};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "flood",
    toxic: None,
    says: "Sends the message again, `more` times, as a lane does that repeats itself.",
    attributes: &[MORE],
    effects: &[Effect::Defect],
    positions: DELIVERY_OR_PROOF,
    plan: |values| FaultKind::Mutate { mutation: Mutation::Flood { more: values.small("more") } },
};
