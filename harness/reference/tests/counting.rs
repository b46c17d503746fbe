//! Who may join, and who is counted.

#![allow(clippy::unwrap_used)]

mod support;

use cutover_reference::{Config, Defects};
use serde_json::{Value, json};

use self::support::{Client, Running, TOPIC, config, fill, fresh, live, planted, start, subscribe};

async fn join(server: &Running, params: &Value) -> (Client, String, Value) {
    let mut client = server.connect("vsn=2.0.0").await;
    let (_, status, response) = client.ask(json!(["1", "1", "sync:v1", "phx_join", params])).await;
    (client, status, response)
}

async fn named(server: &Running, name: &str) -> Client {
    join(server, &json!({ "client": name })).await.0
}

async fn metrics(server: &Running) -> String {
    server.raw("GET /metrics HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await
}

/// The metrics, once they have, or no longer have, a line. A server notices an end a little later.
async fn until(server: &Running, line: &str, is_there: bool) -> String {
    loop {
        let text = metrics(server).await;
        if text.lines().any(|found| found == line) == is_there {
            return text;
        }
    }
}

#[tokio::test]
async fn clients_are_counted_by_their_names_while_they_are_joined() {
    let (_dir, server) = fresh();
    let (desk, twin) = (named(&server, "desk").await, named(&server, "desk").await);
    let phone = named(&server, "phone").await;
    let text = metrics(&server).await;
    assert!(text.contains("legacy_clients{client=\"desk\"} 2\nlegacy_clients{client=\"phone\"} 1\n"), "{text}");
    drop((twin, phone));
    until(&server, "legacy_clients{client=\"desk\"} 1", true).await;
    drop(desk);
    let text = until(&server, "legacy_clients{client=\"desk\"} 1", false).await;
    assert!(!text.contains("legacy_clients{"), "{text}");
}

#[tokio::test]
async fn the_planted_counts_are_wrong() {
    let (_dir, server) = planted("count-by-identity");
    let _both = (named(&server, "desk").await, named(&server, "phone").await);
    assert!(!metrics(&server).await.contains("phone"));
    let (_dir, server) = planted("count-stays");
    drop(named(&server, "desk").await);
    until(&server, "legacy_sockets 0", true).await;
    assert!(metrics(&server).await.contains("legacy_clients{client=\"desk\"} 1"));
}

#[tokio::test]
async fn what_is_delivered_refused_and_suppressed_is_counted() {
    let (_dir, server) = fresh();
    let mut client = named(&server, "desk").await;
    subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await;
    fill(&server, TOPIC, 1..=3).await;
    live(&mut client, 3).await;
    server.publish(TOPIC, "k3", "{\"n\":3}").await;
    subscribe(&mut client, "3", json!({"topics": [TOPIC], "resume_after": {TOPIC: 1}})).await;
    server.policy(TOPIC, "{\"retention_events\": 1}").await;
    subscribe(&mut client, "4", json!({"topics": [TOPIC], "resume_after": {TOPIC: 0}})).await;
    let text = metrics(&server).await;
    for line in [
        format!("legacy_sequence_lag{{topic=\"{TOPIC}\"}} 0"),
        "legacy_fanout_latency_seconds_count 3".to_owned(),
        "legacy_replay_gap_events_sum 2".to_owned(),
        "legacy_duplicates_suppressed_total{code=\"publish\"} 1".to_owned(),
        "legacy_stale_cursors_total{code=\"retention_floor_breach\"} 1".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

fn checking(dir: &tempfile::TempDir, defects: &str) -> Running {
    let mut config = Config { defects: Defects::parse(defects).unwrap(), ..config(dir) };
    config.compat.enforced = true;
    config.compat.max_client_build_id = Some("20261231T235959Z".to_owned());
    start(config)
}

/// How a client is answered that joins a server with this defect.
async fn answered(defects: &str, build: &str, protocol: &str, schema: u64) -> (Value, Value) {
    let dir = tempfile::tempdir().unwrap();
    let server = checking(&dir, defects);
    let params = json!({"client_build_id": build, "protocol_version": protocol, "schema_version": schema});
    let (_, _, response) = join(&server, &params).await;
    (response["code"].clone(), response["max_client_build_id"].clone())
}

#[tokio::test]
async fn the_planted_windows_let_in_and_refuse_others() {
    let (own, max) = ("khala.ws.v1", json!("20261231T235959Z"));
    for (defects, build, protocol, schema, expected) in [
        ("", "20260225T190000Z", own, 2, (json!("unsupported_schema_version"), max.clone())),
        ("compat-schema-off-by-one", "20260225T190000Z", own, 2, (Value::Null, Value::Null)),
        ("", "20260101T000000Z", own, 1, (Value::Null, Value::Null)),
        ("compat-build-off-by-one", "20260101T000000Z", own, 1, (json!("upgrade_required"), max.clone())),
        ("", "20260225T190000Z", "x", 2, (json!("unsupported_protocol_version"), max.clone())),
        ("compat-schema-first", "20260225T190000Z", "x", 2, (json!("unsupported_schema_version"), max.clone())),
        ("compat-without-max", "20270101T000000Z", own, 1, (json!("unsupported_client_build"), Value::Null)),
    ] {
        assert_eq!(answered(defects, build, protocol, schema).await, expected, "{defects} {build}");
    }
}

#[tokio::test]
async fn a_refused_channel_takes_no_subscription_unless_that_is_planted() {
    for (defects, expected) in [("", "error"), ("refused-join-subscribes", "ok")] {
        let dir = tempfile::tempdir().unwrap();
        let server = checking(&dir, defects);
        let (mut client, status, _) = join(&server, &json!({})).await;
        assert_eq!(status, "error");
        assert_eq!(subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await.1, expected, "{defects}");
    }
}
