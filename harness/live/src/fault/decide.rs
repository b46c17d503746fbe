//! A fault that does no more than decide: at its position a frame has one fate, whatever it carries.

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Decides on the frame at its position.
pub(super) struct Decide {
    pub(super) trigger: Trigger,
    pub(super) fate: Fate,
}

impl Fault for Decide {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger.reached(seen).then(|| Strike::new(self.fate.clone()))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
