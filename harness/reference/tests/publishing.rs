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
    assert_eq!(first, json!({"topic": TOPIC, "seq": 1, "payload_hash": hash, "duplicate": false}));
    let again = server.publish(TOPIC, "k", " {\"n\": 1} ").await;
    assert_eq!(again, json!({"topic": TOPIC, "seq": 1, "payload_hash": hash, "duplicate": true}));
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
        (format!(r#"{{"topic":"{TOPIC}","idempotency_key":"k"}}"#), 400, "bad_request"),
        (r#"{"topic":"nope","idempotency_key":"k","payload":1}"#.to_owned(), 404, "unknown_topic"),
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
        statuses.push(server.http("POST", "/internal/v1/sync/publish", None, &worker(&format!("k{n}"))).await.0);
    }
    assert!(statuses.contains(&429) && statuses[0] == 200, "{statuses:?}");
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_in_words_of_json_and_nothing_is_written() {
    let (_dir, server) = fresh();
    let publish = |fields: &str| format!(r#"{{"topic":"{TOPIC}","idempotency_key":"k","payload":1{fields}}}"#);
    let cases = [
        ("", "invalid_json", "the body is empty"),
        ("nope", "invalid_json", "line 1, column 2"),
        ("{}{}", "invalid_json", "line 1, column 3"),
        ("null", "bad_request", "the body is null"),
        ("7", "bad_request", "the body is a number"),
        ("\"x\"", "bad_request", "the body is text"),
        ("[]", "bad_request", "the body is a list"),
        (r#"["run:r1:events","k",{"n":1},null]"#, "bad_request", "the body is a list"),
        ("{}", "bad_request", "topic is missing"),
        (r#"{"topic":[1]}"#, "bad_request", "topic is a list, not text"),
        (r#"{"topic":null}"#, "bad_request", "topic is null, not text"),
        (r#"{"topic":"\ud800"}"#, "bad_request", "topic holds half a surrogate pair"),
        (r#"{"topic":"t","idempotency_key":{}}"#, "bad_request", "idempotency_key is an object, not text"),
        (&publish(r#","topic":"t""#), "bad_request", "the key \"topic\" twice"),
        (&publish(r#","\u0074opic":"t""#), "bad_request", "the key \"topic\" twice"),
        (&publish(r#","payload":2"#), "bad_request", "the key \"payload\" twice"),
        (&publish(r#","expected_next_seq":"1""#), "bad_request", "a whole number"),
        (&publish(r#","expected_next_seq":1.0"#), "bad_request", "a whole number"),
        (&publish(r#","expected_next_seq":-1"#), "bad_request", "a whole number"),
        (&publish(r#","expected_next_seq":1e30"#), "bad_request", "a whole number"),
    ];
    for (body, code, words) in cases {
        let (status, answer) = server.http("POST", "/internal/v1/sync/publish", None, body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{body}: {answer}");
        assert!(message.contains(words), "{body}: {message}");
    }
    let path = format!("/internal/v1/sync/topics/{TOPIC}");
    for (body, words) in [
        ("[3,4,null]", "the body is a list"),
        (r#"{"retention_events":"3"}"#, "a whole number"),
        (r#"{"retention_events":1e2}"#, "a whole number"),
        (r#"{"retention":1}"#, "the key \"retention\" is not known"),
        (r#"{"retention_events":5,"retention_events":6}"#, "twice"),
        (r#"{"class":"nope"}"#, "class is one of run_events, worker_lifecycle"),
        (r#"{"class":{"run_events":null}}"#, "class is one of"),
    ] {
        let (status, answer) = server.http("PUT", &path, None, body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!((status, &answer["code"]), (400, &json!("bad_request")), "{body}: {answer}");
        assert!(message.contains(words), "{body}: {message}");
    }
    let body = publish("");
    let request = format!(
        "POST /internal/v1/sync/publish HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-type: text/plain\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = server.raw(&request).await;
    assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("unsupported_media_type"), "{answer}");
    let (_, topic) = server.http("GET", &path, None, "").await;
    assert_eq!(topic["head_seq"], 0, "{topic}");
}

#[tokio::test]
async fn a_topic_whose_id_can_not_be_mapped_both_ways_is_refused() {
    let (_dir, server) = fresh();
    let mut client = joined(&server, "vsn=2.0.0").await;
    for topic in ["run:a.b:events", "worker:a'b:lifecycle", "fleet:user:a\u{7}:workers"] {
        let body = json!({"topic": topic, "idempotency_key": "k", "payload": 1}).to_string();
        let (status, answer) = server.http("POST", "/internal/v1/sync/publish", None, &body).await;
        assert_eq!((status, &answer["code"]), (404, &json!("unknown_topic")), "{topic}");
        let (_, status, response) = subscribe(&mut client, topic, json!({"topics": [topic]})).await;
        assert_eq!((status.as_str(), &response["code"]), ("error", &json!("forbidden_topic")));
    }
}

#[tokio::test]
async fn a_policy_is_read_back_and_prunes() {
    let (_dir, server) = fresh();
    fill(&server, TOPIC, 1..=5).await;
    server.policy(TOPIC, r#"{"retention_events": 2, "replay_budget_events": 7}"#).await;
    let path = format!("/internal/v1/sync/topics/{TOPIC}");
    let expected = json!({"topic": TOPIC, "class": "run_events", "retention_events": 2, "replay_budget_events": 7,
                          "oldest_seq": 4, "head_seq": 5});
    assert_eq!(server.http("GET", &path, None, "").await, (200, expected));
    assert_eq!(server.http("PUT", &path, None, r#"{"retention_events": 0}"#).await.0, 400);
    assert_eq!(server.http("PUT", &path, None, r#"{"retention": 1}"#).await.0, 400);
    assert_eq!(server.http("GET", "/internal/v1/sync/topics/nope", None, "").await.0, 404);
    server.policy("nope", r#"{"class": "fallback"}"#).await;
    assert_eq!(server.publish("nope", "k", "1").await["seq"], 1, "a class makes a topic known");
    assert_eq!(server.http("GET", "/health", None, "").await.0, 200);
    assert_eq!(server.http("GET", "/nothing", None, "").await, (404, json!({"code": "not_found"})));
}

#[tokio::test]
async fn the_payload_reaches_the_client_as_the_publisher_wrote_it() {
    let (_dir, server) = fresh();
    let text = r#"{"big":123456789012345678901234567890,"tiny":1E-7,"f":1.10,"u":"\u00e9\n"}"#;
    server.publish(TOPIC, "k", text).await;
    let mut client = joined(&server, "vsn=2.0.0").await;
    let (before, ..) = subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await;
    let frame = STANDARD.decode(before[1][4]["payload_bytes"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(frame).unwrap().contains(text));
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let (dir, server) = fresh();
    let other = tempfile::tempdir().unwrap();
    let taken = Config { listen: server.addr, ..config(&other) };
    assert!(matches!(Server::bind(taken), Err(ServeError::PortInUse { addr }) if addr == server.addr));
    assert!(matches!(Server::bind(config(&dir)), Err(ServeError::Store(StoreError::Locked { .. }))));
    std::fs::write(other.path().join("journal.log"), "this is no journal at all, by any means").unwrap();
    let error = Server::bind(config(&other)).err().unwrap().to_string();
    assert!(error.contains("journal.log") && error.contains("not a journal"), "{error}");
}
