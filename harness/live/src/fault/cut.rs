//! Ends the connection at a frame.

use cutover_core::plan::{Cut, When};

use super::{Fate, Fault, Seen, Strike, Trigger};

/// Cuts before or after the frame at its position.
pub(super) struct CutAt {
    pub(super) trigger: Trigger,
    pub(super) how: Cut,
    pub(super) when: When,
}

impl Fault for CutAt {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        self.trigger
            .reached(seen)
            .then(|| Strike::new(Fate::Cut(self.how, self.when)))
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }
}
