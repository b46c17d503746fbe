//! Each kind and each sort of message on every wire.

use super::*;

#[test]
fn every_kind_fires_the_second_delivery_on_every_wire() {
    let ms = Duration::from_millis;
    let kinds = [
        (FaultKind::Drop, Fate::Drop),
        (FaultKind::Repeat { more: 2 }, Fate::Repeat(2)),
        (FaultKind::Delay { ms: 5 }, Fate::Delay(ms(5))),
        (FaultKind::Hold { until: Release::Heal }, Fate::Hold(Release::Heal)),
        (FaultKind::Reorder { behind: 2, within_ms: 9 }, Fate::Reorder(2, ms(9))),
        (FaultKind::Split { frames: 3 }, Fate::Split(3)),
        (FaultKind::Merge { messages: 2, within_ms: 9 }, Fate::Merge(2, ms(9))),
        (FaultKind::Drain { code: 1012, within_ms: 9 }, Fate::Drain(1012, ms(9))),
        (FaultKind::Cut { how: Cut::Reset, when: When::After }, Fate::Cut(Cut::Reset, When::After)),
    ];
    for wire in wires() {
        let mut always = arm(&planned(deliveries(), FaultKind::Drop, Times::Always));
        let second = fires(&wire, &mut *always)[1].0;
        for (kind, fate) in &kinds {
            let second_delivery = MessageFilter { nth: Some(2), ..deliveries() };
            let mut fault = armed(second_delivery, kind.clone());
            assert_eq!(fires(&wire, &mut *fault), [(second, fate.clone())], "{} {kind:?}", wire.name);
        }
    }
}

#[test]
fn each_sort_of_message_is_found_on_every_wire() {
    for wire in wires() {
        let spacetime = wire.stream == "s1";
        let found = |direction, kind| {
            let filter = MessageFilter { kind: Some(kind), ..MessageFilter::any(direction) };
            !fires(&wire, &mut *armed(filter, FaultKind::Drop)).is_empty()
        };
        let greeter = if spacetime { plan::Direction::Downstream } else { plan::Direction::Upstream };
        assert!(found(greeter, MessageKind::Join), "{}: join", wire.name);
        assert!(found(plan::Direction::Upstream, MessageKind::Resume), "{}: resume", wire.name);
        assert!(found(plan::Direction::Downstream, MessageKind::ResumeReply), "{}: reply", wire.name);
        assert!(!found(plan::Direction::Upstream, MessageKind::Delivery), "{}", wire.name);
        if spacetime {
            assert!(found(plan::Direction::Upstream, MessageKind::Publish), "{}: publish", wire.name);
        }
    }
}
