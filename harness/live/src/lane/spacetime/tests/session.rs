#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cutover_core::history::{Closed, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use tokio::net::TcpListener;

use super::super::protocol::Protocol;
use super::super::{SpacetimeLane, SpacetimeProfile};
use super::server::Server;
use crate::lane::names::Names;
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, OpenError, SubscriberSession,
};

fn lane() -> SpacetimeLane {
    let profile = Arc::new(SpacetimeProfile::of_url("http://db.example").unwrap());
    SpacetimeLane::new(profile, "sync", None, Arc::new(Names::verbatim(&["s1"])))
}

async fn open_at(endpoint: &Endpoint) -> Result<Box<dyn SubscriberSession>, OpenError> {
    let (serializer, compression) = (Serializer::V2, Compression::None);
    let client = ClientOptions { name: "c1".to_owned(), serializer, compression, join: None };
    lane().subscriber(endpoint, &client).await
}

/// A session on each of v2 and v3, with each compression.
async fn sessions() -> Vec<Box<dyn SubscriberSession>> {
    let mut sessions = Vec::new();
    for protocol in [Protocol::V2, Protocol::V3] {
        for compression in [0, 1, 2] {
            sessions.push(open_at(&Server::start(protocol, compression).await).await.unwrap());
        }
    }
    sessions
}

async fn subscribe(session: &mut dyn SubscriberSession, cursor: Option<u64>) -> Completion<Heads> {
    session.subscribe(&[(StreamId::new("s1"), cursor.map(Cursor))], 200).await
}

fn head(seq: u64) -> Completion<Heads> {
    Ok(vec![(StreamId::new("s1"), Head::At(Seq(seq)))])
}

async fn events(session: &mut dyn SubscriberSession, count: usize) -> Vec<(u64, Via)> {
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
        assert_eq!(subscribe(&mut *session, None).await, head(5));
        let expect = [3, 4, 5].map(|seq| (seq, Via::Snapshot));
        assert_eq!(events(&mut *session, 3).await, expect);
    }
}

#[tokio::test]
async fn a_transactions_inserts_are_delivered_and_its_deletes_are_not() {
    for mut session in sessions().await {
        subscribe(&mut *session, Some(5)).await.unwrap();
        assert_eq!(session.checkpoint(&StreamId::new("s1"), Cursor(5)).await, Some(Ok(())));
        assert_eq!(session.heartbeat().await, Ok(()));
        session.close().await;
        assert_eq!(events(&mut *session, 1).await, [(6, Via::Transaction)]);
        assert_eq!(session.next().await, Arrival::Closed(Closed::ByClient));
    }
}

#[tokio::test]
async fn a_stale_cursor_is_refused_in_the_modules_words_and_leaves_the_session_open() {
    for mut session in sessions().await {
        let Err(OpError::Refused(refusal)) = subscribe(&mut *session, Some(1)).await else { panic!() };
        assert_eq!((refusal.code.as_str(), refusal.reasons[0].as_str()), ("stale_cursor", "retention_floor_breach"));
        assert_eq!(refusal.stale[0].stream, StreamId::new("s1"));
        assert_eq!(subscribe(&mut *session, Some(4)).await, head(5));
        assert_eq!(events(&mut *session, 1).await, [(5, Via::Snapshot)]);
    }
}

#[tokio::test]
async fn a_stream_subscribed_again_is_first_given_up() {
    for mut session in sessions().await {
        subscribe(&mut *session, Some(4)).await.unwrap();
        // The server refuses overlapping sets.
        assert_eq!(subscribe(&mut *session, Some(4)).await, head(5));
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
