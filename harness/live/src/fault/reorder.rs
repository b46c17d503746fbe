//! Lets other messages pass one.

use std::time::Duration;

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Holds the message at its position back until so many of its direction have passed it, or the time is up.
pub(super) struct Reorder {
    pub(super) trigger: Trigger,
    pub(super) behind: u8,
    pub(super) within: Duration,
}

impl Fault for Reorder {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        let reached = self.trigger.reached(seen);
        reached.then(|| Strike::new(Fate::Reorder(self.behind, self.within)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
