use std::time::Duration;

use super::*;

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn put(order: &mut Order, raw: &'static str, way: Way) -> Vec<Bytes> {
    order.put(&FrameTag::Other, Bytes::from_static(raw.as_bytes()), way)
}

#[test]
fn a_message_that_goes_behind_two_lets_two_pass() {
    let mut order = Order::default();
    assert!(put(&mut order, "a", Way::Behind(2, later())).is_empty());
    assert_eq!(put(&mut order, "b", Way::Now), ["b"]);
    assert_eq!(put(&mut order, "c", Way::Now), ["c", "a"]);
    assert!(!order.keeps());
}

#[test]
fn several_messages_behind_others_keep_their_own_order() {
    let mut order = Order::default();
    put(&mut order, "a", Way::Behind(2, later()));
    put(&mut order, "b", Way::Behind(2, later()));
    assert_eq!(put(&mut order, "c", Way::Now), ["c"]);
    assert_eq!(put(&mut order, "d", Way::Now), ["d", "a", "b"]);
}

#[test]
fn messages_that_leave_together_leave_in_one_write() {
    let mut order = Order::default();
    assert!(put(&mut order, "a", Way::Together(3, later())).is_empty());
    assert!(put(&mut order, "b", Way::Now).is_empty());
    assert_eq!(put(&mut order, "c", Way::Now), ["abc"]);
    assert_eq!(put(&mut order, "d", Way::Now), ["d"]);
}

#[test]
fn time_lets_go_what_nothing_has_passed() {
    let mut order = Order::default();
    let now = Instant::now();
    put(&mut order, "a", Way::Behind(2, now));
    put(&mut order, "b", Way::Together(2, now + Duration::from_secs(1)));
    assert_eq!(order.due(), Some(now));
    // What goes on while others gather goes with them.
    assert_eq!(order.expire(now), ["ba"]);
    assert_eq!(order.due(), None);
}

#[test]
fn what_is_kept_back_is_bounded() {
    let mut order = Order::default();
    let mut out = Vec::new();
    for _ in 0..=KEPT_MAX {
        out = put(&mut order, "a", Way::Behind(200, later()));
    }
    assert_eq!(out.len(), KEPT_MAX + 1);
    assert!(!order.keeps());
}
