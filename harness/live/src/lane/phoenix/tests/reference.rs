//! The lane against the reference server: both are ours, but the server was held against recordings of a real one.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cutover_core::hash::payload_hash;
use cutover_core::history::{Contradiction, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{Compression, JoinParams, SaidProtocol, Serializer, Window};
use cutover_reference::{Config, Defects, Server};
use tempfile::TempDir;

use super::super::PhoenixLane;
use crate::lane::names::Names;
use crate::lane::phoenix::PhoenixProfile;
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, Publish, Published, SubscriberSession,
    WriterSession,
};

const STREAMS: [&str; 2] = ["run:a:events", "run:b:events"];

/// A server in this process, and a lane that leads to it.
struct Stack {
    lane: PhoenixLane,
    endpoint: Endpoint,
    _data: TempDir,
}

impl Stack {
    fn start() -> Stack {
        Stack::with(PhoenixProfile::of_url("ws://legacy.example").unwrap())
    }

    fn with(profile: PhoenixProfile) -> Stack {
        Stack::of(profile, |_| {})
    }

    fn of(profile: PhoenixProfile, change: impl FnOnce(&mut Config)) -> Stack {
        let data = TempDir::new().unwrap();
        let mut config = Config::new("127.0.0.1:0".parse().unwrap(), data.path().to_owned());
        change(&mut config);
        let server = Server::bind(config).unwrap();
        let endpoint = Endpoint { connect: server.local_addr(), authority: "legacy.example".to_owned() };
        tokio::spawn(server.run(std::future::pending()));
        let profile = Arc::new(profile);
        // The server knows only the topics of the contract, scoped ones among them.
        let names = Arc::new(Names::new(STREAMS.map(StreamId::new), Some("x1")).unwrap());
        let lane = PhoenixLane::new(profile, names);
        Stack { lane, endpoint, _data: data }
    }

    async fn writer(&self) -> Box<dyn WriterSession> {
        self.lane.writer(&self.endpoint).await.unwrap()
    }

    async fn subscriber(&self, serializer: Serializer) -> Box<dyn SubscriberSession> {
        let client = ClientOptions { name: "c1".to_owned(), serializer, compression: Compression::None, join: None };
        self.lane.subscriber(&self.endpoint, &client).await.unwrap()
    }
}

async fn publish(writer: &mut dyn WriterSession, stream: &str, key: &str, payload: &str) -> Completion<Published> {
    writer.publish(Publish::new(&StreamId::new(stream), key, payload)).await
}

fn published(seq: u64, duplicate: bool) -> Completion<Published> {
    Ok(Published { seq: Seq(seq), duplicate: Some(duplicate), differs: Vec::new() })
}

async fn subscribe(session: &mut dyn SubscriberSession, streams: &[(&str, Option<u64>)]) -> Completion<Heads> {
    let streams = streams.iter().map(|(stream, cursor)| (StreamId::new(*stream), cursor.map(Cursor)));
    session.subscribe(&streams.collect::<Vec<_>>(), 2).await
}

