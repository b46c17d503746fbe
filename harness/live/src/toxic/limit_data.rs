//! `limit_data`: the connection ends once so many bytes have passed.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::Inbox;
use super::{Action, Ending, Stage};

/// The limit is in bytes. With 0 or less the first data ends the connection, and none of it passes.
#[derive(Debug, Default)]
pub(super) struct LimitData {
    limit: u64,
    passed: u64,
}

impl Stage for LimitData {
    fn poll(&mut self, inbox: &mut Inbox, _now: Instant, fired: &mut bool) -> Action {
        let Some(mut chunk) = inbox.take() else {
            return inbox.end().map_or(Action::Idle, |ending| Action::Last(None, ending));
        };
        let left = self.limit.saturating_sub(self.passed);
        if let Ok(left) = usize::try_from(left) {
            chunk.data.truncate(left);
        }
        self.passed += chunk.data.len() as u64;
        if self.passed < self.limit {
            return Action::Pass(chunk);
        }
        *fired = true;
        Action::Last(Some(chunk).filter(|chunk| !chunk.data.is_empty()), Ending::Close)
    }

    /// What has passed is still counted. Where it exceeds the new limit, the next data ends the connection.
    fn update(&mut self, toxic: &ByteToxic, _now: Instant) {
        if let ByteToxic::LimitData { bytes } = *toxic {
            self.limit = u64::try_from(bytes).unwrap_or(0);
        }
    }
}
