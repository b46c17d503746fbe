//! `latency`: each chunk goes on this long after it was read, more or less the jitter, and never before the one ahead.

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Chunk, Inbox, later, millis};
use super::dice::Dice;
use super::{Left, Stage, Step};

/// Toxiproxy's buffer for this toxic: what is on its way while the first of it waits.
const CHUNKS: usize = 1024;

/// The stage. A jitter is drawn for a chunk when it becomes the first in the row.
#[derive(Debug)]
pub(super) struct Latency {
    latency: i64,
    jitter: i64,
    dice: Dice,
    /// The chunk that is next, and when it goes.
    first: Option<(Chunk, Instant)>,
}

impl Latency {
    /// Latency and jitter in milliseconds; where they come to less than nothing, nothing is added.
    pub fn new(latency: i64, jitter: i64, dice: Dice) -> Latency {
        Latency { latency, jitter, dice, first: None }
    }
}

impl Stage for Latency {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, struck: &mut bool) -> Step {
        let (chunk, due) = match self.first.take() {
            Some(first) => first,
            None => {
                let Some(mut chunk) = inbox.take() else {
                    return inbox.end().map_or(Step::Idle, |ending| Step::Last(None, ending));
                };
                let delay = self.latency.saturating_add(self.dice.around_zero(self.jitter));
                let due = later(chunk.stamp, millis(delay));
                chunk.stamp = due;
                (chunk, due)
            }
        };
        if due <= now {
            return Step::Pass(chunk);
        }
        *struck = true;
        self.first = Some((chunk, due));
        Step::Wait(due)
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
