//! `timeout`: nothing passes, and the connection ends when nothing has come for so long.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Inbox, later, millis};
use super::{Ending, Left, Stage, Step};

/// The stage.
#[derive(Debug)]
pub(super) struct Timeout {
    timeout: i64,
    /// When the toxic began, or when data came last: as in Toxiproxy, data starts the time anew.
    since: Instant,
}

impl Timeout {
    /// The timeout is in milliseconds; with 0 or less the connection stays.
    pub fn new(timeout: i64, now: Instant) -> Timeout {
        Timeout { timeout, since: now }
    }
}

impl Stage for Timeout {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, struck: &mut bool) -> Step {
        while let Some(chunk) = inbox.take() {
            *struck = true;
            self.since = self.since.max(chunk.came);
        }
        if let Some(ending) = inbox.end() {
            return Step::Last(None, ending);
        }
        if self.timeout <= 0 {
            return Step::Idle;
        }
        let due = later(self.since, millis(self.timeout));
        if due > now {
            return Step::Wait(due);
        }
        *struck = true;
        Step::Last(None, Ending::Close)
    }

    fn update(&mut self, toxic: &ByteToxic, now: Instant) {
        if let ByteToxic::Timeout { timeout } = *toxic {
            *self = Timeout::new(timeout, now);
        }
    }

    /// The stream has a hole where data was swallowed, so that the connection can't go on.
    fn leave(&mut self, struck: &mut bool) -> Left {
        *struck = true;
        Left { chunk: None, ending: Some(Ending::Close) }
    }

    fn swallows(&self) -> bool {
        true
    }
}
