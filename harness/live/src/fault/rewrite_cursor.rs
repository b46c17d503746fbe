//! Makes the lane see another cursor than the client sent.

use std::collections::BTreeMap;

use cutover_core::history::Rewrote;
use cutover_core::ids::{Cursor, StreamId};

use super::{Fate, Fault, Seen, Strike, Trigger};
use crate::frame::{Direction, Edit, FrameTag};

/// Rewrites one stream's cursor in the resume at its position, and in the frames that go on with that resume: those of
/// the same connection that do not open another one.
pub(super) struct RewriteCursor {
    trigger: Trigger,
    stream: StreamId,
    to: Cursor,
    /// The connections whose resume is being rewritten, and whether the ledger has that strike.
    under_way: BTreeMap<u32, bool>,
}

impl RewriteCursor {
    pub(super) fn new(trigger: Trigger, stream: StreamId, to: Cursor) -> RewriteCursor {
        RewriteCursor {
            trigger,
            stream,
            to,
            under_way: BTreeMap::new(),
        }
    }
}

impl Fault for RewriteCursor {
    fn on_frame(&mut self, seen: &Seen<'_>) -> Option<Strike> {
        let reached = self.trigger.holds(seen);
        let FrameTag::Resume { cursors, opens } = seen.view.tag() else {
            return None;
        };
        if seen.view.frame().direction != Direction::ToLane {
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
        Some(Strike {
            fate: Fate::Edit(Edit::Cursor {
                stream: self.stream.clone(),
                to: self.to,
            }),
            rewrote: Some(Rewrote {
                stream: self.stream.clone(),
                from: *from,
                to: self.to,
            }),
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;
    use cutover_core::plan::{Position, Times};

    use super::*;
    use crate::fault::tests::Canned;
    use crate::frame::{Body, Frame, View};

    fn check(fault: &mut RewriteCursor, conn: u32, nth: u32, opens: bool) -> Option<(Option<Cursor>, bool)> {
        let frame = Frame {
            direction: Direction::ToLane,
            body: Body::Text(Bytes::new()),
        };
        let tag = FrameTag::Resume {
            cursors: vec![("s".into(), Some(Cursor(4)))],
            opens,
        };
        let strike = fault.on_frame(&Seen {
            view: &View::new(&Canned(tag), frame),
            conn,
            nth,
            op: None,
        })?;
        Some((strike.rewrote.unwrap().from, strike.again))
    }

    #[test]
    fn both_frames_of_the_resume_are_rewritten_and_one_strike_is_counted() {
        let trigger = Trigger::new(Position::Resume { nth: 2 }, Times::Once);
        let mut fault = RewriteCursor::new(trigger, "s".into(), Cursor(9));
        assert_eq!(check(&mut fault, 1, 1, true), None);
        assert_eq!(check(&mut fault, 1, 0, false), None);
        assert_eq!(check(&mut fault, 2, 2, true), Some((Some(Cursor(4)), false)));
        assert_eq!(check(&mut fault, 1, 0, false), None, "another connection's frame");
        assert_eq!(check(&mut fault, 2, 0, false), Some((Some(Cursor(4)), true)));
        assert_eq!(check(&mut fault, 2, 3, true), None, "the next resume");
        assert_eq!(check(&mut fault, 2, 0, false), None);
    }
}
