//! Faults: each decides what becomes of a frame; none moves data. The proxy obeys.

use std::time::Duration;

use cutover_core::history::Rewrote;
use cutover_core::plan::{Cut, Release, When};

use crate::frame::{Edit, Frame, FrameTag};

/// What becomes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes through untouched.
    Pass,
    /// It and all behind it wait, in order.
    Delay(Duration),
    /// It and all behind it wait, in order, for an event.
    Hold(Release),
    /// It changes places with the next frame that delivers events.
    DeliverAfterNext,
    /// It goes through this many more times.
    Repeat(u8),
    /// It goes through changed.
    Edit(Edit),
    /// It is lost.
    Drop,
    /// The connection ends, before or after the frame.
    Cut(Cut, When),
}

/// A fault's decision, with what the ledger is to keep of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// What becomes of the frame.
    pub fate: Fate,
    /// For a rewritten cursor.
    pub rewrote: Option<Rewrote>,
}

/// A fault. Sync and pure but for its own count: the same frames in the same order give the same fates.
pub trait Fault: Send {
    /// What becomes of this frame; `None` lets the next fault decide. The first that decides wins.
    fn on_frame(&mut self, frame: &Frame, tag: &FrameTag) -> Option<Strike>;
}
