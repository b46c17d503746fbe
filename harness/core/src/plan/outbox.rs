//! The events that a plan puts into the outbox.
#![allow(missing_docs, reason = "the names say it")]

use super::{Plan, STREAM, Step};
use crate::hash::sha256;
use crate::ids::{OpId, StreamId};

/// The reducer that puts an event into the outbox.
pub const ENQUEUE: &str = "enqueue_bridge_event";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued<'a> {
    pub op: OpId,
    pub stream: &'a StreamId,
    pub key: String,
    /// `sha256:` of its payload's text.
    pub content: String,
}

/// The events that a plan puts into the outbox, in their order.
pub fn enqueued(plan: &Plan) -> impl Iterator<Item = Enqueued<'_>> {
    let steps = plan.cases.iter().flat_map(|case| &case.steps);
    steps.filter_map(|step| match step {
        Step::Call { op, stream, reducer, args, refused: None } if reducer == ENQUEUE => {
            let args: Vec<String> = serde_json::from_str(args).ok()?;
            let [key, _, payload, _] = args.as_slice() else { return None };
            let key = key.replace(STREAM, stream.as_str());
            Some(Enqueued { op: *op, stream, key, content: sha256(payload.as_bytes()) })
        }
        _ => None,
    })
}
