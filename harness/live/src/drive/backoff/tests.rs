use super::*;

#[test]
fn waits_are_the_plans_then_double_up_to_a_cap() {
    let mut backoff = Backoff::new(vec![7, 20]);
    let mut waits = || backoff.after_failure(None).as_millis();
    let first: Vec<u128> = (0..5).map(|_| waits()).collect();
    assert_eq!(first, [7, 20, 40, 80, 160]);
    let later: Vec<u128> = (0..40).map(|_| waits()).collect();
    assert_eq!(later.last(), Some(&CAP.as_millis()));
    backoff.reset();
    assert_eq!(backoff.after_failure(None).as_millis(), 7);
}

#[test]
fn what_a_lane_asks_for_is_waited_and_jittered() {
    let mut backoff = Backoff::new(vec![7]);
    assert_eq!(backoff.after_failure(Some(Duration::from_secs(1))).as_millis(), 1007);
}

#[test]
fn a_plan_without_waits_waits_all_the_same() {
    assert!(!Backoff::new(Vec::new()).after_failure(None).is_zero());
}

#[test]
fn a_habit_ends_at_its_last_wait_and_begins_anew_with_each_connection() {
    let mut backoff = Backoff::of_habit(cutover_core::plan::habit_of("phoenix-1.8.15").expect("a habit"));
    let mut waits = || backoff.after_failure(None).as_millis();
    let waited: Vec<u128> = (0..12).map(|_| waits()).collect();
    assert_eq!(waited, [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000, 5000]);
    backoff.reset();
    assert_eq!(backoff.after_failure(None).as_millis(), 10);
}
