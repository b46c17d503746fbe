//! Sends a frame again.

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Repeats the frame at its position, byte for byte.
pub(super) struct Repeat {
    pub(super) trigger: Trigger,
    pub(super) more: u8,
}

impl Fault for Repeat {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger.reached(seen).then(|| Strike::new(Fate::Repeat(self.more)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
