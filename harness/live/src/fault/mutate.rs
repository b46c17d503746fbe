//! Changes what a message carries, as a broken lane does.

use cutover_core::plan::Mutation;

use super::{Effect, Fate, Fault, Seen, Trigger};
use crate::frame::Edit;

/// Changes the message at its position. It stays armed if the change does not apply.
pub(super) struct Mutate {
    pub(super) trigger: Trigger,
    pub(super) mutation: Mutation,
}

impl Fault for Mutate {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Effect> {
        if !self.trigger.holds(seen) {
            return None;
        }
        let edit = self.edit(seen)?;
        if self.trigger.fires_once() && seen.view.edited(&edit).is_none() {
            return None;
        }
        self.trigger.spend(seen);
        Some(Effect::new(Fate::Edit(edit)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}

impl Mutate {
    fn edit(&self, seen: &Seen<'_>) -> Option<Edit> {
        let events = self.trigger.events(seen);
        match &self.mutation {
            Mutation::SetJson { pointer, value } => {
                return Some(Edit::SetJson { events, pointer: pointer.clone(), value: value.clone() });
            }
            Mutation::SetColumn { column, value } => {
                return Some(Edit::SetColumn { events, column: column.clone(), value: value.clone() });
            }
            _ => {}
        }
        // The others change one delivered event.
        let (stream, seq) = events.into_iter().find_map(|(stream, seq)| Some((stream, seq?)))?;
        Some(match &self.mutation {
            Mutation::ReplacePayload { payload } => Edit::ReplacePayload { stream, seq, payload: payload.clone() },
            Mutation::Misdeliver { stream: to_stream, seq: to_seq } => {
                Edit::Misdeliver { stream, seq, to_stream: to_stream.clone(), to_seq: *to_seq }
            }
            _ => Edit::RemoveEvent { stream, seq },
        })
    }
}
