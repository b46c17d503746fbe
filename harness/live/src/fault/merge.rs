//! Lets a message leave together with those behind it.

use std::time::Duration;

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Keeps the message at its position until so many can leave in one write, or the time is up.
pub(super) struct Merge {
    pub(super) trigger: Trigger,
    pub(super) messages: u8,
    pub(super) within: Duration,
}

impl Fault for Merge {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        let reached = self.trigger.reached(seen);
        reached.then(|| Strike::new(Fate::Merge(self.messages, self.within)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
