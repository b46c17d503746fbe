//! What the recordings do not show of the socket: cursors, slow consumers, refs, tokens and revocations.

#![allow(clippy::unwrap_used)]

mod support;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cutover_reference::Config;
use serde_json::json;

use self::support::{Frame, TOPIC, config, fill, fresh, joined, live, mint, seqs, start, subscribe};

#[tokio::test]
async fn the_floor_and_the_budget_are_exact_over_the_wire() {
    let (_dir, server) = fresh();
    server.policy(TOPIC, r#"{"retention_events": 6, "replay_budget_events": 4}"#).await;
    fill(&server, TOPIC, 1..=10).await;
    let mut client = joined(&server, "vsn=2.0.0").await;
    for (cursor, reason) in [
        (10, None),
        (6, None),
        (5, Some("replay_budget_exceeded")),
        (4, Some("replay_budget_exceeded")),
        (3, Some("retention_floor_breach")),
        (0, Some("retention_floor_breach")),
    ] {
        let payload = json!({"topics": [TOPIC], "resume_after": {TOPIC: cursor}});
        let (before, status, response) = subscribe(&mut client, &format!("s{cursor}"), payload).await;
        match reason {
            None => assert_eq!((status.as_str(), seqs(&before)), ("ok", (cursor + 1..=10).collect())),
            Some(reason) => {
                assert_eq!((status.as_str(), &response["reason_codes"]), ("error", &json!([reason])));
                assert_eq!(before[0][4], response, "the error is pushed before it is replied");
                assert_eq!(before[0][3], "sync:error");
            }
        }
    }
    let (before, status, _) = subscribe(&mut joined(&server, "vsn=2.0.0").await, "9", json!({"topics": [TOPIC]})).await;
    assert_eq!((status.as_str(), seqs(&before)), ("ok", (5..=10).collect()), "a bootstrap replays what is retained");
}

#[tokio::test]
async fn a_future_cursor_is_accepted_and_the_events_up_to_it_are_skipped() {
    let (_dir, server) = fresh();
    fill(&server, TOPIC, 1..=2).await;
    let mut client = joined(&server, "vsn=2.0.0").await;
    let (before, status, response) =
        subscribe(&mut client, "2", json!({"topics": [TOPIC], "resume_after": [{"topic": TOPIC, "watermark": 4}]}))
            .await;
    assert_eq!((before.len(), status.as_str()), (0, "ok"));
    assert_eq!(response["current_watermarks"], json!([{"topic": TOPIC, "watermark": 4}]));
    fill(&server, TOPIC, 3..=5).await;
    assert_eq!(seqs(&live(&mut client, 1).await), [5]);
}

#[tokio::test]
async fn a_topic_subscribed_again_goes_on_from_the_channels_watermark_unless_it_was_unsubscribed() {
    let (_dir, server) = fresh();
    fill(&server, TOPIC, 1..=3).await;
    let mut client = joined(&server, "vsn=2.0.0").await;
    subscribe(&mut client, "2", json!({"topics": [format!(" {TOPIC} ")]})).await;
    let (before, ..) = subscribe(&mut client, "again", json!({"topics": [TOPIC]})).await;
    assert_eq!(seqs(&before), [0_u64; 0]);
    let (_, _, left) = client.ask(json!(["1", "3", "sync:v1", "sync:unsubscribe", {"topics": [TOPIC]}])).await;
    assert_eq!(left["topics"], json!([]));
    fill(&server, TOPIC, 4..=4).await;
    let (before, ..) = subscribe(&mut client, "4", json!({"topics": [TOPIC]})).await;
    assert_eq!(seqs(&before), [1, 2, 3, 4]);
    let (before, ..) = subscribe(&mut client, "5", json!({"topics": [TOPIC], "resume_after": {TOPIC: 2}})).await;
    assert_eq!(seqs(&before), [3, 4]);
}

#[tokio::test]
async fn refs_keep_their_type_and_a_null_join_ref_is_for_null_joins() {
    let (_dir, server) = fresh();
    let mut client = server.connect("vsn=2.0.0").await;
    client.message(json!([1, 1, "sync:v1", "phx_join", {}])).await;
    assert_eq!(client.next_message().await[0], 1);
    client.message(json!(["1", "2", "sync:v1", "sync:heartbeat", {}])).await;
    client.message(json!([null, "3", "sync:v1", "sync:heartbeat", {}])).await;
    client.message(json!([1, 4, "sync:v1", "sync:heartbeat", {}])).await;
    let replies = [client.next_message().await, client.next_message().await];
    assert_eq!((&replies[0][3], &replies[1][1]), (&json!("sync:heartbeat"), &json!(4)), "the other two are dropped");
    client.message(json!([null, "j", "sync:v1", "phx_join", {}])).await;
    let (rejoined, closed) = (client.next_message().await, client.next_message().await);
    assert_eq!((&rejoined[0], &rejoined[1]), (&json!(null), &json!("j")));
    assert_eq!(closed, json!([1, 1, "sync:v1", "phx_close", {}]));
    for join_ref in [json!("j"), json!(null)] {
        let (_, status, _) = client.ask(json!([join_ref, "5", "sync:v1", "sync:heartbeat", {}])).await;
        assert_eq!(status, "ok");
    }
}

#[tokio::test]
async fn a_heartbeat_is_answered_while_a_long_replay_waits_for_its_reader() {
    let dir = tempfile::tempdir().unwrap();
    let mut small = config(&dir);
    small.limits.out_high_water_bytes = 2_000;
    let server = start(small);
    let pad = format!("\"{}\"", "x".repeat(20_000));
    for n in 1..=200 {
        server.publish(TOPIC, &format!("k{n}"), &pad).await;
    }
    let mut client = joined(&server, "vsn=2.0.0").await;
    client.message(json!(["1", "2", "sync:v1", "sync:subscribe", {"topics": [TOPIC]}])).await;
    client.message(json!([null, "3", "phoenix", "heartbeat", {}])).await;
    let mut order = Vec::new();
    let mut messages = Vec::new();
    while order.len() < 2 {
        let message = client.next_message().await;
        if message[3] == "phx_reply" {
            order.push(message[1].clone());
        }
        messages.push(message);
    }
    assert_eq!(order, [json!("3"), json!("2")], "the heartbeat overtakes");
    assert_eq!(seqs(&messages), (1..=200).collect::<Vec<_>>());
    assert_eq!(messages.last().unwrap()[1], "2", "nothing of the replay comes after its reply");
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_three_strikes_and_recovers_by_replay() {
    let dir = tempfile::tempdir().unwrap();
    let mut small = config(&dir);
    small.limits.out_high_water_bytes = 1;
    small.limits.send_buffer_bytes = 65_536;
    small.limits.queue_topics = 4;
    let server = start(small);
    let topics: Vec<String> = (0..40).map(|n| format!("run:r{n}:events")).collect();
    let mut slow = joined(&server, "vsn=2.0.0").await;
    let mut quick = joined(&server, "vsn=2.0.0").await;
    subscribe(&mut slow, "2", json!({"topics": topics})).await;
    subscribe(&mut quick, "2", json!({"topics": topics})).await;
    let pad = format!("\"{}\"", "x".repeat(100_000));
    for topic in &topics {
        server.publish(topic, "k", &pad).await;
        assert_eq!(seqs(&live(&mut quick, 1).await), [1], "a client that reads is not slowed");
    }
    let mut errors = Vec::new();
    let ended = loop {
        let message = slow.next_message().await;
        match message[3].as_str().unwrap() {
            "sync:error" => errors.push(message[4].clone()),
            "phx_error" => break message,
            _ => {}
        }
    };
    let actions: Vec<_> = errors.iter().map(|error| error["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["throttle", "throttle", "disconnect"]);
    assert_eq!((&errors[0]["queue_depth"], &errors[0]["queue_limit"]), (&json!(5), &json!(4)));
    assert_eq!(ended, json!(["1", "1", "sync:v1", "phx_error", {}]));
    slow.message(json!(["7", "7", "sync:v1", "phx_join", {}])).await;
    assert_eq!(slow.next_message().await[4]["status"], "ok", "the socket stays open");
    let (before, ..) = slow.ask(json!(["7", "8", "sync:v1", "sync:subscribe", {"topics": topics}])).await;
    assert_eq!(seqs(&before).len(), 40);
}

#[tokio::test]
async fn many_topics_at_once_are_no_overflow_for_a_client_that_reads() {
    let (_dir, server) = fresh();
    let topics: Vec<String> = (0..200).map(|n| format!("run:r{n}:events")).collect();
    let mut client = joined(&server, "vsn=2.0.0").await;
    subscribe(&mut client, "2", json!({"topics": topics})).await;
    let server = std::sync::Arc::new(server);
    let publishers: Vec<_> = topics
        .into_iter()
        .map(|topic| {
            let server = server.clone();
            tokio::spawn(async move { server.publish(&topic, "k", "1").await })
        })
        .collect();
    let messages = live(&mut client, 200).await;
    assert!(messages.iter().all(|message| message[3] != "sync:error"));
    for publisher in publishers {
        publisher.await.unwrap();
    }
}

fn with_tokens(dir: &tempfile::TempDir) -> Config {
    let mut config = config(dir);
    config.tokens.key = Some("key".to_owned());
    config.publish.bearer = Some("writer".to_owned());
    config
}

fn minted(jti: &str, topics: &[&str]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    mint("key", &json!({"jti": jti, "iat": now, "exp": now + 60, "oa_sync_topics": topics}))
}

#[tokio::test]
async fn a_revocation_closes_with_1011_tells_a_joined_channel_and_holds_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(with_tokens(&dir));
    let query = format!("vsn=2.0.0&token={}", minted("j", &["*"]));
    let mut with_channel = joined(&server, &query).await;
    let mut without = server.connect(&query).await;
    let other_query = format!("vsn=2.0.0&token={}", minted("other", &["*"]));
    let mut other = joined(&server, &other_query).await;
    let path = "/internal/v1/sync/revocations";
    assert_eq!(server.http("POST", path, None, r#"{"jti":"j"}"#).await.0, 401);
    assert_eq!(server.http("POST", path, Some("writer"), r#"{"jti":"j"}"#).await.0, 200);
    assert_eq!(with_channel.next_message().await[4]["code"], "reauth_required");
    assert_eq!(with_channel.next_message().await[4]["topic"], "sync.auth");
    assert_eq!(with_channel.next().await, Frame::Close(1011));
    assert_eq!(without.next().await, Frame::Close(1011));
    assert_eq!(other.ask(json!([null, "5", "phoenix", "heartbeat", {}])).await.1, "ok", "others stay");
    server.stop().await;
    let server = start(with_tokens(&dir));
    let head = format!(
        "GET /sync/socket/websocket?{query} HTTP/1.1\r\nhost: t\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    assert!(server.raw(&head).await.starts_with("HTTP/1.1 403"));
    let (_, metrics) = server
        .raw("GET /metrics HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n")
        .await
        .split_once("\r\n\r\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(metrics.contains("legacy_denied_total{code=\"token_revoked\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_token_may_come_as_a_subprotocol_and_grants_bound_the_topics() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(with_tokens(&dir));
    server.publish("run:r1:events", "k", "1").await;
    let protocol = format!("phoenix, base64url.bearer.phx.{}", URL_SAFE_NO_PAD.encode(minted("j", &["run:*:events"])));
    let request = format!(
        "GET /sync/socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {protocol}\r\n\r\n"
    );
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 512];
    let read = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("sec-websocket-protocol: phoenix"), "{head}");

    let mut client = joined(&server, &format!("vsn=2.0.0&token={}", minted("j", &["run:*:events"]))).await;
    let ungranted = json!({"topics": ["run:r1:events", "runtime.run_summaries"]});
    let (_, _, response) = subscribe(&mut client, "2", ungranted).await;
    assert_eq!(response, json!({"code": "forbidden_topic", "forbidden_topics": ["runtime.run_summaries"]}));
    let (before, status, _) = subscribe(&mut client, "3", json!({"topics": ["run:r1:events"]})).await;
    assert_eq!((status.as_str(), seqs(&before)), ("ok", vec![1]));
}

#[tokio::test]
async fn bytes_that_are_no_websocket_close_with_their_codes() {
    let (_dir, server) = fresh();
    for (bytes, code) in [
        (support::masked(1, b"\xff\xfe"), 1007),
        (vec![0x81, 0x01, b'x'], 1002),
        (support::masked(1, b"not json"), 1011),
        (support::masked(2, &[0, 9, 9, 9, 9, 1]), 1011),
    ] {
        let mut client = server.connect("vsn=2.0.0").await;
        client.send(&bytes).await;
        assert_eq!(client.next().await, Frame::Close(code));
        assert_eq!(client.next().await, Frame::End);
    }
}
