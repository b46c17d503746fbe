//! Holds a message until something else happened.

use super::kind::{FaultKind, Release};
use super::spec::{ANYWHERE, Attribute, Effect, FaultSpec, Shape};
use crate::ids::OpId;

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "hold",
    toxic: None,
    says: "Holds the message, and all behind it, until the heal phase (`\"heal\"`), or until the publish of an event \
           is acknowledged (a table of its topic in `acked` and its `seq`).",
    attributes: &[Attribute::required("until", Shape::Until, "What releases the message.")],
    effects: &[Effect::Holds],
    positions: ANYWHERE,
    plan: |values| FaultKind::Hold {
        until: match values.number("until") {
            Some(op) => Release::Acked { op: OpId(u32::try_from(op).unwrap_or_default()) },
            None => Release::Heal,
        },
    },
};
