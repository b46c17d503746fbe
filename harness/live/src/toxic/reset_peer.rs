//! `reset_peer`: the first data, or the end, is swallowed, and after a while the connection ends with RST.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Inbox, later, millis};
use super::{Action, Ending, Left, Stage};

#[derive(Debug, Default)]
pub(super) struct ResetPeer {
    /// In milliseconds.
    timeout: i64,
    /// When the first data or the end came. As in Toxiproxy, the timeout begins here and no more is read.
    since: Option<Instant>,
}

impl Stage for ResetPeer {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        let first = || inbox.take().map(|chunk| chunk.came).or_else(|| inbox.end().map(|_| now));
        let Some(since) = self.since.or_else(first) else {
            return Action::Idle;
        };
        self.since = Some(since);
        let due = later(since, millis(self.timeout));
        if due > now {
            return Action::Wait(due);
        }
        *fired = true;
        Action::Last(None, Ending::Reset)
    }

    fn update(&mut self, toxic: &ByteToxic, _now: Instant) {
        if let ByteToxic::ResetPeer { timeout } = *toxic {
            self.timeout = timeout;
        }
    }

    /// Where it has swallowed data, the connection can't go on.
    fn leave(&mut self, fired: &mut bool) -> Left {
        *fired |= self.since.is_some();
        Left { chunk: None, ending: self.since.map(|_| Ending::Reset) }
    }

    fn swallows(&self) -> bool {
        true
    }
}
