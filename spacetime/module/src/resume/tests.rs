use super::{StreamView, check_resume};
use crate::canonical::canonical;
use crate::refusal::Refusal;

/// Two streams: `e` holds 8 to 20, `s`, a summary stream, holds 5 to 6; both replay at most 10 events.
fn view(stream_id: &str) -> Option<StreamView> {
    let (oldest_seq, head_seq, summary_table) = match stream_id {
        "e" => (8, 20, None),
        "s" => (5, 6, Some("runtime.sync_run_summaries")),
        _ => return None,
    };
    Some(StreamView { oldest_seq, head_seq, replay_budget_events: 10, qos_tier: "warm", summary_table })
}

fn resume(cursors: &[(&str, u64)]) -> Result<(), Refusal> {
    let cursors: Vec<_> = cursors.iter().map(|(stream_id, cursor)| ((*stream_id).to_owned(), *cursor)).collect();
    check_resume(&cursors, view, |_| true)
}

fn reasons(cursors: &[(&str, u64)]) -> Vec<&'static str> {
    match resume(cursors) {
        Err(Refusal::StaleCursor(stale)) => stale.iter().map(|stream| stream.reason.word()).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_cursor_at_the_floor_is_resumed_and_one_below_is_not() {
    assert_eq!(resume(&[("s", 4)]), Ok(()));
    assert_eq!(reasons(&[("s", 3)]), ["retention_floor_breach"]);
}

#[test]
fn a_lag_of_the_budget_is_resumed_and_one_more_is_not() {
    assert_eq!(resume(&[("e", 10)]), Ok(()));
    assert_eq!(reasons(&[("e", 9)]), ["replay_budget_exceeded"]);
}

#[test]
fn the_floor_is_checked_before_the_budget() {
    assert_eq!(reasons(&[("e", 6)]), ["retention_floor_breach"]);
    assert_eq!(reasons(&[("e", 7)]), ["replay_budget_exceeded"]);
}

#[test]
fn a_cursor_beyond_the_head_is_resumed() {
    assert_eq!(resume(&[("e", 21), ("s", u64::MAX)]), Ok(()));
}

#[test]
fn unknown_streams_are_refused_before_stale_ones_and_alone() {
    let refused = resume(&[("nope", 0), ("e", 0), ("neither", 1)]);
    assert_eq!(refused, Err(Refusal::ForbiddenTopic(vec!["nope".to_owned(), "neither".to_owned()])));
}

#[test]
fn a_resume_of_nothing_or_of_two_cursors_for_one_stream_is_refused() {
    assert_eq!(resume(&[]), Err(Refusal::BadSubscription));
    assert_eq!(resume(&[(" ", 1)]), Err(Refusal::BadSubscription));
    assert_eq!(resume(&[("e", 15), ("e ", 16)]), Err(Refusal::BadSubscription));
    assert_eq!(resume(&[("e", 15), (" e", 15)]), Ok(()));
}

#[test]
fn the_stale_reply_names_each_stream_and_each_reason_once() {
    let Err(refusal) = resume(&[("e", 9), ("s", 1), ("e ", 9)]) else { panic!("resumed") };
    let expect = concat!(
        r#"{"code":"stale_cursor","full_resync_required":true,"message":"cursor cannot be resumed","#,
        r#""reason_codes":["replay_budget_exceeded","retention_floor_breach"],"#,
        r#""snapshot_plan":{"format":"openagents.sync.snapshot.v1","topics":[{"head_watermark":6,"snapshot":"#,
        r#"{"cadence_seconds":300,"format":"openagents.sync.snapshot.v1","schema_version":1,"#,
        r#""source_table":"runtime.sync_run_summaries","topic":"s"},"topic":"s"}]},"#,
        r#""stale_topics":[{"head_watermark":20,"qos_tier":"warm","reason":"replay_budget_exceeded","#,
        r#""replay_budget_events":10,"replay_lag":11,"resume_after":9,"retention_floor":7,"topic":"e"},"#,
        r#"{"head_watermark":6,"qos_tier":"warm","reason":"retention_floor_breach","#,
        r#""replay_budget_events":10,"replay_lag":5,"resume_after":1,"retention_floor":4,"topic":"s"}]}"#,
    );
    assert_eq!(canonical(&refusal.to_json()).as_deref(), Ok(expect));
}

#[test]
fn streams_that_are_not_granted_are_named_unless_some_are_unknown() {
    let asked = |ids: &[&str]| {
        let cursors: Vec<_> = ids.iter().map(|stream_id| ((*stream_id).to_owned(), 0)).collect();
        check_resume(&cursors, view, |stream_id| stream_id == "e")
    };
    assert_eq!(asked(&["e", "s"]), Err(Refusal::ForbiddenTopic(vec!["s".to_owned()])));
    assert_eq!(asked(&["s", "x"]), Err(Refusal::ForbiddenTopic(vec!["x".to_owned()])));
}
