//! Holds a frame back until something else has happened.

use cutover_core::plan::Release;

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Holds the frame at its position, and all behind it.
pub(super) struct Hold {
    pub(super) trigger: Trigger,
    pub(super) until: Release,
}

impl Fault for Hold {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger
            .reached(seen)
            .then(|| Strike::new(Fate::Hold(self.until.clone())))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
