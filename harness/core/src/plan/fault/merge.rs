//! Sends several messages in one write.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, Attribute, Fallback, FaultSpec, Shape, WITHIN_MS};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "merge",
    toxic: Some("ws_merge"),
    says: "Sends the message and those behind it in one write: `messages` in all, or those that come within \
           `within_ms`. Its fragments become one frame.",
    attributes: &[
        Attribute::new("messages", Shape::Whole(1, 255), Fallback::Whole(2), "How many messages leave together."),
        WITHIN_MS,
    ],
    effects: &[],
    positions: ANYWHERE,
    plan: |values| FaultKind::Merge { messages: values.small("messages"), within_ms: values.whole("within_ms") },
};
