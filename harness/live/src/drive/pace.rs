//! How fast a lane is published to. All writers of a lane share one pace, those of other scenarios too.

#![allow(missing_docs, reason = "the names say it")]

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    pub fn per_second(rate: NonZeroU32) -> Pace {
        Pace { interval: Duration::from_secs(1) / rate.get(), next: Mutex::new(Instant::now()) }
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Waits for the next free turn. A turn that was not used in time is lost, so there are no bursts.
    pub async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.interval;
            turn
        };
        sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests;
