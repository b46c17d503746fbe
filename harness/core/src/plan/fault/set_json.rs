//! Changes a value in a message.

use super::kind::{FaultKind, Mutation};
use super::spec::{Attribute, Effect, FaultSpec, Shape};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "set-json",
    toxic: Some("ws_set_json"),
    says: "Changes the value at a JSON Pointer (RFC 6901) in the event's payload, or else in the message.",
    attributes: &[
        Attribute::required("pointer", Shape::Pointer, "Where the value is.").in_api(Some("set_pointer")),
        Attribute::required("value", Shape::Json, "The new value.").in_api(Some("set_value")),
    ],
    effects: &[Effect::Defect],
    positions: &["delivery", "proof", "message"],
    plan: |values| FaultKind::Mutate {
        mutation: Mutation::SetJson { pointer: values.text("pointer"), value: values.text("value") },
    },
};
