//! A fault whose fate does not depend on what a frame carries.

use super::{Effect, Fate, Fault, Seen, Trigger};

pub(super) struct Decide {
    pub(super) trigger: Trigger,
    pub(super) fate: Fate,
}

impl Fault for Decide {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Effect> {
        self.trigger.reached(seen).then(|| Effect::new(self.fate.clone()))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
