//! `timeout`: nothing passes, and the connection ends when nothing has come for so long.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Inbox, later, millis};
use super::{Action, Ending, Left, Stage};

#[derive(Debug)]
pub(super) struct Timeout {
    /// In milliseconds. With 0 or less the connection stays.
    timeout: i64,
    /// When the toxic began, or when data came last: data restarts the timeout, as in Toxiproxy.
    since: Instant,
}

impl Timeout {
    pub fn new(now: Instant) -> Timeout {
        Timeout { timeout: 0, since: now }
    }
}

impl Stage for Timeout {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        while let Some(chunk) = inbox.take() {
            *fired = true;
            self.since = self.since.max(chunk.came);
        }
        if let Some(ending) = inbox.end() {
            return Action::Last(None, ending);
        }
        if self.timeout <= 0 {
            return Action::Idle;
        }
        let due = later(self.since, millis(self.timeout));
        if due > now {
            return Action::Wait(due);
        }
        *fired = true;
        Action::Last(None, Ending::Close)
    }

    fn update(&mut self, toxic: &ByteToxic, now: Instant) {
        if let ByteToxic::Timeout { timeout } = *toxic {
            *self = Timeout { timeout, since: now };
        }
    }

    /// The stream has a hole where data was swallowed, so that the connection has to end.
    fn leave(&mut self, fired: &mut bool) -> Left {
        *fired = true;
        Left { chunk: None, ending: Some(Ending::Close) }
    }

    fn swallows(&self) -> bool {
        true
    }
}
