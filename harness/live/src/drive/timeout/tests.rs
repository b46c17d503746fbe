use super::*;

#[test]
fn a_quick_lane_is_waited_for_a_second() {
    let timeout = MeasuredTimeout::of_progress();
    timeout.ended_well(Duration::from_millis(20));
    assert_eq!(timeout.bound(), bounds::PATIENCE);
}

#[test]
fn a_slow_lane_is_waited_for_longer() {
    let timeout = MeasuredTimeout::of_progress();
    timeout.ended_well(Duration::from_secs(5));
    timeout.ended_well(Duration::from_millis(20));
    assert_eq!(timeout.bound().time, Duration::from_secs(20));
}

#[test]
fn a_lane_that_has_delivered_nothing_yet_is_waited_for_longer_than_a_quick_one() {
    assert!(MeasuredTimeout::of_progress().bound().time > bounds::PATIENCE.time);
}

#[test]
fn an_answer_is_waited_for_as_long_as_all_attempts_at_most() {
    let timeout = MeasuredTimeout::of_answers();
    assert_eq!(timeout.bound(), bounds::WRITE);
    timeout.ended_well(Duration::from_secs(4));
    assert_eq!(timeout.bound().time, Duration::from_secs(16));
    timeout.ended_well(Duration::from_secs(60));
    assert_eq!(timeout.bound().time, bounds::WRITE_TRIES.time);
}
