//! Cuts a message into fragments.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, Attribute, Fallback, FaultSpec, Shape};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "split",
    toxic: Some("ws_split"),
    says: "Sends the message in `frames` fragments (RFC 6455, 5.4); in fewer if it is shorter.",
    attributes: &[Attribute::new("frames", Shape::Whole(2, 65_535), Fallback::Whole(2), "How many fragments.")],
    effects: &[],
    positions: ANYWHERE,
    plan: |values| FaultKind::Split { frames: values.short("frames") },
};
