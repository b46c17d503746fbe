//! What a filter asks for.

use super::*;

#[test]
fn a_message_is_matched_by_event_stream_seq_and_payload_together() {
    for wire in wires() {
        let views = wire.frames.iter().map(|frame| View::new(&*wire.tagger, frame.clone()));
        let (event, payload) = views
            .filter_map(|view| {
                let contents = view.contents();
                let mut events = contents.events.iter().filter(|event| event.seq == Some(Seq(3)));
                let event = events.find(|event| event.stream.as_str() == wire.stream)?;
                Some((contents.names[0].clone(), event.payload.clone()))
            })
            .next()
            .unwrap();
        let filter = MessageFilter {
            event: Some(event),
            stream: Some(StreamId::new(wire.stream)),
            seq: Some(Seq(3)),
            payload: Some(Predicate { pointer: String::new(), equals: Some(format!(" {payload} ")) }),
            ..deliveries()
        };
        assert_eq!(fires(&wire, &mut *armed(filter.clone(), FaultKind::Drop)).len(), 1, "{}", wire.name);
        let other_value = Predicate { pointer: String::new(), equals: Some("\"another\"".to_owned()) };
        for never in [
            MessageFilter { event: Some("nope".to_owned()), ..filter.clone() },
            MessageFilter { stream: Some("nope".into()), ..filter.clone() },
            MessageFilter { seq: Some(Seq(9999)), ..filter.clone() },
            MessageFilter { payload: Some(other_value), ..filter.clone() },
            MessageFilter { direction: plan::Direction::Upstream, ..filter.clone() },
            MessageFilter { kind: Some(MessageKind::Close), ..filter },
        ] {
            let mut fault = armed(never.clone(), FaultKind::Drop);
            assert_eq!(fires(&wire, &mut *fault), [], "{} {never:?}", wire.name);
        }
    }
}

#[test]
fn pings_pongs_and_closes_are_sorts_of_message_on_every_wire() {
    let empty = Bytes::new;
    for wire in wires() {
        for (body, kind) in [
            (Body::Ping(empty()), MessageKind::Heartbeat),
            (Body::Pong(empty()), MessageKind::HeartbeatReply),
            (Body::Close(empty()), MessageKind::Close),
        ] {
            for direction in [Direction::Upstream, Direction::Downstream] {
                let frame = Frame { direction, body: body.clone() };
                let mut fault =
                    armed(MessageFilter { kind: Some(kind), ..MessageFilter::any(direction) }, FaultKind::Drop);
                assert!(shown(&mut *fault, &*wire.tagger, &frame, 1).is_some(), "{} {kind:?}", wire.name);
            }
        }
    }
}

#[test]
fn once_is_once_on_each_connection_unless_the_proxy_is_counted() {
    let wire = phoenix_wire("v2_join_subscribe_live_leave", Serializer::V2, Names::any());
    let frame = &wire.frames[3];
    for (per, expected) in [(Scope::Connection, 2), (Scope::Proxy, 1)] {
        let mut fault = armed(MessageFilter { per, ..deliveries() }, FaultKind::Drop);
        let fired = [1, 1, 2, 2].into_iter().filter(|conn| shown(&mut *fault, &*wire.tagger, frame, *conn).is_some());
        assert_eq!(fired.count(), expected);
    }
}
