//! A small server for tests that answers as the recordings of a 2.8.3 server do, over v2 or v3.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use spacetimedb_client_api_messages::websocket::{common, v2};
use spacetimedb_lib::{Timestamp, bsatn};
use spacetimedb_sats::raw_identifier::RawIdentifier;
use spacetimedb_sats::{AlgebraicValue, ProductValue};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::super::compression::Compressed;
use super::super::protocol::{ClientMessage, Protocol, ServerMessage, decode_client, encode_server};
use super::super::request::read_resume_args;
use super::super::rows::join;
use super::super::shape::ModuleShape;
use super::recording::recording;
use crate::lane::Endpoint;

/// A server that answers as a 2.8.3 does, by the recordings: a stream `s1` with events 3 to 5, of which 1 and 2 are
/// gone.
pub struct Server {
    socket: WebSocketStream<TcpStream>,
    protocol: Protocol,
    compression: u8,
    sets: Vec<(u32, Vec<String>)>,
    events: Vec<u64>,
    unsubscribed: Vec<u32>,
}

fn event_row(seq: u64) -> Vec<u8> {
    let text = |text: &str| AlgebraicValue::String(text.into());
    let columns = [
        text("s1"),
        AlgebraicValue::U64(seq),
        text(&format!("k{seq}")),
        text(&format!("sha256:{seq}")),
        text(&format!("{{\"n\":{seq}.0}}")),
        AlgebraicValue::I64(1_700_000_000_000_000 + seq as i64),
        AlgebraicValue::Bool(true),
    ];
    bsatn::to_vec(&ProductValue::from_iter(columns)).unwrap()
}

fn stream_row(head: u64) -> Vec<u8> {
    let text = |text: &str| AlgebraicValue::String(text.into());
    let number = AlgebraicValue::U64;
    let columns = [text("s1"), text("run_events"), text(""), number(3), number(head), number(100), number(3)];
    bsatn::to_vec(&ProductValue::from_iter(columns)).unwrap()
}

