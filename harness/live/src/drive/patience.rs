//! How long a client may stand behind an acknowledged head without progress before it asks again.
//!
//! What is usual on a lane is measured on that lane: a service that polls for what it delivers takes seconds where another
//! takes milliseconds, and neither is wrong. So the longest time that a client has waited for its next event, and got it,
//! sets the measure for all clients of a case.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bounds::{self, Bound};

/// A client waits so many times longer than any event has taken.
const TIMES: u32 = 4;

/// What a case has learnt of its lane.
#[derive(Debug, Default)]
pub struct Patience {
    /// Microseconds; 0 where no event was seen to come yet.
    longest_us: AtomicU64,
}

impl Patience {
    /// An event came after a wait of so long.
    pub fn progressed(&self, after: Duration) {
        let after_us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX).max(1);
        self.longest_us.fetch_max(after_us, Ordering::Relaxed);
    }

    /// How long to wait without progress.
    pub fn window(&self) -> Bound {
        let least = bounds::PATIENCE;
        match self.longest_us.load(Ordering::Relaxed) {
            0 => bounds::FIRST_PATIENCE,
            longest => Bound { time: Duration::from_micros(longest).saturating_mul(TIMES).max(least.time), ..least },
        }
    }
}

#[cfg(test)]
mod tests;
