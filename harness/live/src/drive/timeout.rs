//! How long to wait for a lane, measured on the lane itself.
//!
//! A service that polls takes seconds where another takes milliseconds, and neither is wrong. On a busy machine the
//! same service takes longer than on an idle one. So the longest wait that ended well sets the timeout.

#![allow(missing_docs, reason = "the names say it")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bounds::{self, Bound};

/// The timeout is so many times the longest wait that ended well.
const FACTOR: u32 = 4;

#[derive(Debug)]
pub struct MeasuredTimeout {
    /// Applies until a wait has ended well.
    first: Bound,
    least: Bound,
    most: Duration,
    /// Microseconds; 0 until a wait has ended well.
    longest_us: AtomicU64,
}

impl MeasuredTimeout {
    /// For a client that is behind an acknowledged head, before it subscribes anew.
    pub fn of_progress() -> MeasuredTimeout {
        MeasuredTimeout::new(bounds::FIRST_PATIENCE, bounds::PATIENCE, Duration::MAX)
    }

    /// For the answer to a write.
    pub fn of_answers() -> MeasuredTimeout {
        MeasuredTimeout::new(bounds::WRITE, bounds::WRITE, bounds::WRITE_TRIES.time)
    }

    /// For the answer to a write that a fault or a toxic of the plan may take away.
    pub fn of_disturbed_answers() -> MeasuredTimeout {
        MeasuredTimeout::new(bounds::DISTURBED_WRITE, bounds::DISTURBED_WRITE, bounds::WRITE_TRIES.time)
    }

    fn new(first: Bound, least: Bound, most: Duration) -> MeasuredTimeout {
        MeasuredTimeout { first, least, most, longest_us: AtomicU64::new(0) }
    }

    pub fn ended_well(&self, wait: Duration) {
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(1);
        self.longest_us.fetch_max(wait_us, Ordering::Relaxed);
    }

    pub fn bound(&self) -> Bound {
        match self.longest_us.load(Ordering::Relaxed) {
            0 => self.first,
            longest => {
                let time = Duration::from_micros(longest).saturating_mul(FACTOR).min(self.most);
                Bound { time: time.max(self.least.time), ..self.least }
            }
        }
    }
}

#[cfg(test)]
mod tests;
