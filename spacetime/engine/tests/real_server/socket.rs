//! What a client of the v1 WebSocket API sees.

use std::net::TcpStream;

use serde_json::{Value, json};
use spacetimedb_client_api_messages::websocket::common::QuerySetId;
use spacetimedb_client_api_messages::websocket::v1::{
    BIN_PROTOCOL, BsatnFormat, CallReducer, CallReducerFlags, ClientMessage, CompressableQueryUpdate, DatabaseUpdate,
    ServerMessage, SubscribeMulti, UpdateStatus,
};
use spacetimedb_sats::bsatn;
use tempfile::tempdir;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::client::{Client, DATABASE, STREAM, append_arguments, published};
use crate::server::Server;

/// A v1 connection.
pub struct Socket {
    socket: WebSocket<TcpStream>,
    requests: u32,
}

impl Socket {
    /// Connects, and waits for the server's first message.
    pub fn open(server: &Server, client: &Client) -> Self {
        let url = format!("ws://{}/v1/database/{DATABASE}/subscribe?compression=None", server.address);
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", BIN_PROTOCOL.parse().unwrap());
        headers.insert("Authorization", format!("Bearer {}", client.token).parse().unwrap());
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut opened = Self { socket, requests: 0 };
        assert!(matches!(opened.next(), ServerMessage::IdentityToken(_)));
        opened
    }

    /// Sends an append and does not wait for its answer.
    pub fn send_append(&mut self, key: &str, payload: &str) {
        let mut arguments = Vec::new();
        for text in [STREAM, key, payload, ""] {
            bsatn::to_writer(&mut arguments, text).unwrap();
        }
        bsatn::to_writer(&mut arguments, &None::<u64>).unwrap();
        self.requests += 1;
        self.send(ClientMessage::CallReducer(CallReducer {
            reducer: "append_sync_event".into(),
            args: arguments.into_boxed_slice(),
            request_id: self.requests,
            flags: CallReducerFlags::FullUpdate,
        }));
    }

    /// Reads the answer to a reducer call: `Ok` where it was committed.
    pub fn answer(&mut self) -> Result<DatabaseUpdate<BsatnFormat>, String> {
        match self.next() {
            ServerMessage::TransactionUpdate(update) => match update.status {
                UpdateStatus::Committed(update) => Ok(update),
                UpdateStatus::Failed(refusal) => Err(refusal.into()),
                UpdateStatus::OutOfEnergy => panic!("out of energy"),
            },
            _ => panic!("the message does not answer a call"),
        }
    }

    fn subscribe(&mut self, query: &str) -> DatabaseUpdate<BsatnFormat> {
        self.requests += 1;
        self.send(ClientMessage::SubscribeMulti(SubscribeMulti {
            query_strings: [query.into()].into(),
            request_id: self.requests,
            query_id: QuerySetId::new(self.requests),
        }));
        match self.next() {
            ServerMessage::SubscribeMultiApplied(applied) => applied.update,
            _ => panic!("the subscription was not applied"),
        }
    }

    fn send(&mut self, message: ClientMessage<Box<[u8]>>) {
        let bytes = bsatn::to_vec(&message).unwrap();
        self.socket.send(Message::Binary(bytes.into())).unwrap();
    }

    fn next(&mut self) -> ServerMessage<BsatnFormat> {
        loop {
            if let Message::Binary(bytes) = self.socket.read().unwrap() {
                // The first byte names the compression, and none was asked for.
                assert_eq!(bytes[0], 0);
                return bsatn::from_slice(&bytes[1..]).unwrap();
            }
        }
    }
}

/// The seqs of the events that an update inserts, in its own order.
fn inserted_seqs(update: &DatabaseUpdate<BsatnFormat>) -> Vec<u64> {
    let mut seqs = Vec::new();
    for update in update.tables.iter().flat_map(|table| &table.updates) {
        let CompressableQueryUpdate::Uncompressed(update) = update else { panic!("compressed") };
        for row in &update.inserts {
            let mut rest = &row[..];
            let (stream_id, seq): (String, u64) = bsatn::from_reader(&mut rest).unwrap();
            assert_eq!(stream_id, STREAM);
            seqs.push(seq);
        }
    }
    seqs
}

#[test]
fn a_refusal_reaches_the_caller_as_a_failed_update_with_the_modules_json() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    client.append("k1", "1");
    let mut socket = Socket::open(&server, &client);
    socket.send_append("k1", "2");
    let refusal: Value = serde_json::from_str(&socket.answer().unwrap_err()).unwrap();
    assert_eq!(refusal, json!({"code": "idempotency_conflict", "seq": 1}));
}

#[test]
fn a_subscription_from_a_cursor_gives_what_is_after_it_and_then_each_append_in_order() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    for number in 1..=60 {
        client.append(&format!("k{number}"), &number.to_string());
    }
    client.must("append_sync_event", json!(["runtime.run.r2.events", "k1", "1", "", {"none": []}]));
    let mut socket = Socket::open(&server, &client);
    let snapshot = socket.subscribe(&format!("SELECT * FROM sync_event WHERE stream_id = '{STREAM}' AND seq > 40"));
    // The rows of a snapshot come in no order that a client could rely on.
    let mut seqs = inserted_seqs(&snapshot);
    seqs.sort_unstable();
    assert_eq!(seqs, (41..=60).collect::<Vec<_>>());

    for number in 61..=64 {
        client.must("append_sync_event", append_arguments(&format!("k{number}"), "null"));
        assert_eq!(inserted_seqs(&socket.answer().unwrap()), [number]);
    }
    socket.send_append("k64", "null");
    assert_eq!(inserted_seqs(&socket.answer().unwrap()), Vec::<u64>::new());
}

#[test]
fn two_connections_are_seen_while_they_last() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    let first = Socket::open(&server, &client);
    let second = Socket::open(&server, &client);
    client.wait_for_connections(2);
    drop(first);
    client.wait_for_connections(1);
    drop(second);
    client.wait_for_connections(0);
}
