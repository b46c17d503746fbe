//! `slow_close`: data passes, the end of the stream waits.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Inbox, later, millis};
use super::{Action, Stage};

#[derive(Debug, Default)]
pub(super) struct SlowClose {
    /// In milliseconds.
    delay: i64,
    due: Option<Instant>,
}

impl Stage for SlowClose {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        if let Some(chunk) = inbox.take() {
            return Action::Pass(chunk);
        }
        let Some(ending) = inbox.end() else { return Action::Idle };
        let due = *self.due.get_or_insert_with(|| later(now, millis(self.delay)));
        if due <= now {
            return Action::Last(None, ending);
        }
        *fired = true;
        Action::Wait(due)
    }

    fn update(&mut self, toxic: &ByteToxic, _now: Instant) {
        if let ByteToxic::SlowClose { delay } = *toxic {
            *self = SlowClose { delay, due: None };
        }
    }
}
