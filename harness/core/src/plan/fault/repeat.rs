//! Delivers a message more than once.

use super::kind::FaultKind;
use super::spec::{Effect, FaultSpec, MORE};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "repeat",
    toxic: Some("ws_repeat"),
    says: "Sends the message again, `more` times.",
    attributes: &[MORE],
    effects: &[Effect::Repeats],
    positions: &["delivery", "message"],
    plan: |values| FaultKind::Repeat { more: values.small("more") },
};
