//! How long a client may stay behind an acknowledged head without progress before it subscribes anew.
//!
//! Each lane is measured by itself: a service that polls takes seconds where another takes milliseconds, and neither is
//! wrong. So the longest time that a client of the case has waited for its next event, and got it, sets the timeout.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bounds::{self, Bound};

/// The timeout is so many times the longest wait that ended with an event.
const FACTOR: u32 = 4;

#[derive(Debug, Default)]
pub struct ProgressTimeout {
    /// Microseconds; 0 until the first event came.
    longest_us: AtomicU64,
}

impl ProgressTimeout {
    pub fn made_after(&self, wait: Duration) {
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(1);
        self.longest_us.fetch_max(wait_us, Ordering::Relaxed);
    }

    pub fn bound(&self) -> Bound {
        let least = bounds::PATIENCE;
        match self.longest_us.load(Ordering::Relaxed) {
            0 => bounds::FIRST_PATIENCE,
            longest => Bound { time: Duration::from_micros(longest).saturating_mul(FACTOR).max(least.time), ..least },
        }
    }
}

#[cfg(test)]
mod tests;
