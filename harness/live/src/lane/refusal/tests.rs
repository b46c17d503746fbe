#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;

#[test]
fn a_stale_cursor_is_read_with_its_streams_by_their_own_names() {
    let body = json!({
        "code": "stale_cursor", "message": "cursor cannot be resumed", "reason_codes": ["retention_floor_breach"],
        "stale_topics": [{"topic": "x", "reason": "retention_floor_breach", "resume_after": 6, "retention_floor": 7,
            "head_watermark": 10, "replay_lag": 4, "replay_budget_events": 100}],
    });
    let read = read_refusal(&body, |name| (name == "x").then(|| StreamId::new("run:a:events"))).unwrap();
    assert_eq!(read.code, "stale_cursor");
    assert_eq!(read.reasons, ["retention_floor_breach"]);
    assert_eq!(read.stale[0].stream, StreamId::new("run:a:events"));
    assert_eq!(read.stale[0].retention_floor, Some(7));
}

#[test]
fn what_has_neither_code_nor_reason_is_no_refusal() {
    assert_eq!(read_refusal(&json!({"reason": "join crashed"}), |_| None).unwrap().code, "join crashed");
    assert_eq!(read_refusal(&json!("no"), |_| None), None);
}
