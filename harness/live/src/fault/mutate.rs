//! Plants a defect in what a lane delivers, or in a message: what a broken lane would do.

use cutover_core::plan::Mutation;

use super::{Effect, Fate, Fault, Seen, Trigger};
use crate::frame::Edit;

/// Changes the message at its position. Where the change does not apply to it, it stays armed.
pub(super) struct Mutate {
    pub(super) trigger: Trigger,
    pub(super) mutation: Mutation,
}

impl Fault for Mutate {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Effect> {
        if !self.trigger.holds(seen) {
            return None;
        }
        let fate = self.fate(seen)?;
        if let Fate::Edit(edit) = &fate
            && self.trigger.fires_once()
            && seen.view.edited(edit).is_none()
        {
            return None;
        }
        self.trigger.spend(seen);
        Some(Effect::new(fate))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}

impl Mutate {
    fn fate(&self, seen: &Seen<'_>) -> Option<Fate> {
        let events = self.trigger.events(seen);
        let edit = match &self.mutation {
            Mutation::SwapWithNext => return Some(Fate::DeliverAfterNext),
            Mutation::Flood { more } => return Some(Fate::Repeat(*more)),
            Mutation::SetJson { pointer, value } => {
                Edit::SetJson { events, pointer: pointer.clone(), value: value.clone() }
            }
            Mutation::SetColumn { column, value } => {
                Edit::SetColumn { events, column: column.clone(), value: value.clone() }
            }
            // The others change one delivered event.
            other => {
                let (stream, seq) = events.into_iter().find_map(|(stream, seq)| Some((stream, seq?)))?;
                match other {
                    Mutation::ReplacePayload { payload } => {
                        Edit::ReplacePayload { stream, seq, payload: payload.clone() }
                    }
                    Mutation::Misdeliver { stream: to_stream, seq: to_seq } => {
                        Edit::Misdeliver { stream, seq, to_stream: to_stream.clone(), to_seq: *to_seq }
                    }
                    _ => Edit::RemoveEvent { stream, seq },
                }
            }
        };
        Some(Fate::Edit(edit))
    }
}
