//! The reducers' rules, through a real server.

use serde_json::json;
use tempfile::tempdir;

use crate::client::{STREAM, append_arguments, none, published, some};

#[test]
fn an_append_is_idempotent_by_its_key_and_conflicts_are_explicit() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    client.append("k1", r#"{"a":1,"b":2}"#);
    client.append("k2", "[]");
    client.append("k1", r#"{ "b": 2.0, "a": 1 }"#);
    assert_eq!(client.seqs(), [1, 2]);

    let refusal = client.refused("append_sync_event", append_arguments("k1", r#"{"a":1,"b":3}"#));
    assert_eq!(refusal, json!({"code": "idempotency_conflict", "seq": 1}));
    let refusal = client.refused("append_sync_event", json!([STREAM, "k3", "{}", "", some(2)]));
    assert_eq!(refusal, json!({"code": "sequence_conflict", "expected": 2, "actual": 3}));
    let refusal = client.refused("append_sync_event", append_arguments("k3", r#"{"a":"#));
    assert_eq!(refusal, json!({"code": "invalid_payload", "reason": "syntax", "offset_bytes": 5}));
    let refusal = client.refused("append_sync_event", append_arguments(" ", "{}"));
    assert_eq!(refusal["code"], "bad_argument");

    client.must("append_sync_event", json!([STREAM, "k3", "{}", "", some(3)]));
    client.must("append_sync_event", json!([STREAM, "k3", "{}", "", some(3)]));
    assert_eq!(client.seqs(), [1, 2, 3]);
}

#[test]
fn a_payload_keeps_the_publishers_text_and_gets_the_canonical_hash() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    let payload = "{ \"n\": 9007199254740993, \"u\": \"\\u20ac\" }";
    // Of {"n":9007199254740993,"u":"€"}
    let hash = "sha256:796a83ce88249a96aff44de118e05d9b4d0e6d4a1bd25034c55915e891ebbaec";
    client.must("append_sync_event", json!([STREAM, "k1", payload, hash, none()]));
    let refusal = client.refused("append_sync_event", json!([STREAM, "k2", "{}", hash, none()]));
    assert_eq!(refusal["code"], "payload_hash_mismatch");
    assert_eq!(refusal["given"], hash);

    let rows = client.rows("SELECT * FROM sync_event");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][0], STREAM);
    assert_eq!(rows[0][1], 1);
    assert_eq!(rows[0][2], "k1");
    assert_eq!(rows[0][3], hash);
    assert_eq!(rows[0][4], payload);
    assert_eq!(rows[0][6], true);
}

#[test]
fn a_deep_payload_is_hashed_and_a_deeper_one_refused() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    client.append("k1", &nested(65_536));
    let refusal = client.refused("append_sync_event", append_arguments("k2", &nested(65_537)));
    assert_eq!(refusal, json!({"code": "invalid_payload", "reason": "too_deep", "offset_bytes": 65_536}));
}

#[test]
fn retention_removes_the_oldest_events_and_no_key() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    client.must("create_stream", json!([STREAM, "", "tenant", some(3), none()]));
    for number in 1..=5 {
        client.append(&format!("k{number}"), &number.to_string());
    }
    assert_eq!(client.seqs(), [3, 4, 5]);
    client.append("k1", "1");
    assert_eq!(client.seqs(), [3, 4, 5], "a repeat of a removed event was written again");
    let stream = json!([STREAM, "run_events", "tenant", 3, 5, 10_000, 3]);
    assert_eq!(client.rows("SELECT * FROM sync_stream"), [stream]);

    client.must("set_stream_policy", json!([STREAM, none(), none(), some(2), some(7)]));
    assert_eq!(client.seqs(), [4, 5]);
    let refusal = client.refused("set_stream_policy", json!([STREAM, none(), none(), some(0), none()]));
    assert_eq!(refusal["argument"], "retention_events");
    client.must("prune_stream", json!([STREAM, 99]));
    client.must("prune_stream", json!([STREAM, 99]));
    let stream = json!([STREAM, "run_events", "tenant", 6, 5, 7, 2]);
    assert_eq!(client.rows("SELECT * FROM sync_stream"), [stream]);
    client.append("k6", "6");
    assert_eq!(client.seqs(), [6]);
}

#[test]
fn creating_a_stream_again_is_no_change_and_otherwise_a_conflict() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    client.must("create_stream", json!(["s", "", "", none(), some(5)]));
    client.must("create_stream", json!(["s", "", "", none(), some(5)]));
    let refusal = client.refused("create_stream", json!(["s", "", "", none(), some(6)]));
    assert_eq!(refusal, json!({"code": "stream_conflict"}));
    assert_eq!(client.rows("SELECT * FROM sync_stream"), [json!(["s", "fallback", "", 1, 0, 5, 100_000])]);
}

#[test]
fn a_checkpoint_moves_forward_only() {
    let dir = tempdir().unwrap();
    let (_server, client) = published(dir.path());
    for number in 1..=3 {
        client.append(&format!("k{number}"), "null");
    }
    client.must("ack_checkpoint", json!(["c1", STREAM, 2, 20]));
    client.must("ack_checkpoint", json!(["c1", STREAM, 2, 20]));
    client.must("ack_checkpoint", json!(["c2", STREAM, 1, 0]));
    let refusal = client.refused("ack_checkpoint", json!(["c1", STREAM, 1, 30]));
    assert_eq!(refusal, json!({"code": "checkpoint_conflict", "seq": 2, "durable_offset": 20}));
    let refusal = client.refused("ack_checkpoint", json!(["c1", STREAM, 4, 30]));
    assert_eq!(refusal, json!({"code": "checkpoint_beyond_head", "head_seq": 3}));
    let refusal = client.refused("ack_checkpoint", json!(["c1", "nope", 1, 1]));
    assert_eq!(refusal, json!({"code": "forbidden_topic", "forbidden_topics": ["nope"]}));
    assert_eq!(client.rows("SELECT * FROM sync_checkpoint").len(), 2);
}
