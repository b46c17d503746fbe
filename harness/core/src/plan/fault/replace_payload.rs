//! Changes a payload and its hash.

use super::kind::{FaultKind, Mutation};
use super::spec::{Attribute, DELIVERY, Effect, FaultSpec, Shape};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "replace-payload",
    toxic: None,
    says: "Changes one character of the payload, and the declared hash with it.",
    attributes: &[Attribute::required("payload", Shape::Altered, "The changed payload.").in_api(None)],
    effects: &[Effect::Defect],
    positions: DELIVERY,
    plan: |values| FaultKind::Mutate { mutation: Mutation::ReplacePayload { payload: values.text("payload") } },
};
