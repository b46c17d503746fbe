//! Plants a defect in what a lane delivers: what a broken lane would do.

use cutover_core::plan::{Mutation, Position};

use super::{Fate, Fault, Seen, Strike, Trigger};
use crate::frame::Edit;

/// Changes the delivery at its position; at any other kind of position it never strikes.
pub(super) struct Mutate {
    pub(super) trigger: Trigger,
    pub(super) mutation: Mutation,
}

impl Fault for Mutate {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        let Position::Delivery { stream, seq } = self.trigger.at().clone() else {
            return None;
        };
        if !self.trigger.reached(seen) {
            return None;
        }
        Some(Strike::new(match &self.mutation {
            Mutation::DropEvent => Fate::Edit(Edit::RemoveEvent { stream, seq }),
            Mutation::SwapWithNext => Fate::DeliverAfterNext,
            Mutation::ReplacePayload { payload } => Fate::Edit(Edit::ReplacePayload {
                stream,
                seq,
                payload: payload.clone(),
            }),
            Mutation::Misdeliver {
                stream: to_stream,
                seq: to_seq,
            } => Fate::Edit(Edit::Misdeliver {
                stream,
                seq,
                to_stream: to_stream.clone(),
                to_seq: *to_seq,
            }),
            Mutation::SetJson { .. } | Mutation::SetColumn { .. } => return None,
        }))
    }
}
