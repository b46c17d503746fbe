//! Changes a cursor on its way to the lane.

use super::kind::FaultKind;
use super::spec::{Attribute, Effect, FaultSpec, Shape};
use crate::ids::{Cursor, StreamId};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "rewrite-cursor",
    toxic: Some("ws_rewrite_cursor"),
    says: "Changes the cursor of a stream in the resume that the lane receives; if a resume takes two messages, in \
           both.",
    attributes: &[
        Attribute::required("stream", Shape::Stream, "The stream, by its topic.").in_api(Some("topic")),
        Attribute::required("to", Shape::Cursor, "The cursor that the lane receives."),
        Attribute::optional("of", Shape::CursorOf, "The topic whose head is the foreign cursor.").in_api(None),
    ],
    effects: &[Effect::MovesCursor],
    positions: &["resume"],
    plan: |values| FaultKind::RewriteCursor {
        stream: StreamId::new(values.text("stream")),
        to: Cursor(values.whole("to")),
    },
};
