#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{Closed, SlowNotice, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::super::PhoenixLane;
use super::replay::{Row, names, play, recording};
use crate::lane::phoenix::PhoenixProfile;
use crate::lane::socket::Bounds;
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, OpenError, Publish, Published,
    SubscriberSession, WriterSession,
};

fn lane() -> PhoenixLane {
    let profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    PhoenixLane::new(Arc::new(profile), Arc::new(names()))
}

fn subscriber(serializer: Serializer) -> ClientOptions {
    ClientOptions { name: "c1".to_owned(), serializer, compression: Compression::None, join: None }
}

async fn open_on(rows: Vec<Row>, serializer: Serializer) -> Result<Box<dyn SubscriberSession>, OpenError> {
    let connect = play(rows, serializer).await;
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    lane().subscriber(&endpoint, &subscriber(serializer)).await
}

async fn open(name: &str, serializer: Serializer) -> Box<dyn SubscriberSession> {
    open_on(recording(name), serializer).await.unwrap()
}

async fn subscribe(session: &mut dyn SubscriberSession, streams: &[(&str, Option<u64>)]) -> Completion<Heads> {
    let streams = streams.iter().map(|(stream, cursor)| (StreamId::new(*stream), cursor.map(Cursor)));
    session.subscribe(&streams.collect::<Vec<_>>(), 200).await
}

async fn events(session: &mut dyn SubscriberSession, count: usize) -> Vec<(u64, Via)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match session.next().await {
            Arrival::Event { seq, via, .. } => seen.push((seq.0, via)),
            other => panic!("{other:?} after {seen:?}"),
        }
    }
    seen
}

#[tokio::test]
async fn a_replay_comes_before_its_reply_and_every_event_comes_twice() {
    let mut session = open("v2_join_subscribe_live_leave", Serializer::V2).await;
    let answer = subscribe(&mut *session, &[("run:r1:events", Some(0))]).await;
    let head = vec![(StreamId::new("run:r1:events"), Head::At(Seq(5)))];
    assert_eq!(answer, Ok(head));
    let seqs: Vec<u64> = events(&mut *session, 10).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, [1, 2, 1, 2, 3, 4, 3, 4, 5, 5]);
}

#[tokio::test]
async fn a_heartbeats_answer_comes_after_what_was_sent_before_it() {
    let mut session = open("v2_join_subscribe_live_leave", Serializer::V2).await;
    subscribe(&mut *session, &[("run:r1:events", Some(0))]).await.unwrap();
    assert_eq!(session.heartbeat().await, Ok(()));
    let live = events(&mut *session, 14).await.split_off(10);
    let expect = [(6, Via::UpdateBatch), (6, Via::Frame), (7, Via::UpdateBatch), (7, Via::Frame)];
    assert_eq!(live, expect);
    assert_eq!(session.next().await, Arrival::Closed(Closed::CloseFrame { code: 1000 }));
    assert_eq!(session.next().await, Arrival::Closed(Closed::CloseFrame { code: 1000 }));
}

#[tokio::test]
async fn a_payload_that_is_left_out_is_null_without_a_hash() {
    let mut session = open("v2_join_subscribe_live_leave", Serializer::V2).await;
    subscribe(&mut *session, &[("run:r1:events", Some(0))]).await.unwrap();
    events(&mut *session, 12).await;
    let Arrival::Event { seq, payload, declared, .. } = session.next().await else { panic!() };
    assert_eq!((seq, payload.as_str(), declared), (Seq(7), "null", None));
}

#[tokio::test]
async fn a_stale_cursor_is_refused_with_its_streams_and_a_fresh_one_is_not() {
    let mut session = open("v2_stale_retention_floor", Serializer::V2).await;
    let Err(OpError::Refused(refusal)) = subscribe(&mut *session, &[("run:r1:events", Some(6))]).await else {
        panic!()
    };
    assert_eq!(
        (refusal.code.as_str(), refusal.reasons.as_slice()),
        ("stale_cursor", &["retention_floor_breach".to_owned()][..])
    );
    assert_eq!(refusal.stale[0].stream, StreamId::new("run:r1:events"));
    assert_eq!(refusal.stale[0].retention_floor, Some(7));
    let accepted = subscribe(&mut *session, &[("run:r1:events", Some(7))]).await;
    assert!(accepted.is_ok(), "{accepted:?}");
    assert_eq!(events(&mut *session, 2).await[0], (8, Via::UpdateBatch));
}

