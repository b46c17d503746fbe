//! `latency`: each chunk passes so long after it was read, more or less the jitter, and never before the one ahead.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Chunk, Inbox, later, millis};
use super::dice::Dice;
use super::{Action, Left, Stage};

/// The length of Toxiproxy's buffer for this toxic.
const CHUNKS: usize = 1024;

/// In milliseconds. Jitter is drawn for a chunk when it becomes the first. A negative sum adds nothing.
#[derive(Debug)]
pub(super) struct Latency {
    latency: i64,
    jitter: i64,
    dice: Dice,
    first: Option<(Chunk, Instant)>,
}

impl Latency {
    pub fn new(dice: Dice) -> Latency {
        Latency { latency: 0, jitter: 0, dice, first: None }
    }
}

impl Stage for Latency {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        let (chunk, due) = match self.first.take() {
            Some(first) => first,
            None => {
                let Some(mut chunk) = inbox.take() else {
                    return inbox.end().map_or(Action::Idle, |ending| Action::Last(None, ending));
                };
                let delay = self.latency.saturating_add(self.dice.around_zero(self.jitter));
                let due = later(chunk.stamp, millis(delay));
                chunk.stamp = due;
                (chunk, due)
            }
        };
        if due <= now {
            return Action::Pass(chunk);
        }
        *fired = true;
        self.first = Some((chunk, due));
        Action::Wait(due)
    }

    fn update(&mut self, toxic: &ByteToxic, now: Instant) {
        if let ByteToxic::Latency { latency, jitter } = *toxic {
            (self.latency, self.jitter) = (latency, jitter);
        }
        if let Some((_, due)) = &mut self.first {
            *due = now;
        }
    }

    fn leave(&mut self, _struck: &mut bool) -> Left {
        Left::of(self.first.take().map(|(chunk, _)| chunk))
    }

    fn held(&self) -> Option<&Chunk> {
        self.first.as_ref().map(|(chunk, _)| chunk)
    }

    fn chunks(&self) -> usize {
        CHUNKS
    }
}
