use super::*;

#[test]
fn a_step_counts_only_after_its_record() {
    let mut steps = Steps::default();
    steps.raise(5, 1);
    steps.raise(9, 3);
    assert_eq!([steps.before(5), steps.before(6), steps.before(9), steps.before(10)], [0, 1, 1, 3]);
}

#[test]
fn a_budget_in_flight_leaves_both_values_open() {
    let timeline = Timeline {
        budgets: vec![Setting { sent: 0, done: 0, value: None }, Setting { sent: 4, done: 8, value: Some(2) }],
        ..Timeline::default()
    };
    assert_eq!(timeline.budget(1, 3), (None, None));
    assert_eq!(timeline.budget(1, 6), (Some(2), None));
    assert_eq!(timeline.budget(9, 12), (Some(2), Some(2)));
}
