//! Changes a column of an event.

use super::kind::{FaultKind, Mutation};
use super::spec::{Attribute, DELIVERY_OR_PROOF, Effect, FaultSpec, Shape};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "set-column",
    toxic: Some("ws_set_column"),
    says: "Changes a column of the event's row, or the field of that name on a Phoenix lane, to a value of the same \
           type.",
    attributes: &[
        Attribute::required("column", Shape::Text, "The column."),
        Attribute::required("value", Shape::Json, "The new value."),
    ],
    effects: &[Effect::Defect],
    positions: DELIVERY_OR_PROOF,
    plan: |values| FaultKind::Mutate {
        mutation: Mutation::SetColumn { column: values.text("column"), value: values.text("value") },
    },
};
