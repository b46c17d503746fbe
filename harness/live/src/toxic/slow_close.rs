//! `slow_close`: data passes, the end of the stream waits.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Inbox, later, millis};
use super::{Stage, Step};

#[derive(Debug, Default)]
pub(super) struct SlowClose {
    /// In milliseconds.
    delay: i64,
    /// When the end passes.
    due: Option<Instant>,
}

impl Stage for SlowClose {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Step {
        if let Some(chunk) = inbox.take() {
            return Step::Pass(chunk);
        }
        let Some(ending) = inbox.end() else { return Step::Idle };
        let due = *self.due.get_or_insert_with(|| later(now, millis(self.delay)));
        if due <= now {
            return Step::Last(None, ending);
        }
        *fired = true;
        Step::Wait(due)
    }

    /// A waiting end waits from the beginning.
    fn update(&mut self, toxic: &ByteToxic, _now: Instant) {
        if let ByteToxic::SlowClose { delay } = *toxic {
            *self = SlowClose { delay, due: None };
        }
    }
}
