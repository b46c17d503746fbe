//! The publish rate of a class: so many events in each second of the server's clock.

use std::time::{Duration, Instant};

/// Counts events in windows of a second.
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
mod tests {
    use super::*;

    #[test]
    fn a_second_allows_the_limit_and_the_next_second_as_many_again() {
        let (mut window, start) = (RateWindow::default(), Instant::now());
        let allowed = |window: &mut RateWindow, at| (0..5).filter(|_| window.take(3, at)).count();
        assert_eq!(allowed(&mut window, start), 3);
        assert_eq!(allowed(&mut window, start + Duration::from_millis(999)), 0);
        assert_eq!(allowed(&mut window, start + Duration::from_millis(1000)), 3);
    }

    #[test]
    fn no_limit_allows_all() {
        let mut window = RateWindow::default();
        assert!((0..1000).all(|_| window.take(0, Instant::now())));
    }
}
