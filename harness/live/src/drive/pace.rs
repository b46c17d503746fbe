//! How fast a lane is published to: one pace for all writers of the lane, so that scenarios that run at the same time
//! keep it together.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Spaces the requests of the writers of one lane.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    /// The next free turn.
    next: Mutex<Instant>,
}

impl Pace {
    /// A pace of so many requests a second.
    pub fn per_second(rate: NonZeroU32) -> Pace {
        Pace {
            interval: Duration::from_secs(1) / rate.get(),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Takes the next free turn, and waits for it. A turn that was not used in time is lost: there are no bursts.
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn turns_are_spaced_however_many_writers_take_them() {
        let pace = Pace::per_second(NonZeroU32::new(1000).unwrap());
        let started = Instant::now();
        futures_util::future::join_all((0..21).map(|_| pace.turn())).await;
        assert!(started.elapsed() >= Duration::from_millis(20));
    }

    #[tokio::test]
    async fn a_turn_that_was_not_used_is_lost() {
        let pace = Pace::per_second(NonZeroU32::new(100).unwrap());
        *pace.next.lock().unwrap() = Instant::now() - Duration::from_secs(5);
        let started = Instant::now();
        for _ in 0..3 {
            pace.turn().await;
        }
        assert!(started.elapsed() >= Duration::from_millis(20));
    }
}
