//! Sessions with a server that is newer than this tool: what only such a server sends is passed over and told.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::plan::{Compression, Serializer};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::super::protocol::Protocol;
use super::super::{SpacetimeLane, SpacetimeProfile};
use super::recording::{recording, schema};
use crate::lane::names::Names;
use crate::lane::{Arrival, ClientOptions, Endpoint, Lane};

/// A frame with one message of a kind that no server of today has.
const NEWER: &[u8] = &[0, 20, 1, 2, 3];

/// A server that sends these frames, and then closes.
async fn serve(protocol: Protocol, frames: Vec<Bytes>) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let name = format!("{}.bsatn.spacetimedb", format!("{protocol:?}").to_lowercase());
        #[allow(clippy::result_large_err)]
        let choose = |_: &Request, mut response: Response| {
            response.headers_mut().insert("sec-websocket-protocol", name.parse().unwrap());
            Ok(response)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, choose).await.unwrap();
        for frame in frames {
            socket.send(Message::binary(frame)).await.unwrap();
        }
        socket.close(None).await.unwrap();
        while socket.next().await.is_some_and(|read| read.is_ok()) {}
    });
    Endpoint { connect, authority: "db.example".to_owned() }
}

/// What a session makes of these frames until it ends.
async fn arrivals(protocol: Protocol, frames: Vec<Bytes>) -> Vec<Arrival> {
    let profile = Arc::new(SpacetimeProfile::of_url("http://db.example").unwrap());
    let lane = SpacetimeLane::new(profile, "sync", None, Arc::new(Names::verbatim(&["s1"]))).with_schema(schema());
    let (serializer, compression) = (Serializer::V2, Compression::None);
    let client = ClientOptions { name: "c1".to_owned(), serializer, compression, join: None };
    let mut session = lane.subscriber(&serve(protocol, frames).await, &client).await.unwrap();
    let mut all = Vec::new();
    loop {
        match session.next().await {
            Arrival::Closed(_) => return all,
            arrival => all.push(arrival),
        }
    }
}

fn ignored(kind: u8) -> Arrival {
    Arrival::Ignored(format!("a message of the unknown kind {kind}"))
}

#[tokio::test]
async fn unknown_messages_before_each_known_one_change_nothing_else() {
    for name in ["1.2.0/v1-none", "2.8.3/v1-none", "2.8.3/v2-none", "2.8.3/v3-none"] {
        let (protocol, rows) = recording(name);
        let first = rows[0].conn.clone();
        let known: Vec<Bytes> =
            rows.iter().filter(|row| row.conn == first && !row.to_lane()).map(|row| row.bytes()).collect();
        let with = known.iter().flat_map(|frame| [Bytes::from_static(NEWER), frame.clone()]).collect();
        let usual = arrivals(protocol, known.clone()).await;
        let (told, rest): (Vec<_>, Vec<_>) =
            arrivals(protocol, with).await.into_iter().partition(|arrival| *arrival == ignored(20));
        assert_eq!(told.len(), known.len(), "{name}");
        assert_eq!(rest, usual, "{name}");
        assert!(usual.iter().any(|arrival| matches!(arrival, Arrival::Event { .. })), "{name}: {usual:?}");
    }
}

#[tokio::test]
async fn an_unknown_message_behind_others_in_a_frame_is_told_behind_them() {
    let (protocol, rows) = recording("2.8.3/v3-none");
    let greeting = rows[0].bytes();
    let frame = [&greeting[..], &NEWER[1..]].concat().into();
    assert_eq!(arrivals(protocol, vec![frame]).await, [ignored(20)]);
}
