use super::*;

fn window(oldest_seq: u64, head_seq: u64, replay_budget_events: u64) -> Window {
    Window { oldest_seq, head_seq, replay_budget_events, qos_tier: "warm".to_owned() }
}

#[test]
fn a_cursor_at_the_floor_resumes_and_one_below_does_not() {
    let window = window(8, 10, 100);
    assert_eq!(reason(7, &window, &Defects::default()), None);
    assert_eq!(reason(6, &window, &Defects::default()), Some(FLOOR));
    assert_eq!(reason(0, &window, &Defects::default()), Some(FLOOR));
}

#[test]
fn a_lag_of_the_budget_resumes_and_one_more_does_not() {
    let window = window(1, 10, 4);
    assert_eq!(reason(6, &window, &Defects::default()), None);
    assert_eq!(reason(5, &window, &Defects::default()), Some(BUDGET));
}

#[test]
fn the_floor_is_checked_before_the_budget() {
    let both = window(8, 10, 1);
    assert_eq!(reason(6, &both, &Defects::default()), Some(FLOOR));
    assert_eq!(reason(7, &both, &Defects::default()), Some(BUDGET));
}

#[test]
fn a_cursor_beyond_the_head_is_not_stale_and_an_empty_topic_has_floor_zero() {
    assert_eq!(reason(99, &window(8, 10, 1), &Defects::default()), None);
    assert_eq!(reason(0, &window(0, 0, 0), &Defects::default()), None);
}

#[test]
fn each_planted_defect_errs_in_its_own_way() -> Result<(), crate::defects::UnknownDefect> {
    let both = window(8, 10, 1);
    assert_eq!(reason(0, &both, &Defects::parse("accept-stale")?), None);
    assert_eq!(reason(0, &both, &Defects::parse("wrong-stale-reason")?), Some(BUDGET));
    assert_eq!(reason(6, &window(8, 10, 100), &Defects::parse("stale-off-by-one")?), None);
    assert_eq!(reason(5, &window(8, 10, 100), &Defects::parse("stale-off-by-one")?), Some(FLOOR));
    Ok(())
}

#[test]
fn reasons_are_unique_and_only_summary_topics_are_in_the_plan() {
    let stale = |topic: &str| StaleTopic {
        topic: topic.to_owned(),
        resume_after: 1,
        reason: FLOOR,
        window: window(8, 10, 100),
    };
    let value = refusal(&[stale("run:r1:events"), stale("runtime.run_summaries")], &Defects::default());
    assert_eq!(value["reason_codes"], json!([FLOOR]));
    assert_eq!(value["stale_topics"].as_array().map(Vec::len), Some(2));
    assert_eq!(value["snapshot_plan"]["topics"].as_array().map(Vec::len), Some(1));
}
