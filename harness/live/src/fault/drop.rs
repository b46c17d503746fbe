//! Loses a message.

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Drops the message at its position.
pub(super) struct Drop {
    pub(super) trigger: Trigger,
}

impl Fault for Drop {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger.reached(seen).then(|| Strike::new(Fate::Drop))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
