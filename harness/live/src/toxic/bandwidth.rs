//! `bandwidth`: bytes pass at a rate, in pieces of at most a tenth of a second.

use std::time::Duration;

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Chunk, Inbox, later};
use super::{Action, Left, Stage};

/// The longest piece, and the most lateness that later bytes make up for. Timers are coarse, but a pause of the reader
/// gives no credit.
const PIECE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Bandwidth {
    /// Kilobytes a second, that is bytes a millisecond. Nothing passes at 0, nor below, where Toxiproxy crashes.
    rate: u64,
    chunk: Option<Chunk>,
    start: Instant,
    late: Duration,
    /// Whether the rest of the chunk passes at once, after a change.
    let_go: bool,
}

impl Bandwidth {
    pub fn new(now: Instant) -> Bandwidth {
        Bandwidth { rate: 0, chunk: None, start: now, late: Duration::ZERO, let_go: false }
    }

    /// Begins the next chunk at the time when it came, or when the one before it was gone.
    fn load(&mut self, inbox: &mut Inbox) -> Option<Chunk> {
        let chunk = inbox.take()?;
        self.start = self.start.max(chunk.came.checked_sub(self.late).unwrap_or(chunk.came));
        Some(chunk)
    }
}

impl Stage for Bandwidth {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        let Some(chunk) = self.chunk.take().or_else(|| self.load(inbox)) else {
            return inbox.end().map_or(Action::Idle, |ending| Action::Last(None, ending));
        };
        if std::mem::take(&mut self.let_go) {
            return Action::Pass(chunk);
        }
        if self.rate == 0 {
            *fired = true;
            self.chunk = Some(chunk);
            return Action::Idle;
        }
        let piece = (chunk.data.len() as u64).min(self.rate.saturating_mul(PIECE.as_millis() as u64));
        let due = later(self.start, Duration::from_nanos(piece * 1_000_000 / self.rate));
        if due > now {
            *fired = true;
            self.chunk = Some(chunk);
            return Action::Wait(due);
        }
        self.start = due.max(now.checked_sub(PIECE).unwrap_or(now));
        self.late = now - self.start;
        let (passed, rest) = chunk.split(piece as usize);
        self.chunk = rest;
        Action::Pass(passed)
    }

    fn update(&mut self, toxic: &ByteToxic, now: Instant) {
        if let ByteToxic::Bandwidth { rate } = *toxic {
            let (rate, chunk) = (u64::try_from(rate).unwrap_or(0), self.chunk.take());
            *self = Bandwidth { rate, let_go: chunk.is_some(), chunk, ..Bandwidth::new(now) };
        }
    }

    fn leave(&mut self, _struck: &mut bool) -> Left {
        Left::of(self.chunk.take())
    }

    fn held(&self) -> Option<&Chunk> {
        self.chunk.as_ref()
    }
}
