//! Makes a frame late.

use std::time::Duration;

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Delays the frame at its position, and all behind it.
pub(super) struct Delay {
    pub(super) trigger: Trigger,
    pub(super) by: Duration,
}

impl Fault for Delay {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger.reached(seen).then(|| Strike::new(Fate::Delay(self.by)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
