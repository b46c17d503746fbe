#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use cutover_core::ids::OpId;

use super::*;
use crate::fault::tests::Canned;
use crate::frame::{Body, Frame, View};

fn fires(trigger: &mut Trigger, direction: Direction, tag: FrameTag, nth: u32, op: Option<OpId>) -> bool {
    let frame = Frame { direction, body: Body::Text(Bytes::new()) };
    trigger.reached(&Seen { view: &View::new(&Canned(tag), frame), conn: 1, nth, op })
}

fn delivery(seq: u64) -> FrameTag {
    FrameTag::Delivery { events: vec![("s".into(), Seq(seq))], via: cutover_core::history::Via::Frame }
}

#[test]
fn a_fault_that_fires_once_lets_the_second_copy_pass() {
    let at = Position::Delivery { stream: "s".into(), seq: Seq(2) };
    let mut once = Trigger::new(at.clone(), Times::Once);
    let mut always = Trigger::new(at, Times::Always);
    for (seq, once_fires, always_fires) in [(1, false, false), (2, true, true), (2, false, true)] {
        assert_eq!(fires(&mut once, Direction::Downstream, delivery(seq), 0, None), once_fires);
        assert_eq!(fires(&mut always, Direction::Downstream, delivery(seq), 0, None), always_fires);
    }
}

#[test]
fn an_ack_is_reached_only_while_its_operation_is_in_flight() {
    let mut trigger = Trigger::new(Position::Ack { op: OpId(7) }, Times::Once);
    assert!(!fires(&mut trigger, Direction::Downstream, FrameTag::Ack, 0, None));
    assert!(!fires(&mut trigger, Direction::Downstream, FrameTag::Ack, 0, Some(OpId(6))));
    assert!(fires(&mut trigger, Direction::Downstream, FrameTag::Ack, 0, Some(OpId(7))));
}

#[test]
fn the_second_frame_of_a_resume_is_no_resume_of_its_own() {
    let mut trigger = Trigger::new(Position::Resume { nth: 1 }, Times::Once);
    let tag = |opens| FrameTag::Resume { cursors: vec![], opens };
    assert!(!fires(&mut trigger, Direction::Upstream, tag(false), 1, None));
    assert!(fires(&mut trigger, Direction::Upstream, tag(true), 1, None));
}
