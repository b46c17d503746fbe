#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cutover_core::history::{Closed, Via};
use cutover_core::ids::{Cursor, LaneId, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use tokio::net::TcpListener;

use super::super::protocol::Protocol;
use super::super::{SpacetimeLane, SpacetimeProfile};
use super::server::Server;
use crate::lane::names::Names;
use crate::lane::{Answer, Arrival, Completion, Endpoint, Head, Lane, Op, OpenError, Role, Session};

fn lane() -> SpacetimeLane {
    let profile = Arc::new(SpacetimeProfile::of_url("http://db.example").unwrap());
    SpacetimeLane::new(LaneId::Candidate, profile, "sync", None, Arc::new(Names::verbatim(&["s1"])))
}

async fn open_at(endpoint: &Endpoint) -> Result<Box<dyn Session>, OpenError> {
    let role = Role::Subscriber { client: "c1".to_owned(), serializer: Serializer::V2, compression: Compression::None };
    lane().open(endpoint, &role).await
}

/// A session on each of v2 and v3, with each compression.
async fn sessions() -> Vec<Box<dyn Session>> {
    let mut sessions = Vec::new();
    for protocol in [Protocol::V2, Protocol::V3] {
        for compression in [0, 1, 2] {
            sessions.push(open_at(&Server::start(protocol, compression).await).await.unwrap());
        }
    }
    sessions
}

fn subscribe(cursor: Option<u64>) -> Op {
    Op::Subscribe { streams: vec![(StreamId::new("s1"), cursor.map(Cursor))], replay_batch: 200 }
}

fn head(seq: u64) -> Completion {
    Completion::Ok(Answer::Subscribed(vec![(StreamId::new("s1"), Head::At(Seq(seq)))]))
}

async fn events(session: &mut dyn Session, count: usize) -> Vec<(u64, Via)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match session.next().await {
            Arrival::Event { seq, via, payload, declared, .. } => {
                assert_eq!(payload, format!("{{\"n\":{seq}.0}}"));
                assert_eq!(declared, Some(format!("sha256:{seq}")));
                seen.push((seq.0, via));
            }
            other => panic!("{other:?} after {seen:?}"),
        }
    }
    seen
}

#[tokio::test]
async fn a_snapshot_is_replayed_by_seq_before_the_answer() {
    for mut session in sessions().await {
        assert_eq!(session.invoke(&subscribe(None)).await, head(5));
        let expect = [3, 4, 5].map(|seq| (seq, Via::Snapshot));
        assert_eq!(events(&mut *session, 3).await, expect);
    }
}

#[tokio::test]
async fn a_transactions_inserts_are_delivered_and_its_deletes_are_not() {
    for mut session in sessions().await {
        session.invoke(&subscribe(Some(5))).await;
        let checkpoint = Op::Checkpoint { stream: StreamId::new("s1"), cursor: Cursor(5) };
        assert_eq!(session.invoke(&checkpoint).await, Completion::Ok(Answer::Done));
        assert_eq!(session.invoke(&Op::Heartbeat).await, Completion::Ok(Answer::Done));
        session.close().await;
        assert_eq!(events(&mut *session, 1).await, [(6, Via::Transaction)]);
        assert_eq!(session.next().await, Arrival::Closed(Closed::ByClient));
    }
}

#[tokio::test]
async fn a_stale_cursor_is_refused_in_the_modules_words_and_leaves_the_session_open() {
    for mut session in sessions().await {
        let Completion::Fail(refusal) = session.invoke(&subscribe(Some(1))).await else { panic!() };
        assert_eq!((refusal.code.as_str(), refusal.reasons[0].as_str()), ("stale_cursor", "retention_floor_breach"));
        assert_eq!(refusal.stale[0].stream, StreamId::new("s1"));
        assert_eq!(session.invoke(&subscribe(Some(4))).await, head(5));
        assert_eq!(events(&mut *session, 1).await, [(5, Via::Snapshot)]);
    }
}

#[tokio::test]
async fn a_stream_subscribed_again_is_first_given_up() {
    for mut session in sessions().await {
        session.invoke(&subscribe(Some(4))).await;
        // The server refuses overlapping sets.
        assert_eq!(session.invoke(&subscribe(Some(4))).await, head(5));
        assert_eq!(events(&mut *session, 2).await, [(5, Via::Snapshot); 2]);
    }
}

async fn refused(bytes: &'static str) -> OpenError {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 8192];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
    });
    open_at(&Endpoint { connect, authority: "db.example".to_owned() }).await.err().unwrap()
}

#[tokio::test]
async fn what_is_no_database_says_what_to_look_at() {
    let unknown = refused("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    assert!(!unknown.retryable && unknown.to_string().contains("database"), "{unknown}");
    let token = refused("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
    assert!(!token.retryable && token.to_string().contains("token"), "{token}");
    let page = refused("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>").await;
    assert!(!page.retryable && page.to_string().contains("HTML"), "{page}");
}
