use super::*;

#[test]
fn a_quick_lane_is_waited_for_a_second() {
    let timeout = ProgressTimeout::default();
    timeout.made_after(Duration::from_millis(20));
    assert_eq!(timeout.bound(), bounds::PATIENCE);
}

#[test]
fn a_slow_lane_is_waited_for_longer() {
    let timeout = ProgressTimeout::default();
    timeout.made_after(Duration::from_secs(5));
    timeout.made_after(Duration::from_millis(20));
    assert_eq!(timeout.bound().time, Duration::from_secs(20));
}

#[test]
fn a_lane_that_has_delivered_nothing_yet_is_waited_for_longer_than_a_quick_one() {
    assert!(ProgressTimeout::default().bound().time > bounds::PATIENCE.time);
}
