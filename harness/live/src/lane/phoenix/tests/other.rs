//! Services of other forms than the contract's: a small stand-in answers each message as a test says.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use cutover_core::history::{Closed, UNSAID, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::super::codec::{Message, decode, encode};
use super::super::{PhoenixLane, PhoenixProfile, Tagger};
use super::replay::names;
use crate::frame::{Body, Direction, Edit, Frame, FrameTag, FrameTagger};
use crate::lane::{Arrival, ClientOptions, Endpoint, Head, Lane, OpError, SubscriberSession};

const A: &str = "run:r1:events";
const B: &str = "run:r2:events";

/// Answers each message of a channel with these, and heartbeats of the socket as Phoenix does.
async fn serve(serializer: Serializer, answer: impl Fn(&Message) -> Vec<Message> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(WsMessage::Text(text))) = socket.next().await {
            let body = Body::Text(Bytes::from(text.as_str().to_owned()));
            let asked = decode(serializer, Direction::Upstream, &body).unwrap();
            let answers = if asked.topic == "phoenix" { vec![reply(&asked, "ok", &json!({}))] } else { answer(&asked) };
            for message in answers {
                let message = match serializer {
                    // V1 tells no instance.
                    Serializer::V1 => Message { join_ref: Value::Null, ..message },
                    Serializer::V2 => message,
                };
                socket.send(WsMessage::text(encode(serializer, &message))).await.unwrap();
            }
        }
    });
    address
}

fn reply(asked: &Message, status: &str, response: &Value) -> Message {
    let payload = json!({ "status": status, "response": response }).to_string();
    Message { event: "phx_reply".to_owned(), payload, ..asked.clone() }
}

fn push(asked: &Message, event: &str, payload: &Value) -> Message {
    let (event, payload) = (event.to_owned(), payload.to_string());
    Message { msg_ref: Value::Null, event, payload, ..asked.clone() }
}

fn profile(toml: &str) -> PhoenixProfile {
    PhoenixProfile::of_toml(&format!("kind = \"phoenix\"\nsocket_url = \"ws://lane.example\"\n{toml}"), "a.toml")
        .unwrap()
}

async fn open(connect: SocketAddr, profile: PhoenixProfile) -> Box<dyn SubscriberSession> {
    let endpoint = Endpoint { connect, authority: "lane.example".to_owned() };
    let (serializer, compression) = (Serializer::V2, Compression::None);
    let client = ClientOptions { name: "c1".to_owned(), serializer, compression, join: None };
    PhoenixLane::new(Arc::new(profile), Arc::new(names())).subscriber(&endpoint, &client).await.unwrap()
}

async fn seqs(session: &mut dyn SubscriberSession, count: usize) -> Vec<(String, u64)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match session.next().await {
            Arrival::Event { stream, seq, via: Via::UpdateBatch, .. } => seen.push((stream.to_string(), seq.0)),
            other => panic!("{other:?} after {seen:?}"),
        }
    }
    seen
}

const ROOMS: &str = r#"
    serializer = "v1"
    channel = "room:{topic}"
    client_param = ""
    [join]
    device = "{client}"
    [forms]
    watermark = '{"n": {seq}}'
    resume_after = "one"
    [codes]
    stale_cursor = "gone"
    [refusal]
    code = "reason"
    reason_codes = ""
    stale_topics = ""
    [events]
    subscribe = ""
    unsubscribe = ""
    heartbeat = ""
    update_batch = "new"
    frame = ""
    [fields]
    topics = ""
    resume_after = "since"
    replay_batch_size = ""
    current_watermarks = "head"
    updates = ""
    topic = ""
    watermark = "seq"
    payload = "body"
    payload_hash = "sha256"
"#;

