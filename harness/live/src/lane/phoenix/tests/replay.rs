//! Recordings of a real Phoenix server: read for tests, and played by a small server in place of it.

use std::net::SocketAddr;

use bytes::Bytes;
use cutover_core::ids::StreamId;
use cutover_core::plan::Serializer;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::super::codec::{Message, decode, encode};
use crate::frame::{Body, Direction, Frame};
use crate::lane::names::Names;

/// A row of a recording.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub dir: String,
    pub opcode: String,
    pub data: String,
}

impl Row {
    pub fn direction(&self) -> Direction {
        if self.dir == "c2s" { Direction::Upstream } else { Direction::Downstream }
    }

    pub fn frame(&self) -> Option<Frame> {
        let body = (self.opcode == "text").then(|| Body::Text(Bytes::from(self.data.clone())))?;
        Some(Frame { direction: self.direction(), body })
    }
}

pub fn recording(name: &str) -> Vec<Row> {
    let path = format!("{}/../../golden/phoenix/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The streams of the recordings.
pub fn names() -> Names {
    let streams = ["run:r1:events", "run:r2:events", "worker:w1:lifecycle", "runtime.run_summaries"];
    Names::new(streams.map(StreamId::new), None).unwrap()
}

/// A server that waits for each message of the recording's client and sends what the recorded server sent, with the
/// refs of the client that it talks to. Socket heartbeats, which the recordings may not have, are answered besides.
/// When the recording is over, or its client does what ours never does, it closes with 1000.
pub async fn play(rows: Vec<Row>, serializer: Serializer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let mut refs: Vec<(Value, Value)> = vec![(Value::Null, Value::Null)];
        for row in rows {
            let Some(frame) = row.frame() else { break };
            let recorded = decode(serializer, row.direction(), &frame.body).unwrap();
            if row.direction() == Direction::Downstream {
                let now = |then: &Value| refs.iter().find(|(known, _)| known == then).unwrap().1.clone();
                let (join_ref, msg_ref) = (now(&recorded.join_ref), now(&recorded.msg_ref));
                let message = Message { join_ref, msg_ref, ..recorded };
                socket.send(WsMessage::text(encode(serializer, &message))).await.unwrap();
                continue;
            }
            if ["sync:unsubscribe", "phx_leave"].contains(&recorded.event.as_str()) {
                break;
            }
            let asked = loop {
                let Some(Ok(WsMessage::Text(text))) = socket.next().await else {
                    return;
                };
                let body = Body::Text(Bytes::from(text.as_str().to_owned()));
                let asked = decode(serializer, Direction::Upstream, &body).unwrap();
                if asked.topic != "phoenix" {
                    break asked;
                }
                let payload = r#"{"status":"ok","response":{}}"#.to_owned();
                let reply = Message { event: "phx_reply".to_owned(), payload, ..asked };
                socket.send(WsMessage::text(encode(serializer, &reply))).await.unwrap();
            };
            assert_eq!((&asked.topic, &asked.event), (&recorded.topic, &recorded.event));
            refs.push((recorded.msg_ref, asked.msg_ref));
            refs.push((recorded.join_ref, asked.join_ref));
        }
        let frame = CloseFrame { code: 1000.into(), reason: "".into() };
        let _ = socket.close(Some(frame)).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    address
}
