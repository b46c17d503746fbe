//! Publishing, policies and what keeps a server from starting.

#![allow(clippy::unwrap_used)]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use cutover_reference::{Config, ServeError, Server, StoreError};
use serde_json::{Value, json};

use self::support::{TOPIC, config, fill, fresh, joined, start, subscribe};

#[tokio::test]
async fn a_publish_is_answered_with_its_hash_and_a_repeat_as_a_duplicate() {
    let (_dir, server) = fresh();
    let first = server.publish(TOPIC, "k", "{\"n\":1}").await;
    let hash = "K/0U9D0X/HzqJOCReoh5tLL4gLi67sG52Q+6rWVecb0=";
    assert_eq!(
        first,
        json!({"topic": TOPIC, "seq": 1, "payload_hash": hash, "duplicate": false})
    );
    let again = server.publish(TOPIC, "k", " {\"n\": 1} ").await;
    assert_eq!(
        again,
        json!({"topic": TOPIC, "seq": 1, "payload_hash": hash, "duplicate": true})
    );
    assert_eq!(server.publish(TOPIC, "null", "null").await["payload_hash"], Value::Null);
}

#[tokio::test]
async fn each_publish_that_is_refused_has_its_status_and_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut limited = config(&dir);
    limited.classes.run_events.max_payload_bytes = 64;
    limited.classes.worker_lifecycle.publish_rate_per_second = 1;
    let server = start(limited);
    server.publish(TOPIC, "used", "1").await;
    let large = format!("\"{}\"", "x".repeat(64));
    let body =
        |key: &str, payload: &str| format!(r#"{{"topic":"{TOPIC}","idempotency_key":"{key}","payload":{payload}}}"#);
    let cases = [
        (body("used", "2"), 409, "idempotency_conflict"),
        (
            format!(r#"{{"topic":"{TOPIC}","idempotency_key":"b","payload":1,"expected_next_seq":7}}"#),
            409,
            "sequence_conflict",
        ),
        (body("large", &large), 413, "frame_payload_too_large"),
        (body("twice", r#"{"a":1,"a":2}"#), 400, "invalid_payload"),
        (body("lone", r#""\ud800""#), 400, "invalid_payload"),
        (body("over", "1e999"), 400, "invalid_payload"),
        (body("cut", "{"), 400, "invalid_json"),
        (body(" ", "1"), 400, "bad_request"),
        (
            format!(r#"{{"topic":"{TOPIC}","idempotency_key":"k"}}"#),
            400,
            "bad_request",
        ),
        (
            r#"{"topic":"nope","idempotency_key":"k","payload":1}"#.to_owned(),
            404,
            "unknown_topic",
        ),
    ];
    for (body, status, code) in cases {
        let (actual, answer) = server.http("POST", "/internal/v1/sync/publish", None, &body).await;
        assert_eq!((actual, &answer["code"]), (status, &json!(code)), "{body}: {answer}");
    }
    let (_, conflict) = server
        .http(
            "POST",
            "/internal/v1/sync/publish",
            None,
            &format!(r#"{{"topic":"{TOPIC}","idempotency_key":"b","payload":1,"expected_next_seq":7}}"#),
        )
        .await;
    assert_eq!((&conflict["expected"], &conflict["actual"]), (&json!(7), &json!(2)));
    let worker = |key: &str| format!(r#"{{"topic":"worker:w:lifecycle","idempotency_key":"{key}","payload":1}}"#);
    let mut statuses = Vec::new();
    for n in 0..20 {
        statuses.push(
            server
                .http("POST", "/internal/v1/sync/publish", None, &worker(&format!("k{n}")))
                .await
                .0,
        );
    }
    assert!(statuses.contains(&429) && statuses[0] == 200, "{statuses:?}");
}

#[tokio::test]
async fn a_policy_is_read_back_and_prunes() {
    let (_dir, server) = fresh();
    fill(&server, TOPIC, 1..=5).await;
    server
        .policy(TOPIC, r#"{"retention_events": 2, "replay_budget_events": 7}"#)
        .await;
    let path = format!("/internal/v1/sync/topics/{TOPIC}");
    let expected = json!({"topic": TOPIC, "class": "run_events", "retention_events": 2, "replay_budget_events": 7,
                          "oldest_seq": 4, "head_seq": 5});
    assert_eq!(server.http("GET", &path, None, "").await, (200, expected));
    assert_eq!(
        server.http("PUT", &path, None, r#"{"retention_events": 0}"#).await.0,
        400
    );
    assert_eq!(server.http("PUT", &path, None, r#"{"retention": 1}"#).await.0, 400);
    assert_eq!(
        server.http("GET", "/internal/v1/sync/topics/nope", None, "").await.0,
        404
    );
    server.policy("nope", r#"{"class": "fallback"}"#).await;
    assert_eq!(
        server.publish("nope", "k", "1").await["seq"],
        1,
        "a class makes a topic known"
    );
    assert_eq!(server.http("GET", "/health", None, "").await.0, 200);
    assert_eq!(
        server.http("GET", "/nothing", None, "").await,
        (404, json!({"code": "not_found"}))
    );
}

#[tokio::test]
async fn the_payload_reaches_the_client_as_the_publisher_wrote_it() {
    let (_dir, server) = fresh();
    let text = r#"{"big":123456789012345678901234567890,"tiny":1E-7,"f":1.10,"u":"\u00e9\n"}"#;
    server.publish(TOPIC, "k", text).await;
    let mut client = joined(&server, "vsn=2.0.0").await;
    let (before, ..) = subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await;
    let frame = STANDARD
        .decode(before[1][4]["payload_bytes"].as_str().unwrap())
        .unwrap();
    assert!(String::from_utf8(frame).unwrap().contains(text));
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let (dir, server) = fresh();
    let other = tempfile::tempdir().unwrap();
    let taken = Config {
        listen: server.addr,
        ..config(&other)
    };
    assert!(matches!(Server::bind(taken), Err(ServeError::PortInUse { addr }) if addr == server.addr));
    assert!(matches!(
        Server::bind(config(&dir)),
        Err(ServeError::Store(StoreError::Locked { .. }))
    ));
    std::fs::write(
        other.path().join("journal.log"),
        "this is no journal at all, by any means",
    )
    .unwrap();
    let error = Server::bind(config(&other)).err().unwrap().to_string();
    assert!(
        error.contains("journal.log") && error.contains("not a journal"),
        "{error}"
    );
}
