//! Closes a connection as a server does that is going to restart.

use std::time::Duration;

use super::{Fate, Fault, Seen, Strike, Trigger};

/// From the message at its position on, waits until all that was asked is answered, or the time is up, and closes.
pub(super) struct Drain {
    pub(super) trigger: Trigger,
    pub(super) code: u16,
    pub(super) within: Duration,
}

impl Fault for Drain {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        let reached = self.trigger.reached(seen);
        reached.then(|| Strike::new(Fate::Drain(self.code, self.within)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