async fn event(session: &mut dyn SubscriberSession) -> (String, u64, String, Option<String>, Via) {
    match session.next().await {
        Arrival::Event { stream, seq, payload, declared, via, .. } => {
            (stream.as_str().to_owned(), seq.0, payload, declared, via)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_published_arrives_twice_with_its_hash_over_either_serializer() {
    let stack = Stack::start();
    let mut writer = stack.writer().await;
    let payload = r#"{"b": 1.50, "a": "\u00e9", "big": 12345678901234567890}"#;
    for serializer in [Serializer::V1, Serializer::V2] {
        let mut session = stack.subscriber(serializer).await;
        let subscribed = subscribe(&mut *session, &[(STREAMS[0], None)]).await;
        assert!(subscribed.is_ok(), "{subscribed:?}");
        let seq = if serializer == Serializer::V1 { 1 } else { 2 };
        assert_eq!(publish(&mut *writer, STREAMS[0], &format!("k{seq}"), payload).await, published(seq, false));
        let hash = payload_hash(payload.as_bytes()).unwrap();
        loop {
            let (stream, at, text, declared, via) = event(&mut *session).await;
            assert_eq!((stream.as_str(), declared), (STREAMS[0], Some(hash.to_string())));
            assert_eq!(payload_hash(text.as_bytes()).unwrap(), hash);
            if at == seq && via == Via::Frame {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_repeated_publish_is_a_duplicate_and_another_payload_a_conflict() {
    let stack = Stack::start();
    let mut writer = stack.writer().await;
    assert_eq!(publish(&mut *writer, STREAMS[0], "k", "{}").await, published(1, false));
    assert_eq!(publish(&mut *writer, STREAMS[0], "k", " {} ").await, published(1, true));
    let Err(OpError::Refused(refusal)) = publish(&mut *writer, STREAMS[0], "k", "[]").await else { panic!() };
    assert_eq!(refusal.code, "idempotency_conflict");
}

#[tokio::test]
async fn a_cursor_below_the_floor_is_stale_and_one_at_it_is_resumed() {
    let stack = Stack::start();
    let mut writer = stack.writer().await;
    assert_eq!(writer.set_policy(&StreamId::new(STREAMS[0]), Some(2), Some(100)).await, Ok(()));
    for seq in 1..=5 {
        assert_eq!(publish(&mut *writer, STREAMS[0], &seq.to_string(), "{}").await, published(seq, false));
    }
    let mut session = stack.subscriber(Serializer::V2).await;
    let Err(OpError::Refused(refusal)) = subscribe(&mut *session, &[(STREAMS[0], Some(2)), (STREAMS[1], None)]).await
    else {
        panic!()
    };
    assert_eq!((refusal.code.as_str(), refusal.reasons[0].as_str()), ("stale_cursor", "retention_floor_breach"));
    assert_eq!(refusal.stale[0].stream, StreamId::new(STREAMS[0]));
    let heads = [(STREAMS[0], 5), (STREAMS[1], 0)].map(|(stream, head)| (StreamId::new(stream), Head::At(Seq(head))));
    assert_eq!(subscribe(&mut *session, &[(STREAMS[0], Some(3)), (STREAMS[1], None)]).await, Ok(heads.to_vec()));
    assert_eq!(session.heartbeat().await, Ok(()));
    let seqs = [event(&mut *session).await.1, event(&mut *session).await.1];
    assert_eq!(seqs, [4, 5]);
}

/// Publishes four events of a stream and resumes it from a cursor.
async fn resumed_from(cursor: u64) -> (Stack, Box<dyn WriterSession>, Box<dyn SubscriberSession>, Completion<Heads>) {
    let stack = Stack::start();
    let mut writer = stack.writer().await;
    for nth in 1..=4 {
        let done = publish(&mut *writer, STREAMS[0], &format!("k{nth}"), &format!("{{\"n\":{nth}}}")).await;
        assert_eq!(done, published(nth, false));
    }
    let mut session = stack.subscriber(Serializer::V2).await;
    let answer = subscribe(&mut *session, &[(STREAMS[0], Some(cursor))]).await;
    (stack, writer, session, answer)
}

fn answered(head: Head) -> Completion<Heads> {
    Ok(vec![(StreamId::new(STREAMS[0]), head)])
}

#[tokio::test]
async fn a_cursor_beyond_the_head_is_told_from_one_at_it() {
    assert_eq!(resumed_from(4).await.3, answered(Head::At(Seq(4))));
    assert_eq!(resumed_from(5).await.3, answered(Head::BelowCursor));
    assert_eq!(resumed_from(90).await.3, answered(Head::BelowCursor));
}

#[tokio::test]
async fn a_cursor_beyond_the_head_is_found_beside_one_at_the_head_of_a_stream_without_a_replay_budget() {
    let (stack, mut writer, ..) = resumed_from(4).await;
    assert_eq!(publish(&mut *writer, STREAMS[1], "k1", "{}").await, published(1, false));
    assert_eq!(writer.set_policy(&StreamId::new(STREAMS[1]), None, Some(0)).await.map(drop), Ok(()));
    let mut session = stack.subscriber(Serializer::V2).await;
    let answer = subscribe(&mut *session, &[(STREAMS[0], Some(7)), (STREAMS[1], Some(1))]).await;
    let head = |stream, head| (StreamId::new(stream), head);
    assert_eq!(answer, Ok(vec![head(STREAMS[0], Head::BelowCursor), head(STREAMS[1], Head::At(Seq(1)))]));
}

#[tokio::test]
async fn asking_whether_a_cursor_is_beyond_the_head_delivers_nothing() {
    let (_stack, mut writer, mut session, _) = resumed_from(4).await;
    assert_eq!(publish(&mut *writer, STREAMS[0], "k5", "{}").await, published(5, false));
    assert_eq!(event(&mut *session).await.1, 5);
    assert_eq!(event(&mut *session).await.1, 5);
}

#[tokio::test]
async fn a_subscribe_without_a_cursor_behind_an_unsubscribe_replays_from_the_beginning() {
    let stack = Stack::start();
    let mut writer = stack.writer().await;
    let stream = StreamId::new(STREAMS[0]);
    for n in 1..=3 {
        let (key, payload) = (format!("k{n}"), format!("{{\"n\":{n}}}"));
        writer.publish(Publish::new(&stream, &key, &payload)).await.unwrap();
    }
    for serializer in [Serializer::V1, Serializer::V2] {
        let mut session = stack.subscriber(serializer).await;
        for _ in 0..2 {
            let answer = session.subscribe(&[(stream.clone(), None)], 2).await;
            let heads = vec![(stream.clone(), Head::At(Seq(3)))];
            assert_eq!(answer, Ok(heads));
            let mut seqs = Vec::new();
            while seqs.len() < 6 {
                match session.next().await {
                    Arrival::Event { seq, .. } => seqs.push(seq.0),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(seqs, [1, 2, 1, 2, 3, 3]);
            assert_eq!(session.unsubscribe(std::slice::from_ref(&stream)).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn a_batch_with_more_events_than_were_asked_for_is_told() {
    for (defect, told) in [("", 0), ("batch-size-ignored", 2)] {
        let profile = PhoenixProfile::of_url("ws://legacy.example").unwrap();
        let stack = Stack::of(profile, |config| config.defects = Defects::parse(defect).unwrap_or_default());
        let mut writer = stack.writer().await;
        for seq in 1..=5 {
            assert_eq!(publish(&mut *writer, STREAMS[0], &seq.to_string(), "{}").await, published(seq, false));
        }
        let mut session = stack.subscriber(Serializer::V2).await;
        assert!(subscribe(&mut *session, &[(STREAMS[0], None)]).await.is_ok());
        let (mut events, mut too_long) = (0, 0);
        while events < 10 {
            match session.next().await {
                Arrival::Event { .. } => events += 1,
                Arrival::Contradiction { what: Contradiction::BatchTooLong, .. } => too_long += 1,
                other => panic!("{other:?}"),
            }
        }
        // The batch, and the frame that repeats it.
        assert_eq!(too_long, told, "{defect}");
    }
}

#[tokio::test]
async fn a_service_without_a_heartbeat_of_the_channel_is_asked_for_the_sockets() {
    let mut profile = PhoenixProfile::of_url("ws://legacy.example").unwrap();
    profile.events.heartbeat = String::new();
    let stack = Stack::with(profile);
    let mut session = stack.subscriber(Serializer::V2).await;
    assert_eq!(session.heartbeat().await, Ok(()));
}

fn client(name: &str, join: Option<JoinParams>) -> ClientOptions {
    ClientOptions { name: name.to_owned(), serializer: Serializer::V2, compression: Compression::None, join }
}

#[tokio::test]
async fn a_client_that_the_window_refuses_is_told_the_window_and_has_no_subscription() {
    let profile = PhoenixProfile::of_url("ws://legacy.example").unwrap();
    let stack = Stack::of(profile, |config| config.compat.enforced = true);
    let good = || JoinParams {
        build: Some("20260225T190000Z".to_owned()),
        protocol: Some(SaidProtocol::Own),
        schema: Some(1),
    };
    for (join, code) in [
        (JoinParams::default(), Some("invalid_client_build")),
        (JoinParams { protocol: Some(SaidProtocol::Another), ..good() }, Some("unsupported_protocol_version")),
        (JoinParams { schema: None, ..good() }, Some("unsupported_schema_version")),
        (JoinParams { build: Some("2025".to_owned()), ..good() }, Some("upgrade_required")),
        (good(), None),
    ] {
        let error = stack.lane.subscriber(&stack.endpoint, &client("c1", Some(join))).await.err();
        assert!(error.as_ref().is_none_or(|error| !error.retryable && !error.subscribed), "{error:?}");
        let refusal = error.and_then(|error| error.refusal);
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code.as_str()), code);
        assert!(refusal.is_none_or(|refusal| refusal.window == Window::default().told()));
    }
}

#[tokio::test]
async fn connections_are_listed_by_the_names_of_their_clients_where_the_profile_says_how() {
    let mut profile = PhoenixProfile::of_url("ws://legacy.example").unwrap();
    let without = Stack::with(profile.clone());
    assert_eq!(without.writer().await.connections().await, Ok(None));
    "/metrics".clone_into(&mut profile.presence.path);
    let stack = Stack::with(profile);
    let first = stack.lane.subscriber(&stack.endpoint, &client("c1", None)).await.unwrap();
    let _second = stack.lane.subscriber(&stack.endpoint, &client("c1", None)).await.unwrap();
    let silent = stack.lane.subscriber(&stack.endpoint, &client("c2", Some(JoinParams::default()))).await.unwrap();
    assert_eq!((first.connection_name().as_deref(), silent.connection_name()), (Some("x1-c1"), None));
    let listed = stack.writer().await.connections().await.unwrap().unwrap();
    assert_eq!(listed, ["x1-c1", "x1-c1"]);
}
