//! Leases and grants, through a real server.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::client::{Client, STREAM, append_arguments, published};

const OTHER: &str = "runtime.run.r2.events";

/// The lease of a caller until the year 2100, by the key `k1`, which may read one stream.
fn lease(caller: &Client, audience: &str, expires_at_ms: i64) -> Value {
    json!([caller.identity, "phone", "jti", "k1", audience, 0, 0, expires_at_ms, [STREAM], []])
}

const FAR: i64 = 4_102_444_800_000;

/// A database with an event in two streams, whose access is enforced; and a caller without a lease.
fn enforced(dir: &std::path::Path) -> (crate::server::Server, Client, Client) {
    let (server, owner) = published(dir);
    let caller = Client::new(&server);
    owner.append("k1", "1");
    owner.must("append_sync_event", json!([OTHER, "k1", "1", "", crate::client::none()]));
    owner.must("set_access", json!([true, "sync", 30_000, i64::MAX]));
    (server, owner, caller)
}

fn denied(caller: &Client) -> Value {
    let (status, body) = caller.call("resume_stream", &json!([[[STREAM, 0]]]));
    assert_eq!(status, 403, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["code"].clone()
}

#[test]
fn a_caller_needs_a_lease_that_is_good_and_the_owner_needs_none() {
    let dir = tempdir().unwrap();
    let (_server, owner, caller) = enforced(dir.path());
    assert_eq!(denied(&caller), "missing_authorization");
    owner.must("put_lease", lease(&caller, "sync", FAR));
    owner.must("put_lease", lease(&caller, "sync", FAR));
    assert_eq!(owner.refused("put_lease", lease(&caller, "sync", FAR + 1))["code"], "lease_conflict");
    caller.must("resume_stream", json!([[[STREAM, 0]]]));
    owner.must("revoke_lease", json!([caller.identity]));
    assert_eq!(denied(&caller), "token_revoked");
    assert_eq!(caller.rows("SELECT * FROM sync_event"), [] as [Value; 0]);
    owner.append("k2", "2");
}

#[test]
fn a_lease_is_bound_to_its_times_audience_and_key() {
    let dir = tempdir().unwrap();
    let (server, owner, _) = enforced(dir.path());
    let of = |audience: &str, expires_at_ms| {
        let caller = Client::new(&server);
        owner.must("put_lease", lease(&caller, audience, expires_at_ms));
        caller
    };
    assert_eq!(denied(&of("sync", 1)), "token_expired");
    assert_eq!(denied(&of("other", FAR)), "invalid_token");
    let good = of("sync", FAR);
    good.must("resume_stream", json!([[[STREAM, 0]]]));
    owner.must("retire_key", json!(["k1"]));
    assert_eq!(denied(&good), "invalid_token");
    assert_eq!(denied(&of("sync", FAR)), "invalid_token");
}

#[test]
fn a_caller_reads_and_writes_what_it_was_granted() {
    let dir = tempdir().unwrap();
    let (_server, owner, caller) = enforced(dir.path());
    owner.must("put_lease", lease(&caller, "sync", FAR));
    let streams = || caller.rows("SELECT stream_id FROM sync_stream");
    assert_eq!(streams(), [json!([STREAM])]);
    assert_eq!(caller.rows("SELECT stream_id FROM sync_event"), [json!([STREAM])]);
    assert_eq!(caller.refused("append_sync_event", append_arguments("k2", "2"))["code"], "forbidden_topic");
    assert_eq!(caller.refused("resume_stream", json!([[[OTHER, 0]]]))["code"], "forbidden_topic");
    assert_eq!(caller.refused("ack_checkpoint", json!(["desk", STREAM, 1, 1]))["code"], "forbidden_client");
    assert_eq!(caller.refused("prune_stream", json!([STREAM, 1]))["code"], "not_the_owner");
    caller.must("ack_checkpoint", json!(["phone", STREAM, 1, 1]));
    owner.must("put_grant", json!([caller.identity, STREAM, "write"]));
    caller.must("append_sync_event", append_arguments("k2", "2"));
    owner.must("withdraw_grant", json!([caller.identity, STREAM, "read"]));
    assert_eq!(streams(), [] as [Value; 0]);
}
