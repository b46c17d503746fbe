//! Delivers an event under another stream as well.

use super::kind::{FaultKind, Mutation};
use super::spec::{Attribute, DELIVERY, Effect, FaultSpec, Shape};
use crate::ids::{Seq, StreamId};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "misdeliver",
    toxic: None,
    says: "Delivers the event under another stream as well.",
    attributes: &[
        Attribute::required("stream", Shape::Stream, "The other stream, by its topic."),
        Attribute::required("seq", Shape::Number(1, 1_000_000), "The seq of the event there."),
    ],
    effects: &[Effect::Defect],
    positions: DELIVERY,
    plan: |values| FaultKind::Mutate {
        mutation: Mutation::Misdeliver { stream: StreamId::new(values.text("stream")), seq: Seq(values.whole("seq")) },
    },
};
