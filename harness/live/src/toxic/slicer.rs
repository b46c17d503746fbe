//! `slicer`: a chunk passes in small pieces, with a pause after each.

use std::time::Duration;

use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{Chunk, Inbox, later};
use super::dice::Dice;
use super::{Action, Left, Stage};

/// The lateness that the next pause makes up for. Pauses are microseconds long, which no timer keeps exactly.
const SLACK: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(super) struct Slicer {
    /// Sizes are in bytes. A piece has at least one byte.
    average: i64,
    variation: i64,
    delay: Duration,
    dice: Dice,
    chunk: Option<Chunk>,
    /// The lengths of its parts so far, the next piece's last. A part is cut again when its turn comes.
    lengths: Vec<usize>,
    ready: Instant,
    /// Whether the rest passes in one piece, after a change.
    let_go: bool,
}

impl Slicer {
    pub fn new(dice: Dice, now: Instant) -> Slicer {
        let (chunk, lengths) = (None, Vec::new());
        Slicer { average: 0, variation: 0, delay: Duration::ZERO, dice, chunk, lengths, ready: now, let_go: false }
    }

    /// Halves the next length, more or less the variation, until it is short enough for a piece.
    fn cut(&mut self) -> Option<usize> {
        let longest = usize::try_from(self.average.saturating_add(self.variation)).unwrap_or(0).max(1);
        let mut length = self.lengths.pop()?;
        while length > longest {
            let middle = (length as i64 / 2).saturating_add(self.dice.around_zero(self.variation));
            let left = middle.clamp(1, length as i64 - 1) as usize;
            self.lengths.push(length - left);
            length = left;
        }
        Some(length)
    }
}

impl Stage for Slicer {
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action {
        let nothing = self.chunk.is_none() && inbox.is_empty();
        if nothing && !inbox.is_finished() {
            return Action::Idle;
        }
        if self.ready > now {
            return Action::Wait(self.ready);
        }
        let Some(chunk) = self.chunk.take().or_else(|| inbox.take()) else {
            return inbox.end().map_or(Action::Idle, |ending| Action::Last(None, ending));
        };
        if std::mem::take(&mut self.let_go) {
            self.lengths.clear();
            return Action::Pass(chunk);
        }
        if self.lengths.is_empty() {
            self.lengths.push(chunk.data.len());
        }
        let length = self.cut().unwrap_or(chunk.data.len());
        let due = self.ready.max(chunk.came).max(now.checked_sub(SLACK).unwrap_or(now));
        self.ready = later(due, self.delay);
        let (passed, rest) = chunk.split(length);
        self.chunk = rest;
        *fired |= self.chunk.is_some();
        Action::Pass(passed)
    }

    fn update(&mut self, toxic: &ByteToxic, now: Instant) {
        if let ByteToxic::Slicer { average_size, size_variation, delay } = *toxic {
            (self.average, self.variation) = (average_size, size_variation.max(0));
            self.delay = Duration::from_micros(u64::try_from(delay).unwrap_or(0));
            (self.ready, self.let_go) = (now, self.chunk.is_some());
        }
    }

    fn leave(&mut self, _struck: &mut bool) -> Left {
        Left::of(self.chunk.take())
    }

    fn held(&self) -> Option<&Chunk> {
        self.chunk.as_ref()
    }
}
