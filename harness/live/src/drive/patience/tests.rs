use super::*;

#[test]
fn a_quick_lane_is_waited_for_a_second() {
    let patience = Patience::default();
    patience.progressed(Duration::from_millis(20));
    assert_eq!(patience.window(), bounds::PATIENCE);
}

#[test]
fn a_lane_that_takes_its_time_is_given_more() {
    let patience = Patience::default();
    patience.progressed(Duration::from_secs(5));
    patience.progressed(Duration::from_millis(20));
    assert_eq!(patience.window().time, Duration::from_secs(20));
}

#[test]
fn a_lane_that_has_delivered_nothing_yet_is_given_longer_than_a_quick_one() {
    assert!(Patience::default().window().time > bounds::PATIENCE.time);
}