/// A service with a channel for each topic: three events are in each, and the first is gone. It replays behind its
/// reply.
fn rooms(asked: &Message) -> Vec<Message> {
    let payload: Value = serde_json::from_str(&asked.payload).unwrap();
    match asked.event.as_str() {
        "phx_join" => {
            assert_eq!(payload["device"], "c1");
            let since = payload["since"]["n"].as_u64().unwrap_or(1);
            if since == 0 {
                return vec![reply(asked, "error", &json!({ "reason": "gone" }))];
            }
            let mut answers = vec![reply(asked, "ok", &json!({ "head": { "n": 3 } }))];
            let event = |seq: u64| push(asked, "new", &json!({ "seq": { "n": seq }, "body": { "at": seq } }));
            answers.extend((since + 1..=3).map(event));
            answers
        }
        "phx_leave" => vec![reply(asked, "ok", &json!({})), push(asked, "phx_close", &json!({}))],
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_join_of_a_topics_channel_subscribes_and_its_replay_is_awaited() {
    let mut session = open(serve(Serializer::V1, rooms).await, profile(ROOMS)).await;
    assert!(session.asks_one_by_one());
    let (a, b) = (StreamId::new(A), StreamId::new(B));
    let heads = session.subscribe(&[(a.clone(), None)], 200).await;
    assert_eq!(heads, Ok(vec![(a.clone(), Head::At(Seq(3)))]));
    let heads = session.subscribe(&[(b.clone(), Some(Cursor(2)))], 200).await;
    assert_eq!(heads, Ok(vec![(b, Head::At(Seq(3)))]));
    let expect = [(A, 2), (A, 3), (B, 3)].map(|(topic, seq)| (topic.to_owned(), seq));
    assert_eq!(seqs(&mut *session, 3).await, expect);
    assert_eq!(session.heartbeat().await, Ok(()));
}

#[tokio::test]
async fn a_client_leaves_the_channel_to_unsubscribe_and_its_close_is_no_end() {
    let mut session = open(serve(Serializer::V1, rooms).await, profile(ROOMS)).await;
    let a = StreamId::new(A);
    session.subscribe(&[(a.clone(), None)], 200).await.unwrap();
    assert_eq!(session.unsubscribe(std::slice::from_ref(&a)).await, Ok(()));
    session.subscribe(&[(a.clone(), None)], 200).await.unwrap();
    // A second subscribe joins anew, too.
    session.subscribe(&[(a, Some(Cursor(2)))], 200).await.unwrap();
    let expect = [2, 3, 2, 3, 3].map(|seq| (A.to_owned(), seq));
    assert_eq!(seqs(&mut *session, 5).await, expect);
}

#[tokio::test]
async fn a_stale_cursor_names_the_topic_of_its_channel_and_no_reason() {
    let mut session = open(serve(Serializer::V1, rooms).await, profile(ROOMS)).await;
    let refused = session.subscribe(&[(StreamId::new(A), Some(Cursor(0)))], 200).await;
    let Err(OpError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.code, "stale_cursor");
    assert_eq!((refusal.stale[0].stream.as_str(), refusal.stale[0].reason.as_str()), (A, UNSAID));
    // The channel can be joined all the same.
    session.subscribe(&[(StreamId::new(A), None)], 200).await.unwrap();
}

/// A service with a channel for each topic and a replay budget of 0: its head is 3, a second join ends the first, and
/// a live event comes where the channel is joined as the socket beats.
fn rooms_without_budget() -> impl Fn(&Message) -> Vec<Message> + Send + 'static {
    let joined = std::sync::atomic::AtomicBool::new(false);
    move |asked| {
        if asked.event == "phx_leave" {
            let was = joined.load(std::sync::atomic::Ordering::Relaxed);
            let live = push(asked, "new", &json!({ "seq": { "n": 4 }, "body": {} }));
            return if was { vec![live, reply(asked, "ok", &json!({}))] } else { vec![reply(asked, "ok", &json!({}))] };
        }
        let payload: Value = serde_json::from_str(&asked.payload).unwrap();
        let fresh = payload["since"]["n"] == 3;
        joined.store(fresh, std::sync::atomic::Ordering::Relaxed);
        match fresh {
            true => vec![reply(asked, "ok", &json!({ "head": { "n": 3 } }))],
            false => vec![reply(asked, "error", &json!({ "reason": "gone" }))],
        }
    }
}

#[tokio::test]
async fn a_probe_that_is_refused_leaves_the_topics_channel_joined() {
    let mut session = open(serve(Serializer::V1, rooms_without_budget()).await, profile(ROOMS)).await;
    let a = StreamId::new(A);
    let heads = session.subscribe(&[(a.clone(), Some(Cursor(3)))], 200).await;
    assert_eq!(heads, Ok(vec![(a.clone(), Head::At(Seq(3)))]));
    // What still comes before the answer to a leave shows that the channel was joined.
    session.unsubscribe(&[a]).await.unwrap();
    assert_eq!(seqs(&mut *session, 1).await, [(A.to_owned(), 4)]);
}

#[tokio::test]
async fn a_cursor_beyond_the_head_is_noticed_where_the_join_subscribes() {
    let mut session = open(serve(Serializer::V1, rooms).await, profile(ROOMS)).await;
    let a = StreamId::new(A);
    let heads = session.subscribe(&[(a.clone(), Some(Cursor(9)))], 200).await;
    assert_eq!(heads, Ok(vec![(a, Head::BelowCursor)]));
}

#[tokio::test]
async fn an_event_of_another_name_is_passed_over_and_told() {
    let answer = |asked: &Message| {
        let mut answers = rooms(asked);
        answers.push(push(asked, "banner", &json!({ "text": "hello" })));
        answers.push(push(asked, "presence_diff", &json!({})));
        answers
    };
    let mut session = open(serve(Serializer::V1, answer).await, profile(ROOMS)).await;
    session.subscribe(&[(StreamId::new(A), Some(Cursor(2)))], 200).await.unwrap();
    assert_eq!(seqs(&mut *session, 1).await, [(A.to_owned(), 3)]);
    assert_eq!(session.next().await, Arrival::Ignored("an event of the unknown name `banner`".to_owned()));
    session.close().await;
    assert_eq!(session.next().await, Arrival::Closed(Closed::ByClient));
}

const FEED: &str = r#"
    [envelope]
    push = "/data"
    reply = "/result"
    refusal = "/error"
    request = "/data"
    with = { v = 1 }
    [forms]
    watermark = '"s-{seq}"'
    resume_after = "list"
    [fields]
    updates = "event"
    topic = "stream"
    watermark = "position"
    payload = "/content/value"
    head_watermarks = "heads"
    current_watermarks = "positions"
    resume_after = "from"
    [events]
    frame = ""
"#;

fn feed(asked: &Message) -> Vec<Message> {
    let payload: Value = serde_json::from_str(&asked.payload).unwrap();
    if asked.event == "phx_join" {
        return vec![reply(asked, "ok", &json!({ "result": {} }))];
    }
    assert_eq!(payload["v"], 1);
    let body = &payload["data"];
    match (asked.event.as_str(), &body["from"]) {
        ("sync:subscribe", from) => {
            assert_eq!(body["topics"], json!([A]));
            assert_eq!(from, &json!([{ "stream": A, "position": "s-1" }]));
            let event = json!({ "stream": A, "position": "s-2", "content": { "value": { "n": 1.50 } } });
            let data = json!({ "v": 1, "data": { "event": event, "heads": { A: "s-2" } } });
            let done = json!({ "result": { "positions": { A: "s-2" } } });
            vec![push(asked, "sync:update_batch", &data), reply(asked, "ok", &done)]
        }
        (other, _) => panic!("{other}"),
    }
}

#[tokio::test]
async fn messages_in_envelopes_with_batches_of_one_are_read() {
    let mut session = open(serve(Serializer::V2, feed).await, profile(FEED)).await;
    let a = StreamId::new(A);
    let heads = session.subscribe(&[(a.clone(), Some(Cursor(1)))], 200).await;
    assert_eq!(heads, Ok(vec![(a.clone(), Head::At(Seq(2)))]));
    let Arrival::Event { stream, seq, payload, .. } = session.next().await else { panic!() };
    assert_eq!((stream, seq, payload.as_str()), (a, Seq(2), r#"{"n":1.5}"#));
}

/// The frame of one event as the feed sends it, and a tagger for it.
fn tagged(profile: PhoenixProfile, channel: &str, payload: &str) -> (Tagger, Frame) {
    let event = profile.events.update_batch.clone();
    let (join_ref, msg_ref) = (Value::Null, Value::Null);
    let message = Message { join_ref, msg_ref, topic: channel.to_owned(), event, payload: payload.to_owned() };
    let body = Body::Text(encode(Serializer::V2, &message).into());
    let tagger = Tagger::new(Serializer::V2, Arc::new(profile), Arc::new(names()));
    (tagger, Frame { direction: Direction::Downstream, body })
}

#[test]
fn the_proxy_reads_and_changes_such_messages_as_the_session_does() {
    let feed = r#"{"v":1,"data":{"event":{"stream":"run:r1:events","position":"s-2","content":{"value":{"n":1.50}}}}}"#;
    let room = r#"{"seq":{"n":2},"body":{"n":1.50}}"#;
    for (toml, channel, text) in [(FEED, "sync:v1", feed), (ROOMS, "room:run:r1:events", room)] {
        let (tagger, frame) = tagged(profile(toml), channel, text);
        let stream = StreamId::new(A);
        let delivery = FrameTag::Delivery { events: vec![(stream.clone(), Seq(2))], via: Via::UpdateBatch };
        assert_eq!(tagger.tag(&frame), delivery);
        assert_eq!(tagger.contents(&frame).events[0].payload, r#"{"n":1.50}"#);
        let replaced = Edit::ReplacePayload { stream: stream.clone(), seq: Seq(2), payload: "[7]".to_owned() };
        let frame_with = |edit: &Edit| tagger.edit(&frame, edit).unwrap();
        assert_eq!(tagger.contents(&frame_with(&replaced)).events[0].payload, "[7]");
        let set = Edit::SetJson { events: vec![], pointer: "/n".to_owned(), value: "2.50".to_owned() };
        assert_eq!(tagger.contents(&frame_with(&set)).events[0].payload, r#"{"n":2.50}"#);
        let removed = frame_with(&Edit::RemoveEvent { stream, seq: Seq(2) });
        assert_eq!(tagger.tag(&removed), FrameTag::Delivery { events: vec![], via: Via::UpdateBatch });
    }
}

#[test]
fn a_cursor_is_rewritten_in_the_form_of_the_service() {
    let up = |profile: &PhoenixProfile, channel: &str, event: &str, payload: &str| {
        let message = Message {
            join_ref: Value::from("1"),
            msg_ref: Value::from("resume-1"),
            topic: channel.to_owned(),
            event: event.to_owned(),
            payload: payload.to_owned(),
        };
        let body = Body::Text(encode(Serializer::V2, &message).into());
        let tagger = Tagger::new(Serializer::V2, Arc::new(profile.clone()), Arc::new(names()));
        (tagger, Frame { direction: Direction::Upstream, body })
    };
    let feed = r#"{"v":1,"data":{"topics":["run:r1:events"],"from":[{"stream":"run:r1:events","position":"s-4"}]}}"#;
    let room = r#"{"device":"c1","since":{"n":4}}"#;
    for (toml, channel, event, text) in
        [(FEED, "sync:v1", "sync:subscribe", feed), (ROOMS, "room:run:r1:events", "phx_join", room)]
    {
        let profile = profile(toml);
        let (tagger, frame) = up(&profile, channel, event, text);
        let resume = |to: u64| FrameTag::Resume { cursors: vec![(StreamId::new(A), Some(Cursor(to)))], opens: true };
        assert_eq!(tagger.tag(&frame), resume(4));
        let edit = Edit::Cursor { stream: StreamId::new(A), to: Cursor(9) };
        assert_eq!(tagger.tag(&tagger.edit(&frame, &edit).unwrap()), resume(9));
    }
}
