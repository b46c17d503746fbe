//! Changes a cursor on its way to the lane.

use std::collections::BTreeMap;

use cutover_core::history::Rewrote;
use cutover_core::ids::{Cursor, StreamId};

use super::{Effect, Fate, Fault, Seen, Trigger};
use crate::frame::{Direction, Edit, FrameTag};

/// Rewrites one stream's cursor in the resume at its position, and in the frames that go on with that resume: those of
/// the same connection that do not open another one.
pub(super) struct RewriteCursor {
    trigger: Trigger,
    stream: StreamId,
    to: Cursor,
    /// The connections whose resume is being rewritten, and whether the ledger has that effect.
    under_way: BTreeMap<u32, bool>,
}

impl RewriteCursor {
    pub(super) fn new(trigger: Trigger, stream: StreamId, to: Cursor) -> RewriteCursor {
        RewriteCursor { trigger, stream, to, under_way: BTreeMap::new() }
    }
}

impl Fault for RewriteCursor {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Effect> {
        let reached = self.trigger.holds(seen);
        let FrameTag::Resume { cursors, opens } = seen.view.tag() else {
            return None;
        };
        if seen.view.frame().direction != Direction::Upstream {
            return None;
        }
        if *opens {
            self.under_way.remove(&seen.conn);
        }
        let asked = cursors.iter().find(|(stream, _)| *stream == self.stream);
        if reached && asked.is_some() {
            self.trigger.spend(seen);
            self.under_way.entry(seen.conn).or_insert(false);
        }
        let again = *self.under_way.get(&seen.conn)?;
        let (_, from) = asked?;
        self.under_way.insert(seen.conn, true);
        Some(Effect {
            fate: Fate::Edit(Edit::Cursor { stream: self.stream.clone(), to: self.to }),
            rewrote: Some(Rewrote { stream: self.stream.clone(), from: *from, to: self.to }),
            again,
        })
    }

    fn trigger(&mut self) -> &mut Trigger {
        &mut self.trigger
    }

    fn pass_by(&mut self, seen: &Seen<'_>) {
        self.trigger.holds(seen);
        if matches!(seen.view.tag(), FrameTag::Resume { opens: true, .. }) {
            self.under_way.remove(&seen.conn);
        }
    }

    fn forget(&mut self, conn: u32) {
        self.trigger.forget(conn);
        self.under_way.remove(&conn);
    }
}

#[cfg(test)]
mod tests;
