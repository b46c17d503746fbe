//! A server on a free port, a plain HTTP client, and a WebSocket client that hides nothing.

#![allow(clippy::unwrap_used, dead_code)]

use std::{net::SocketAddr, time::Duration};

use cutover_reference::{Config, Defects, ServeError, Server};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long any one answer may take before a test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A token with these claims, signed with a key.
pub fn mint(key: &str, claims: &Value) -> String {
    let header = Header::new(Algorithm::HS256);
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

/// A running server; it stops when it is dropped.
pub struct Running {
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

/// Starts a server on a free port.
pub fn start(mut config: Config) -> Running {
    config.listen = ([127, 0, 0, 1], 0).into();
    config.quiet = true;
    let server = Server::bind(config).unwrap();
    let addr = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    Running { addr, stop: Some(stop), task }
}

impl Running {
    /// Asks it to stop, as SIGTERM does.
    pub fn shut_down(&mut self) {
        self.stop.take();
    }

    /// Stops it and waits until it has.
    pub async fn stop(mut self) {
        self.shut_down();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }

    /// Sends a request and reads the whole answer: status and body.
    pub async fn http(&self, method: &str, path: &str, bearer: Option<&str>, body: &str) -> (u16, Value) {
        let bearer = bearer.map(|secret| format!("authorization: Bearer {secret}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{bearer}content-length: {}\r\n\r\n{body}",
            self.addr,
            body.len()
        );
        let text = self.raw(&request).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Sends bytes and reads until the end.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Publishes; the answer must be a 200.
    pub async fn publish(&self, topic: &str, key: &str, payload: &str) -> Value {
        let body = format!(r#"{{"topic":"{topic}","idempotency_key":"{key}","payload":{payload}}}"#);
        let (status, answer) = self.http("POST", "/internal/v1/sync/publish", Some("writer"), &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Sets a policy.
    pub async fn policy(&self, topic: &str, policy: &str) {
        let path = format!("/internal/v1/sync/topics/{topic}");
        let (status, answer) = self.http("PUT", &path, Some("writer"), policy).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Opens a socket with these query parameters.
    pub async fn connect(&self, query: &str) -> Client {
        let mut client = Client { stream: TcpStream::connect(self.addr).await.unwrap(), bytes: Vec::new() };
        let path = format!("/sync/socket/websocket?{query}");
        let status = client.upgrade(&path, "").await;
        assert!(status.starts_with("HTTP/1.1 101"), "{status}");
        client
    }
}

/// What the server sent.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Text(Value),
    Pong(Vec<u8>),
    Close(u16),
    /// The connection ended without a close frame.
    End,
}

/// A WebSocket client that answers nothing by itself.
pub struct Client {
    pub stream: TcpStream,
    bytes: Vec<u8>,
}

impl Client {
    /// Sends the upgrade and gives the head of the answer.
    async fn upgrade(&mut self, path: &str, headers: &str) -> String {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        loop {
            if let Some(end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                return String::from_utf8(self.bytes.drain(..end + 4).collect()).unwrap();
            }
            assert!(self.fill().await, "the server ended the connection during the upgrade");
        }
    }

    async fn fill(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.bytes)).await.expect("the server says nothing");
        read.is_ok_and(|count| count > 0)
    }

    /// Sends bytes as they are; a connection that has ended is no failure here.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Sends a text frame.
    pub async fn text(&mut self, text: &str) {
        self.send(&masked(1, text.as_bytes())).await;
    }

    /// Sends a message of serializer version 2.
    pub async fn message(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    /// The next frame of the server.
    pub async fn next(&mut self) -> Frame {
        loop {
            if let Some((opcode, payload, used)) = whole_frame(&self.bytes) {
                self.bytes.drain(..used);
                match opcode {
                    1 => return Frame::Text(serde_json::from_slice(&payload).unwrap()),
                    8 => return Frame::Close(u16::from_be_bytes([payload[0], payload[1]])),
                    10 => return Frame::Pong(payload),
                    other => panic!("opcode {other} of a server"),
                }
            }
            if !self.fill().await {
                return Frame::End;
            }
        }
    }

    /// The next message.
    pub async fn next_message(&mut self) -> Value {
        match self.next().await {
            Frame::Text(value) => value,
            other => panic!("expected a message, not {other:?}"),
        }
    }

    /// Sends a message and reads until its reply; gives what came before it, and the reply's status and response.
    pub async fn ask(&mut self, message: Value) -> (Vec<Value>, String, Value) {
        let reference = message[1].clone();
        self.message(message).await;
        let mut before = Vec::new();
        loop {
            let next = self.next_message().await;
            if next[3] == "phx_reply" && next[1] == reference {
                let status = next[4]["status"].as_str().unwrap().to_owned();
                return (before, status, next[4]["response"].clone());
            }
            before.push(next);
        }
    }
}

/// A masked frame of a client.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = [7, 77, 3, 111];
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn whole_frame(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (first, short) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    let (length, header) = match short {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize, 10),
        length => (length, 2),
    };
    let payload = bytes.get(header..header + length)?.to_vec();
    Some((first & 0x0f, payload, header + length))
}

/// A topic of the table.
pub const TOPIC: &str = "run:r1:events";

/// The defaults, in a directory of the test.
pub fn config(dir: &tempfile::TempDir) -> Config {
    Config { data_dir: dir.path().to_owned(), ..Config::default() }
}

/// A server with the defaults.
pub fn fresh() -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(config(&dir));
    (dir, server)
}

/// A server with planted defects.
pub fn planted(names: &str) -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(Config { defects: Defects::parse(names).unwrap(), ..config(&dir) });
    (dir, server)
}

/// A socket that has joined.
pub async fn joined(server: &Running, query: &str) -> Client {
    let mut client = server.connect(query).await;
    let (_, status, response) = client.ask(json!(["1", "1", "sync:v1", "phx_join", {}])).await;
    assert_eq!(status, "ok", "{response}");
    client
}

/// Publishes `{"n":1}`, `{"n":2}` and so on.
pub async fn fill(server: &Running, topic: &str, seqs: std::ops::RangeInclusive<u64>) {
    for n in seqs {
        let answer = server.publish(topic, &format!("k{n}"), &format!("{{\"n\":{n}}}")).await;
        assert_eq!(answer["seq"], n);
    }
}

/// Subscribes; gives what was pushed before the reply, and the reply.
pub async fn subscribe(client: &mut Client, reference: &str, payload: Value) -> (Vec<Value>, String, Value) {
    client.ask(json!(["1", reference, "sync:v1", "sync:subscribe", payload])).await
}

/// The watermarks of all updates, in their order.
pub fn seqs(messages: &[Value]) -> Vec<u64> {
    let batches = messages.iter().filter(|message| message[3] == "sync:update_batch");
    let updates = batches.flat_map(|batch| batch[4]["updates"].as_array().unwrap());
    updates.map(|update| update["watermark"].as_u64().unwrap()).collect()
}

/// Reads until so many updates have come, each batch with its frame.
pub async fn live(client: &mut Client, count: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    while seqs(&messages).len() < count || messages.last().is_some_and(|last: &Value| last[3] != "sync:frame") {
        messages.push(client.next_message().await);
    }
    messages
}
