//! What is changed is what was asked for, and nothing else.

use super::*;

/// The frame with the one edit that the fault decides on.
fn edited(wire: &Wire, kind: &FaultKind, filter: &MessageFilter) -> Vec<(Frame, Frame)> {
    let mut fault = arm(&planned(filter.clone(), kind.clone(), Times::Always));
    let mut changed = Vec::new();
    for frame in &wire.frames {
        if let Some(Effect { fate: Fate::Edit(edit), .. }) = shown(&mut *fault, &*wire.tagger, frame, 1) {
            changed.extend(wire.tagger.edit(frame, &edit).map(|edited| (frame.clone(), edited)));
        }
    }
    changed
}

fn compression(frame: &Frame) -> Option<u8> {
    match &frame.body {
        Body::Binary(bytes) => bytes.first().copied(),
        _ => None,
    }
}

#[test]
fn a_value_that_was_set_is_read_back_and_nothing_else_has_changed() {
    for wire in wires() {
        let filter = MessageFilter { stream: Some(StreamId::new(wire.stream)), seq: Some(Seq(3)), ..deliveries() };
        let mutation = Mutation::SetJson { pointer: String::new(), value: r#"{"planted":[1,2]}"#.to_owned() };
        let changed = edited(&wire, &FaultKind::Mutate { mutation }, &filter);
        assert!(!changed.is_empty(), "{}", wire.name);
        let planted = MessageFilter {
            payload: Some(Predicate { pointer: "/planted/1".to_owned(), equals: Some("2.0".to_owned()) }),
            ..filter.clone()
        };
        for (before, after) in changed {
            assert_eq!(compression(&before), compression(&after), "{}", wire.name);
            assert!(shown(&mut *armed(planted.clone(), FaultKind::Drop), &*wire.tagger, &after, 1).is_some());
            let events = |frame: &Frame| View::new(&*wire.tagger, frame.clone()).contents().events.clone();
            let (before, after) = (events(&before), events(&after));
            assert_eq!(before.len(), after.len(), "{}", wire.name);
            for (before, after) in before.iter().zip(&after) {
                let is_it = before.stream.as_str() == wire.stream && before.seq == Some(Seq(3));
                assert_eq!((&before.stream, before.seq), (&after.stream, after.seq));
                assert_eq!(before.payload != after.payload, is_it, "{}", wire.name);
            }
        }
    }
}

#[test]
fn a_column_is_set_by_name_and_only_to_a_value_of_its_type() {
    for wire in wires() {
        let set = |column: &str, value: &str| {
            let mutation = Mutation::SetColumn { column: column.to_owned(), value: value.to_owned() };
            edited(&wire, &FaultKind::Mutate { mutation }, &deliveries())
        };
        let changed = set("seq", "777");
        assert!(!changed.is_empty(), "{}", wire.name);
        let compressed = wire.name.contains("gzip") || wire.name.contains("brotli");
        let stays_compressed = changed.iter().any(|(_, after)| compression(after) != Some(0));
        assert!(stays_compressed || !compressed, "{}", wire.name);
        for (before, after) in changed {
            assert_eq!(compression(&before), compression(&after), "{}", wire.name);
            let view = View::new(&*wire.tagger, after);
            assert!(view.contents().events.iter().all(|event| event.seq == Some(Seq(777))), "{}", wire.name);
        }
        assert!(set("no_such_column", "1").is_empty(), "{}", wire.name);
        if wire.stream == "s1" {
            assert!(set("seq", "\"777\"").is_empty(), "{}: a text is no number", wire.name);
            assert!(set("payload", "7").is_empty(), "{}: a number is no text", wire.name);
        }
    }
}

#[test]
fn what_is_published_over_the_socket_can_be_changed() {
    for wire in wires().iter().filter(|wire| wire.stream == "s1") {
        let filter = MessageFilter {
            event: Some("append_sync_event".to_owned()),
            ..MessageFilter::any(plan::Direction::Upstream)
        };
        let mutation = Mutation::SetColumn { column: "payload".to_owned(), value: r#""{\"n\":77}""#.to_owned() };
        let changed = edited(wire, &FaultKind::Mutate { mutation }, &filter);
        assert!(!changed.is_empty(), "{}", wire.name);
        for (_, after) in changed {
            let view = View::new(&*wire.tagger, after);
            assert_eq!(view.contents().events[0].payload, r#"{"n":77}"#, "{}", wire.name);
        }
    }
}

#[test]
fn a_change_that_does_not_apply_leaves_the_fault_armed() {
    let wire = phoenix_wire("v2_join_subscribe_live_leave", Serializer::V2, Names::any());
    let set = |pointer: &str| FaultKind::Mutate {
        mutation: Mutation::SetJson { pointer: pointer.to_owned(), value: "9".to_owned() },
    };
    // Only deliveries have such a place; the join's reply and the others before them do not.
    let mut fault = armed(MessageFilter::any(plan::Direction::Downstream), set("/n"));
    let fired = fires(&wire, &mut *fault);
    assert_eq!(fired.len(), 1);
    assert!(matches!(wire.tagger.tag(&wire.frames[fired[0].0]), FrameTag::Delivery { .. }));
    assert_eq!(fires(&wire, &mut *armed(MessageFilter::any(plan::Direction::Downstream), set("/nowhere"))), []);
}

#[test]
fn a_cursor_is_rewritten_in_whichever_resume_is_matched() {
    for wire in wires() {
        let kind = FaultKind::RewriteCursor { stream: StreamId::new(wire.stream), to: Cursor(40) };
        let resumes =
            MessageFilter { stream: Some(StreamId::new(wire.stream)), ..MessageFilter::any(plan::Direction::Upstream) };
        let changed = edited(&wire, &kind, &resumes);
        for (_, after) in &changed {
            let FrameTag::Resume { cursors, .. } = wire.tagger.tag(after) else { panic!("{}", wire.name) };
            assert!(cursors.contains(&(StreamId::new(wire.stream), Some(Cursor(40)))), "{}", wire.name);
        }
        if wire.stream != "s1" {
            assert!(!changed.is_empty(), "{}", wire.name);
        }
    }
}
