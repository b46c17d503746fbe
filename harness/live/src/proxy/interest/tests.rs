use cutover_core::ids::{OpId, Seq};
use cutover_core::plan::Times;

use super::*;

fn interest(at: Position, kind: FaultKind) -> Interest {
    Interest::of(&PlannedFault { id: "f".into(), lane: None, client: "c".into(), at, kind, times: Times::Once })
}

fn of_pick(pick: impl FnOnce(&mut MessageFilter)) -> Interest {
    let mut picked = MessageFilter::any(Direction::Downstream);
    pick(&mut picked);
    interest(Position::Message(picked), FaultKind::Drop)
}

#[test]
fn http_is_read_only_where_a_fault_may_be_about_it() {
    for (seen, http, any) in [
        (of_pick(|_| ()), true, true),
        (of_pick(|pick| pick.kind = Some(MessageKind::Delivery)), false, false),
        (of_pick(|pick| pick.kind = Some(MessageKind::Ack)), true, false),
        (of_pick(|pick| pick.seq = Some(Seq(1))), false, false),
        (of_pick(|pick| pick.stream = Some("s".into())), true, false),
        (interest(Position::Ack { op: OpId(1) }, FaultKind::Drop), true, false),
        (interest(Position::ResumeReply { nth: 1 }, FaultKind::Drop), false, false),
    ] {
        assert_eq!((seen.http(Direction::Downstream), seen.any_http(Direction::Downstream)), (http, any));
        assert!(seen.frames(Direction::Downstream) && !seen.http(Direction::Upstream));
    }
}

#[test]
fn what_waits_for_answers_sees_what_is_asked() {
    let drain = FaultKind::Drain { code: 1012, within_ms: 1 };
    let delivery = Position::Delivery { stream: "s".into(), seq: Seq(1) };
    assert!(interest(delivery.clone(), drain).frames(Direction::Upstream));
    assert!(!interest(delivery, FaultKind::Drop).goes(Direction::Upstream));
    assert!(interest(Position::ResumeReply { nth: 1 }, FaultKind::Drop).frames(Direction::Upstream));
}
