//! Lets other messages pass a message.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, Attribute, Effect, Fallback, FaultSpec, Shape, WITHIN_MS};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "reorder",
    toxic: Some("ws_reorder"),
    says: "Delivers the message after `behind` later messages of its direction, or after `within_ms`.",
    attributes: &[
        Attribute::new("behind", Shape::Whole(1, 255), Fallback::Whole(1), "How many messages pass it, at most."),
        WITHIN_MS,
    ],
    effects: &[Effect::Displaces],
    positions: ANYWHERE,
    plan: |values| FaultKind::Reorder { behind: values.small("behind"), within_ms: values.whole("within_ms") },
};
