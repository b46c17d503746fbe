//! How long to wait before a retry: what the plan drew, and what the lane asked for.

use std::time::Duration;

use cutover_core::plan::Habit;

/// The longest wait that a plan's list grows to past its end.
const CAP: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Backoff {
    waits_ms: Vec<u64>,
    /// Whether the last wait doubles with each further failure.
    grows: bool,
    failures: u32,
}

impl Backoff {
    /// Waits as a plan has them, full jitter drawn.
    pub fn new(waits_ms: Vec<u64>) -> Backoff {
        Backoff { waits_ms, grows: true, failures: 0 }
    }

    pub fn of_habit(habit: &Habit) -> Backoff {
        Backoff { waits_ms: habit.reconnect_ms.to_vec(), grows: false, failures: 0 }
    }

    /// The wait after one more failure: the plan's, added to what the lane asked for, so that clients spread.
    pub fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        let drawn = self.drawn();
        self.failures = self.failures.saturating_add(1);
        asked.unwrap_or_default() + drawn
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }

    fn drawn(&self) -> Duration {
        let Some(last) = self.waits_ms.len().checked_sub(1) else {
            return CAP / 100;
        };
        let at = usize::try_from(self.failures).unwrap_or(usize::MAX);
        let doublings = u32::try_from(at.saturating_sub(last)).unwrap_or(u32::MAX).min(16);
        let wait = Duration::from_millis(self.waits_ms[at.min(last)]).max(Duration::from_millis(1));
        match doublings {
            _ if !self.grows => wait,
            0 => wait,
            _ => wait.saturating_mul(1 << doublings).min(CAP),
        }
    }
}

#[cfg(test)]
mod tests;
