//! Counting against a count by hand, and taggers against any bytes.

use proptest::prelude::*;

use super::*;

/// A message of a client's or a lane's that is JSON.
fn text(direction: Direction, value: u8) -> Frame {
    Frame { direction, body: Body::Text(Bytes::from(format!(r#"{{"event":"e{}","v":{value}}}"#, value % 2))) }
}

proptest! {
    #[test]
    fn the_nth_is_counted_as_by_hand_and_a_forgotten_connection_leaves_nothing(
        messages in proptest::collection::vec((any_direction(), 0u8..4, 1u32..4, any::<bool>()), 0..60),
        nth in 1u32..5, by_proxy: bool, always: bool,
    ) {
        let per = if by_proxy { Scope::Proxy } else { Scope::Connection };
        let times = if always { Times::Always } else { Times::Once };
        let filter = MessageFilter {
            event: Some("e1".to_owned()),
            payload: Some(Predicate { pointer: "/v".to_owned(), equals: Some("3e0".to_owned()) }),
            nth: Some(nth),
            per,
            ..MessageFilter::any(plan::Direction::Upstream)
        };
        let mut fault = arm(&planned(filter, FaultKind::Drop, times));
        let tagger = crate::lane::GenericTagger;
        let mut counts = std::collections::BTreeMap::new();
        for (direction, value, conn, passes) in messages {
            let frame = text(direction, value);
            let mut expected = false;
            if direction == Direction::Upstream && value == 3 {
                let count = counts.entry(if by_proxy { 0 } else { conn }).or_insert(0);
                *count += 1;
                expected = *count == nth;
            }
            if passes {
                let view = View::new(&tagger, frame);
                fault.pass_by(&Seen { view: &view, conn, nth: 0, op: None });
            } else {
                prop_assert_eq!(shown(&mut *fault, &tagger, &frame, conn).is_some(), expected);
            }
        }
        for conn in 1..4 {
            fault.forget(conn);
        }
        prop_assert_eq!(fault.trigger().kept(), 0);
    }

    #[test]
    fn no_bytes_make_a_tagger_panic(bytes: Vec<u8>, to_lane: bool, body in 0u8..3, first in 0u8..4) {
        let direction = if to_lane { Direction::Upstream } else { Direction::Downstream };
        let bytes = Bytes::from([vec![first], bytes].concat());
        let body = match body {
            0 => Body::Text(bytes),
            1 => Body::Binary(bytes),
            _ => Body::Http(bytes),
        };
        torment(&Frame { direction, body });
    }

    #[test]
    fn no_damage_to_a_recorded_frame_makes_a_tagger_panic(
        wire in 0usize..100, index in 0usize..100, at: prop::sample::Index, byte: u8, cut: bool,
    ) {
        let wires = &*WIRES;
        let wire = &wires[wire % wires.len()];
        let mut frame = wire.frames[index % wire.frames.len()].clone();
        if let Body::Text(bytes) | Body::Binary(bytes) = &mut frame.body && !bytes.is_empty() {
            let mut damaged = bytes.to_vec();
            let at = at.index(damaged.len());
            damaged[at] = byte;
            if cut {
                damaged.truncate(at);
            }
            *bytes = Bytes::from(damaged);
        }
        torment_with(&*wire.tagger, &frame);
    }
}

static WIRES: std::sync::LazyLock<Vec<Wire>> = std::sync::LazyLock::new(wires);

fn any_direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Upstream), Just(Direction::Downstream)]
}

fn torment(frame: &Frame) {
    for wire in &*WIRES {
        torment_with(&*wire.tagger, frame);
    }
    torment_with(&crate::lane::GenericTagger, frame);
}

/// Asks everything of a frame that can be asked.
fn torment_with(tagger: &dyn FrameTagger, frame: &Frame) {
    let stream = StreamId::new("s1");
    let view = View::new(tagger, frame.clone());
    let _ = view.contents();
    for edit in [
        Edit::Cursor { stream: stream.clone(), to: Cursor(1) },
        Edit::RemoveEvent { stream: stream.clone(), seq: Seq(3) },
        Edit::ReplacePayload { stream: stream.clone(), seq: Seq(3), payload: "1".to_owned() },
        Edit::Misdeliver { stream: stream.clone(), seq: Seq(3), to_stream: stream.clone(), to_seq: Seq(4) },
        Edit::SetJson { events: Vec::new(), pointer: String::new(), value: "1".to_owned() },
        Edit::SetColumn { events: Vec::new(), column: "seq".to_owned(), value: "1".to_owned() },
    ] {
        let _ = view.edited(&edit);
    }
}
