//! Delays a message.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, Attribute, Effect, FaultSpec, Shape};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "delay",
    toxic: Some("ws_delay"),
    says: "Delays the message, and all behind it.",
    attributes: &[Attribute::required("ms", Shape::Wait, "The delay, in milliseconds.")],
    effects: &[Effect::Delays],
    positions: ANYWHERE,
    plan: |values| FaultKind::Delay { ms: values.whole("ms") },
};
