#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use cutover_core::plan::{Position, Times};

use super::*;
use crate::fault::tests::Canned;
use crate::frame::{Body, Frame, View};

fn check(fault: &mut RewriteCursor, conn: u32, nth: u32, opens: bool) -> Option<(Option<Cursor>, bool)> {
    let frame = Frame { direction: Direction::Upstream, body: Body::Text(Bytes::new()) };
    let tag = FrameTag::Resume { cursors: vec![("s".into(), Some(Cursor(4)))], opens };
    let effect = fault.on_frame(&Seen { view: &View::new(&Canned(tag), frame), conn, nth, op: None })?;
    Some((effect.rewrote.unwrap().from, effect.again))
}

#[test]
fn both_frames_of_the_resume_are_rewritten_and_one_effect_is_counted() {
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