#[tokio::test]
async fn v1_is_spoken_as_well() {
    let mut session = open("v1_official_client_1_2_1", Serializer::V1).await;
    let answer = subscribe(&mut *session, &[("run:r1:events", Some(1))]).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(events(&mut *session, 1).await[0].0, 2);
}

#[tokio::test]
async fn the_strikes_of_a_real_server_come_one_by_one_before_the_end() {
    let mut session = open("v2_slow_consumer_strikes", Serializer::V2).await;
    subscribe(&mut *session, &[("run:r1:events", None)]).await.unwrap();
    for action in ["throttle", "throttle", "disconnect"] {
        let strike = SlowNotice {
            action: action.to_owned(),
            topic: "run:r1:events".to_owned(),
            stream: Some("run:r1:events".into()),
            queue_depth: Some(65),
            queue_limit: Some(64),
            reconnect_after_ms: Some(2000),
        };
        let wait = Duration::from_secs(2);
        assert_eq!(session.next().await, Arrival::Struck { strike, wait });
    }
    assert_eq!(session.next().await, Arrival::Closed(Closed::Channel { event: "phx_error".to_owned() }));
}

#[tokio::test]
async fn another_error_that_answers_nothing_ends_the_session() {
    let mut rows = recording("v2_slow_consumer_strikes");
    rows.iter_mut().for_each(|row| row.data = row.data.replace("slow_consumer", "reauth_required"));
    let mut session = open_on(rows, Serializer::V2).await.unwrap();
    subscribe(&mut *session, &[("run:r1:events", None)]).await.unwrap();
    let ended = session.next().await;
    assert_eq!(ended, Arrival::Closed(Closed::Channel { event: "sync:error reauth_required".to_owned() }));
}

#[tokio::test]
async fn what_an_old_instance_of_the_channel_says_is_dropped() {
    let mut rows: Vec<Row> = recording("v2_join_subscribe_live_leave").into_iter().take(9).collect();
    let stale = rows[3].data.replacen("\"3\"", "\"2\"", 1);
    rows.insert(3, Row { data: stale.replace("\"watermark\":1}", "\"watermark\":99}"), ..rows[3].clone() });
    // The player maps refs of the recording; one that it does not know has to be in it first.
    rows[3].data = rows[3].data.replacen("\"2\"", "7", 1);
    let rows = rows.into_iter().filter(|row| !row.data.starts_with("[7")).collect();
    let mut session = open_on(rows, Serializer::V2).await.unwrap();
    let _ = subscribe(&mut *session, &[("run:r1:events", Some(0))]).await;
    assert_eq!(events(&mut *session, 1).await[0].0, 1);
}

#[tokio::test]
async fn a_join_refused_for_its_build_is_not_tried_again() {
    let error = open_on(recording("v2_compat_refusals"), Serializer::V2).await.err().unwrap();
    assert!(!error.retryable);
    assert!(error.refusal.is_some_and(|refusal| refusal.code == "invalid_client_build"));
    assert!(error.hint.is_some_and(|hint| hint.contains("[join]")));
}

/// A server that answers a join, and then sends these frames. Interim answers come before its upgrade.
async fn joined_and_told(frames: Vec<Vec<u8>>) -> Box<dyn SubscriberSession> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"] {
            stream.write_all(interim.as_bytes()).await.unwrap();
        }
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let _join = socket.next().await.unwrap().unwrap();
        let response = r#"{"subscription_id":"s","allowed_topics":[],"current_watermarks":[]}"#;
        let reply = format!(r#"["1","1","sync:v1","phx_reply",{{"status":"ok","response":{response}}}]"#);
        socket.send(Message::text(reply)).await.unwrap();
        for frame in frames {
            socket.send(Message::binary(frame)).await.unwrap();
        }
        while let Some(Ok(_)) = socket.next().await {}
    });
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    lane().subscriber(&endpoint, &subscriber(Serializer::V2)).await.unwrap()
}

#[tokio::test]
async fn binary_frames_that_are_not_the_channels_events_are_passed_over_and_one_that_could_be_is_not() {
    let pushed = |topic: &str, event: &str| {
        let sizes = [2, topic.len() as u8, event.len() as u8];
        [&sizes[..], topic.as_bytes(), event.as_bytes(), b"\xff\xd8"].concat()
    };
    let mut session = joined_and_told(vec![
        pushed("room:1", "photo"),
        pushed("room:1", "sync:update_batch"),
        pushed("sync:v1", "photo"),
        pushed("sync:v1", "sync:update_batch"),
        b"\x07\x00".to_vec(),
    ])
    .await;
    assert_eq!(session.next().await, Arrival::Ignored("an event of the unknown name `photo`".to_owned()));
    for expect in ["EOF", "no kind 7"] {
        let Arrival::Unreadable(what) = session.next().await else { panic!() };
        assert!(what.contains(expect), "{what}");
    }
}

