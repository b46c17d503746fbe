//! The stale check at its boundaries, through a real server.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::client::{Client, STREAM, none, published, some};

/// Events 6 to 20 are held, so the floor is 5; the budget is 12, so a cursor may be as low as 8.
fn with_a_pruned_stream(check: impl FnOnce(&Client)) {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    client.must("create_stream", json!([STREAM, "", "", some(15), some(12)]));
    for number in 1..=20 {
        client.append(&format!("k{number}"), &number.to_string());
    }
    check(&client);
}

fn resume(cursor: u64) -> Value {
    json!([[{"stream_id": STREAM, "resume_after": cursor}]])
}

#[test]
fn a_lag_of_exactly_the_budget_is_resumed_and_one_more_is_refused() {
    with_a_pruned_stream(|client| {
        client.must("resume_stream", resume(8));
        let refusal = client.refused("resume_stream", resume(7));
        assert_eq!(refusal["code"], "stale_cursor");
        assert_eq!(refusal["full_resync_required"], true);
        assert_eq!(refusal["reason_codes"], json!(["replay_budget_exceeded"]));
        let stale = json!([{
            "topic": STREAM, "reason": "replay_budget_exceeded", "qos_tier": "warm", "resume_after": 7,
            "retention_floor": 5, "head_watermark": 20, "replay_lag": 13, "replay_budget_events": 12
        }]);
        assert_eq!(refusal["stale_topics"], stale);
        assert_eq!(refusal["snapshot_plan"], json!({"format": "openagents.sync.snapshot.v1", "topics": []}));
    });
}

#[test]
fn a_cursor_at_the_floor_is_resumed_and_one_below_is_refused_for_the_floor_first() {
    with_a_pruned_stream(|client| {
        assert_eq!(client.refused("resume_stream", resume(4))["reason_codes"], json!(["retention_floor_breach"]));
        assert_eq!(client.refused("resume_stream", resume(5))["reason_codes"], json!(["replay_budget_exceeded"]));
        client.must("set_stream_policy", json!([STREAM, none(), none(), none(), some(15)]));
        client.must("resume_stream", resume(5));
        assert_eq!(client.refused("resume_stream", resume(4))["reason_codes"], json!(["retention_floor_breach"]));
    });
}

#[test]
fn a_cursor_beyond_the_head_is_resumed_as_on_the_legacy_lane() {
    with_a_pruned_stream(|client| client.must("resume_stream", resume(21)));
}

#[test]
fn after_all_events_are_pruned_only_the_head_can_be_resumed() {
    with_a_pruned_stream(|client| {
        client.must("prune_stream", json!([STREAM, 20]));
        client.must("resume_stream", resume(20));
        let refusal = client.refused("resume_stream", resume(19));
        assert_eq!(refusal["reason_codes"], json!(["retention_floor_breach"]));
        assert_eq!(refusal["stale_topics"][0]["retention_floor"], 20);
    });
}

#[test]
fn unknown_streams_are_refused_before_anything_is_called_stale() {
    with_a_pruned_stream(|client| {
        let cursors = json!([[
            {"stream_id": STREAM, "resume_after": 0},
            {"stream_id": "nope", "resume_after": 0},
            {"stream_id": "runtime.worker.w1.lifecycle", "resume_after": 0},
        ]]);
        let refusal = client.refused("resume_stream", cursors);
        assert_eq!(refusal, json!({"code": "forbidden_topic", "forbidden_topics": ["nope"]}));
        assert_eq!(client.refused("resume_stream", json!([[]])), json!({"code": "bad_subscription"}));
    });
}