impl Server {
    /// Serves one connection; `events` are what it has, newest first so that order is the client's affair.
    pub async fn start(protocol: Protocol, compression: u8) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connect = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let name = if protocol == Protocol::V3 { "v3.bsatn.spacetimedb" } else { "v2.bsatn.spacetimedb" };
            #[allow(clippy::result_large_err)]
            let choose = |request: &Request, mut response: Response| {
                assert!(request.uri().to_string().starts_with("/v1/database/sync/subscribe?compression="));
                response.headers_mut().insert("sec-websocket-protocol", name.parse().unwrap());
                Ok(response)
            };
            let socket = tokio_tungstenite::accept_hdr_async(stream, choose).await.unwrap();
            let mut server =
                Server { socket, protocol, compression, sets: vec![], events: vec![5, 4, 3], unsubscribed: vec![] };
            let greeting = recording(if protocol == Protocol::V3 { "2.8.3/v3-none" } else { "2.8.3/v2-none" }).1;
            server.socket.send(Message::binary(greeting[0].bytes())).await.unwrap();
            server.serve().await;
        });
        Endpoint { connect, authority: "db.example".to_owned() }
    }

    async fn serve(&mut self) {
        while let Some(Ok(message)) = self.socket.next().await {
            let Message::Binary(bytes) = message else { continue };
            for message in decode_client(self.protocol, &bytes).unwrap() {
                let ClientMessage::V2(message) = message else { panic!() };
                self.answer(message).await;
            }
        }
    }

    async fn answer(&mut self, message: v2::ClientMessage) {
        match message {
            v2::ClientMessage::Subscribe(set) => {
                let queries: Vec<String> = set.query_strings.iter().map(|query| query.to_string()).collect();
                assert!(self.sets.iter().all(|(_, known)| *known != queries), "sets must not overlap");
                let tables = queries.iter().map(|query| self.rows(query)).collect();
                self.sets.push((set.query_set_id.id, queries));
                let (request_id, query_set_id) = (set.request_id, set.query_set_id);
                let rows = v2::QueryRows { tables };
                self.send(vec![v2::SubscribeApplied { request_id, query_set_id, rows }.into()]).await;
            }
            v2::ClientMessage::Unsubscribe(set) => {
                self.sets.retain(|(id, _)| *id != set.query_set_id.id);
                self.unsubscribed.push(set.query_set_id.id);
                let (request_id, query_set_id) = (set.request_id, set.query_set_id);
                self.send(vec![v2::UnsubscribeApplied { request_id, query_set_id, rows: None }.into()]).await;
            }
            v2::ClientMessage::CallReducer(call) if &*call.reducer == "resume_stream" => {
                let cursors = read_resume_args(&call.args).unwrap();
                let stale = cursors.iter().any(|(_, cursor)| *cursor < 2);
                let result = match stale {
                    false => v2::ReducerOutcome::OkEmpty,
                    true => {
                        let words = r#"{"code":"stale_cursor","message":"m","full_resync_required":true,
                            "reason_codes":["retention_floor_breach"],
                            "stale_topics":[{"topic":"s1","reason":"retention_floor_breach","qos_tier":"warm",
                            "resume_after":1,"retention_floor":2,"head_watermark":5,"replay_lag":4,
                            "replay_budget_events":100}],"snapshot_plan":{"format":"f","topics":[]}}"#;
                        v2::ReducerOutcome::Err(bsatn::to_vec(words).unwrap().into())
                    }
                };
                self.send(vec![reducer_result(call.request_id, result)]).await;
            }
            v2::ClientMessage::CallReducer(call) => {
                // What the checkpoint commits comes in two transactions and the answer, in v3 all in one frame.
                let head = self.events.iter().max().unwrap() + 1;
                self.events.push(head);
                let id = self.sets[0].0;
                let (first, second) = (transaction(id, head), v2::ReducerOutcome::OkEmpty);
                self.send(vec![first.into(), reducer_result(call.request_id, second)]).await;
            }
            _ => panic!("the session asks for nothing else"),
        }
    }

    fn rows(&self, query: &str) -> v2::SingleTableRows {
        let (table, rows) = match ModuleShape::default().read_events_query(query) {
            Some((_, after)) => {
                ("sync_event", self.events.iter().filter(|seq| **seq > after).map(|seq| event_row(*seq)).collect())
            }
            None => ("sync_stream", vec![stream_row(*self.events.iter().max().unwrap())]),
        };
        let rows: Vec<Vec<u8>> = rows;
        v2::SingleTableRows { table: RawIdentifier::from(table), rows: join(&rows) }
    }

    async fn send(&mut self, messages: Vec<v2::ServerMessage>) {
        let messages: Vec<ServerMessage> = messages.into_iter().map(ServerMessage::V2).collect();
        let frames = match self.protocol {
            Protocol::V3 => vec![encode_server(&messages, Compressed::None).unwrap()],
            _ => messages.into_iter().map(|message| encode_server(&[message], Compressed::None).unwrap()).collect(),
        };
        for frame in frames {
            self.socket.send(Message::binary(compressed(&frame, self.compression))).await.unwrap();
        }
    }
}

fn reducer_result(request_id: u32, result: v2::ReducerOutcome) -> v2::ServerMessage {
    v2::ReducerResult { request_id, timestamp: Timestamp::UNIX_EPOCH, result }.into()
}

fn transaction(set: u32, seq: u64) -> v2::TransactionUpdate {
    let rows = v2::PersistentTableRows { inserts: join(&[event_row(seq)]), deletes: join(&[event_row(2)]) };
    let of_stream = v2::PersistentTableRows { inserts: join(&[stream_row(seq)]), deletes: join(&[]) };
    let table = |name: &'static str, rows| v2::TableUpdate {
        table_name: RawIdentifier::from(name),
        rows: [v2::TableUpdateRows::PersistentTable(rows)].into(),
    };
    let tables = [table("sync_event", rows), table("sync_stream", of_stream)].into();
    let update = v2::QuerySetUpdate { query_set_id: common::QuerySetId::new(set), tables };
    v2::TransactionUpdate { query_sets: [update].into() }
}

fn compressed(frame: &[u8], tag: u8) -> Bytes {
    let mut bytes = vec![tag];
    match tag {
        1 => {
            let mut writer = brotli::CompressorWriter::new(&mut bytes, 4096, 1, 22);
            writer.write_all(&frame[1..]).unwrap();
        }
        2 => {
            let mut writer = flate2::write::GzEncoder::new(&mut bytes, flate2::Compression::fast());
            writer.write_all(&frame[1..]).unwrap();
            writer.finish().unwrap();
        }
        _ => bytes.extend_from_slice(&frame[1..]),
    }
    Bytes::from(bytes)
}
