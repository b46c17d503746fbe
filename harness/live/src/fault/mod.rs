//! Faults: each decides what becomes of a frame. The proxy moves the data.
//!
//! A fault holds a [`Trigger`] and names a [`Fate`] when the trigger is reached. A new fault has an arm in [`arm`]: its
//! fate, or a file here if its decision depends on what a frame carries.

#![allow(missing_docs, reason = "the names say it")]

mod decide;
mod filter;
mod mutate;
mod rewrite_cursor;
#[cfg(test)]
mod tests;
mod trigger;

use std::time::Duration;

use cutover_core::history::Rewrote;
use cutover_core::ids::OpId;
use cutover_core::plan::{Cut, FaultKind, Mutation, PlannedFault, Release, When};

use crate::frame::{Edit, View};

pub use trigger::Trigger;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Pass,
    /// It and all behind it wait, in order.
    Delay(Duration),
    /// It and all behind it wait, in order, for an event.
    Hold(Release),
    /// It changes places with the next frame that delivers events.
    DeliverAfterNext,
    Repeat(u8),
    /// Changes by several faults add up, and a fault that decides on something else may follow.
    Edit(Edit),
    Reorder(u8, Duration),
    Split(u16),
    Merge(u8, Duration),
    /// The frame goes through; the connection is closed once nothing on it is unanswered, or the time is up.
    Drain(u16, Duration),
    Drop,
    Cut(Cut, When),
}

impl Fate {
    /// Whether it is impossible where only the beginning of a message is at hand.
    pub fn needs_whole(&self) -> bool {
        use Fate::{DeliverAfterNext, Merge, Reorder, Repeat, Split};
        matches!(self, Repeat(_) | DeliverAfterNext | Reorder(..) | Split(_) | Merge(..))
    }
}

/// A fault's decision, with what the ledger is to keep of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub fate: Fate,
    pub rewrote: Option<Rewrote>,
    /// Whether the ledger has this effect already (second frame of a resume in two frames): it is not counted again.
    pub again: bool,
}

impl Effect {
    pub fn new(fate: Fate) -> Effect {
        Effect { fate, rewrote: None, again: false }
    }
}

/// A frame as a fault sees it. The proxy counts once for all faults, so that the count is right in a fault that was not
/// called because an earlier one decided.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The frame and what it carries, with the changes that faults before this one have made.
    pub view: &'a View<'a>,
    /// Which connection, from 1.
    pub conn: u32,
    /// For an opening resume: which one of the client, from 1. For a resume's reply: of which resume. For a heartbeat's
    /// reply: which one of the client. Otherwise 0.
    pub nth: u32,
    /// The writer's operation in flight, as the driver says.
    pub op: Option<OpId>,
}

/// A fault. Sync and pure but for its own state: the same frames in the same order give the same fates.
pub trait Fault: Send {
    /// What becomes of this frame; `None` lets the next fault decide. The first that decides wins; edits add up.
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Effect>;

    fn trigger(&mut self) -> &mut Trigger;

    /// Counts a frame on which an earlier fault has decided.
    fn pass_by(&mut self, seen: &Seen<'_>) {
        self.trigger().holds(seen);
    }

    fn forget(&mut self, conn: u32) {
        self.trigger().forget(conn);
    }
}

pub fn arm(planned: &PlannedFault) -> Box<dyn Fault> {
    let trigger = Trigger::new(planned.at.clone(), planned.times);
    let fate = match &planned.kind {
        FaultKind::RewriteCursor { stream, to } => {
            return Box::new(rewrite_cursor::RewriteCursor::new(trigger, stream.clone(), *to));
        }
        FaultKind::Mutate { mutation } => match mutation {
            Mutation::SwapWithNext => Fate::DeliverAfterNext,
            Mutation::Flood { more } => Fate::Repeat(*more),
            edit => return Box::new(mutate::Mutate { trigger, mutation: edit.clone() }),
        },
        FaultKind::Cut { how, when } => Fate::Cut(*how, *when),
        FaultKind::Repeat { more } => Fate::Repeat(*more),
        FaultKind::Delay { ms } => Fate::Delay(Duration::from_millis(*ms)),
        FaultKind::Hold { until } => Fate::Hold(until.clone()),
        FaultKind::Drop => Fate::Drop,
        FaultKind::Reorder { behind, within_ms } => Fate::Reorder(*behind, Duration::from_millis(*within_ms)),
        FaultKind::Split { frames } => Fate::Split(*frames),
        FaultKind::Merge { messages, within_ms } => Fate::Merge(*messages, Duration::from_millis(*within_ms)),
        FaultKind::Drain { code, within_ms } => Fate::Drain(*code, Duration::from_millis(*within_ms)),
    };
    Box::new(decide::Decide { trigger, fate })
}
