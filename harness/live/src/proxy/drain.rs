//! A connection that is being drained: what the client has asked for is still answered, then it is closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whether a connection drains, known to both of its directions.
#[derive(Debug, Default)]
pub(super) struct Drain {
    on: AtomicBool,
    plan: Mutex<Option<(u16, Instant)>>,
}

impl Drain {
    /// Begins to drain; whoever came first keeps its code and its time.
    pub(super) fn begin(&self, code: u16, within: Duration) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        plan.get_or_insert((code, now.checked_add(within).unwrap_or(now)));
        self.on.store(true, Ordering::Release);
    }

    /// The close code, and when the connection is closed in any case; `None` where it does not drain.
    pub(super) fn plan(&self) -> Option<(u16, Instant)> {
        if !self.on.load(Ordering::Acquire) {
            return None;
        }
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