#[tokio::test]
async fn an_interim_answer_is_not_taken_for_the_upgrades_own() {
    let error = refused("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    assert!(error.to_string().contains("HTTP 403"), "{error}");
}

/// A server that answers the first request with these bytes.
async fn answering(bytes: &'static str) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 8192];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
    });
    Endpoint { connect, authority: "lane.example".to_owned() }
}

async fn refused(bytes: &'static str) -> OpenError {
    let endpoint = answering(bytes).await;
    lane().subscriber(&endpoint, &subscriber(Serializer::V2)).await.err().unwrap()
}

#[tokio::test]
async fn a_bare_403_speaks_of_the_token_and_is_not_tried_again() {
    let error = refused("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    assert!(!error.retryable && error.to_string().contains("token"), "{error}");
}

#[tokio::test]
async fn a_web_page_is_no_lane() {
    let error = refused("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>").await;
    assert!(!error.retryable && error.to_string().contains("HTML"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_up_may_be_tried_again() {
    let error = refused("").await;
    assert!(error.retryable, "{error}");
}

#[tokio::test]
async fn a_lane_that_goes_silent_ends_the_session() {
    let mut rows: Vec<Row> = recording("v2_join_subscribe_live_leave").into_iter().take(3).collect();
    // The player waits for one more message, which never comes.
    rows.push(rows[0].clone());
    let connect = play(rows, Serializer::V2).await;
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    let bounds = Bounds {
        operation: crate::bounds::Bound::new("brief", std::time::Duration::from_millis(50)),
        ..Bounds::default()
    };
    let mut session = lane().with_bounds(bounds).subscriber(&endpoint, &subscriber(Serializer::V2)).await.unwrap();
    let Err(OpError::Unknown(why)) = subscribe(&mut *session, &[("run:r1:events", None)]).await else { panic!() };
    assert!(why.contains("50 ms"), "{why}");
    assert_eq!(session.next().await, Arrival::Closed(Closed::Silent));
}

/// Publishes to a server that answers once, and returns what it was asked.
async fn served(answer: &'static str) -> (Completion<Published>, String) {
    served_by(lane(), answer).await
}

/// A lane with these lines in its profile.
fn lane_with(lines: &str) -> PhoenixLane {
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://lane.example\"\n{lines}");
    let profile = PhoenixProfile::of_toml(&text, "lane.toml").unwrap();
    PhoenixLane::new(Arc::new(profile), Arc::new(names()))
}

async fn served_by(lane: PhoenixLane, answer: &'static str) -> (Completion<Published>, String) {
    let (mut writer, asked) = writer_on(lane, answer).await;
    let published = writer.publish(Publish::new(&StreamId::new("run:r1:events"), "k\"1", r#"{"n":1.0e2}"#)).await;
    (published, asked.await.unwrap())
}

async fn writer_on(lane: PhoenixLane, answer: &'static str) -> (Box<dyn WriterSession>, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 8192];
        let read = stream.read(&mut buffer).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    });
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    (lane.writer(&endpoint).await.unwrap(), asked)
}

#[tokio::test]
async fn a_publish_sends_the_payloads_own_text_and_reads_the_seq() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n{\"seq\":7,\"duplicate\":true}";
    let (completion, asked) = served(answer).await;
    assert_eq!(completion, Ok(Published { seq: Seq(7), duplicate: Some(true), differs: Vec::new() }));
    assert!(asked.starts_with("POST /internal/v1/sync/publish "), "{asked}");
    assert!(asked.ends_with(r#"{"topic":"run:r1:events","idempotency_key":"k\"1","payload":{"n":1.0e2}}"#), "{asked}");
}

#[tokio::test]
async fn a_profile_puts_the_topic_into_the_path_the_key_into_a_header_and_finds_the_answer_in_an_envelope() {
    let lines = "[publish]\npath = \"/topics/{topic}/events\"\ntopic = \"\"\nidempotency_key = \"\"\n\
                 idempotency_header = \"Idempotency-Key\"\nanswer = \"/data\"\nrefusal = \"/error\"\n";
    let answer = "HTTP/1.1 201 Created\r\ncontent-length: 18\r\n\r\n{\"data\":{\"seq\":7}}";
    let (completion, asked) = served_by(lane_with(lines), answer).await;
    let published = Published { seq: Seq(7), duplicate: None, differs: Vec::new() };
    assert_eq!(completion, Ok(published.clone()));
    assert!(asked.starts_with("POST /topics/run%3Ar1%3Aevents/events "), "{asked}");
    assert!(asked.contains("\r\nidempotency-key: k\"1\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\n{\"payload\":{\"n\":1.0e2}}"), "{asked}");
    let whole = format!("{lines}payload = \"\"\n");
    let (completion, asked) = served_by(lane_with(&whole), answer).await;
    assert_eq!(completion, Ok(published));
    assert!(asked.ends_with("\r\n\r\n{\"n\":1.0e2}"), "{asked}");
    // An empty body is no text that the service could refuse.
    let (mut writer, _) = writer_on(lane_with(&whole), answer).await;
    let empty = writer.publish(Publish::new(&StreamId::new("run:r1:events"), "k", " ")).await;
    assert!(matches!(empty, Err(OpError::Refused(refusal)) if refusal.message.contains("not sent")));
    let answer = "HTTP/1.1 409 Conflict\r\ncontent-length: 41\r\n\r\n{\"error\":{\"code\":\"idempotency_conflict\"}}";
    let (completion, _) = served_by(lane_with(lines), answer).await;
    assert!(matches!(completion, Err(OpError::Refused(refusal)) if refusal.code == "idempotency_conflict"));
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"seq\":7}";
    let (completion, _) = served_by(lane_with(lines), answer).await;
    assert!(matches!(completion, Err(OpError::Unknown(why)) if why.contains("an answer without `seq`")));
}

#[tokio::test]
async fn a_frame_of_a_kind_that_is_passed_over_is_told_and_one_without_a_kind_is_not_passed_over() {
    let frame = |kind: &str| {
        let payload = format!("{{{kind}\"payload_bytes\":\"AA==\"}}");
        Row {
            dir: "s2c".to_owned(),
            opcode: "text".to_owned(),
            data: format!("[null,null,\"sync:v1\",\"sync:frame\",{payload}]"),
        }
    };
    let mut rows: Vec<Row> = recording("v2_join_subscribe_live_leave").into_iter().take(3).collect();
    rows.insert(2, frame("\"kind\":\"PRESENCE\","));
    rows.insert(3, frame("\"kind\":\"NEW\","));
    rows.insert(4, frame(""));
    let connect = play(rows, Serializer::V2).await;
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    let lane = lane_with("[frame_kinds]\nignored = [\"PRESENCE\"]");
    let mut session = lane.subscriber(&endpoint, &subscriber(Serializer::V2)).await.unwrap();
    assert_eq!(session.next().await, Arrival::Ignored("a frame of the kind `PRESENCE`".to_owned()));
    assert_eq!(session.next().await, Arrival::Ignored("a frame of the unknown kind `NEW`".to_owned()));
    let Arrival::Unreadable(what) = session.next().await else { panic!() };
    assert!(what.contains("a frame without a kind"), "{what}");
}

#[tokio::test]
async fn a_conflict_is_a_refusal_and_a_crash_is_not() {
    let answer = "HTTP/1.1 409 Conflict\r\ncontent-length: 31\r\n\r\n{\"code\":\"idempotency_conflict\"}";
    let (completion, _) = served(answer).await;
    assert!(matches!(completion, Err(OpError::Refused(refusal)) if refusal.code == "idempotency_conflict"));
    let answer = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
    let (completion, _) = served(answer).await;
    assert!(matches!(completion, Err(OpError::Unknown(_))));
    let (completion, _) = served("").await;
    assert!(matches!(completion, Err(OpError::Unknown(why)) if why.contains("lost")));
}

#[tokio::test]
async fn a_policy_sets_only_what_is_given() {
    let stream = StreamId::new("run:r1:events");
    let (mut writer, asked) = writer_on(lane(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(writer.set_policy(&stream, Some(3), None).await, Ok(()));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("PUT /internal/v1/sync/topics/run%3Ar1%3Aevents "), "{asked}");
    assert!(asked.ends_with(r#"{"retention_events":3}"#), "{asked}");
}
