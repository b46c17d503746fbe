//! Cuts a message into fragments.

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Sends the message at its position in so many frames.
pub(super) struct Split {
    pub(super) trigger: Trigger,
    pub(super) frames: u16,
}

impl Fault for Split {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger
            .reached(seen)
            .then(|| Strike::new(Fate::Split(self.frames)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
