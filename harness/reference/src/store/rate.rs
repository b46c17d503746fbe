//! The publish rate of a class: so many events in each second of the server's clock.

use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct RateWindow {
    started: Option<Instant>,
    used: u32,
}

impl RateWindow {
    /// Takes one event if `limit` allows it; a limit of 0 always does.
    pub(super) fn take(&mut self, limit: u32, now: Instant) -> bool {
        if limit == 0 {
            return true;
        }
        let is_over = |started: Instant| now.duration_since(started) >= Duration::from_secs(1);
        if self.started.is_none_or(is_over) {
            (self.started, self.used) = (Some(now), 0);
        }
        let is_allowed = self.used < limit;
        self.used += u32::from(is_allowed);
        is_allowed
    }
}

#[cfg(test)]
mod tests;
