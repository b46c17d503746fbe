//! The server's HTTP API, as far as the tests need it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Server;

/// The one database that tests publish to.
pub const DATABASE: &str = "sync";

/// An event stream of the contract's.
pub const STREAM: &str = "runtime.run.r1.events";

/// A caller with a token.
pub struct Client {
    address: String,
    pub token: String,
    /// In hexadecimal.
    pub identity: String,
}

/// Starts a server and publishes the committed module to it.
pub fn published(data_dir: &Path) -> (Server, Client) {
    let server = Server::start(data_dir);
    let client = Client::new(&server);
    client.publish();
    (server, client)
}

/// As [`published`], but with all of it on disk: a kill soon after a publish can make the server forget the database.
pub fn published_for_good(data_dir: &Path) -> (Server, Client) {
    let (server, client) = published(data_dir);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    let server = Server::start(data_dir);
    let client = client.at(&server);
    (server, client)
}

impl Client {
    /// A caller with a new identity.
    pub fn new(server: &Server) -> Self {
        let nobody = Self { address: server.address.clone(), token: String::new(), identity: String::new() };
        let (status, body) = nobody.request("POST", "/v1/identity", "application/json", b"");
        assert_eq!(status, 200, "{body}");
        let identity: Value = serde_json::from_str(&body).unwrap();
        let text = |field: &str| identity[field].as_str().unwrap().to_owned();
        Self { token: text("token"), identity: text("identity"), ..nobody }
    }

    /// The same caller, at a server that was started again.
    pub fn at(&self, server: &Server) -> Self {
        Self { address: server.address.clone(), token: self.token.clone(), identity: self.identity.clone() }
    }

    pub fn publish(&self) {
        self.publish_wasm("../module/cutover_module.wasm");
    }

    /// Publishes a module by its path from the folder of this crate.
    pub fn publish_wasm(&self, path: &str) {
        let wasm = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let (status, body) = self.request("PUT", &format!("/v1/database/{DATABASE}"), "application/wasm", &wasm);
        assert_eq!(status, 200, "{body}");
    }

    /// Calls a reducer; answers with the status and the body.
    pub fn call(&self, reducer: &str, arguments: &Value) -> (u16, String) {
        let path = format!("/v1/database/{DATABASE}/call/{reducer}");
        self.request("POST", &path, "application/json", arguments.to_string().as_bytes())
    }

    /// Calls a reducer that must succeed.
    pub fn must(&self, reducer: &str, arguments: Value) {
        let (status, body) = self.call(reducer, &arguments);
        assert_eq!((status, body.as_str()), (200, ""), "{reducer} {arguments}");
    }

    /// Calls a reducer that must be refused, and answers with the refusal.
    pub fn refused(&self, reducer: &str, arguments: Value) -> Value {
        let (status, body) = self.call(reducer, &arguments);
        assert_eq!(status, 530, "{reducer} {arguments} was answered {body:?}");
        serde_json::from_str(&body).unwrap()
    }

    pub fn append(&self, key: &str, payload: &str) {
        self.must("append_sync_event", append_arguments(key, payload));
    }

    /// The rows that a query finds, in whatever order the server gives.
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let path = format!("/v1/database/{DATABASE}/sql");
        let (status, body) = self.request("POST", &path, "text/plain", query.as_bytes());
        assert_eq!(status, 200, "{body}");
        let results: Value = serde_json::from_str(&body).unwrap();
        results[0]["rows"].as_array().unwrap().clone()
    }

    /// The seqs that a stream holds, in order.
    pub fn seqs(&self) -> Vec<u64> {
        let rows = self.rows(&format!("SELECT * FROM sync_event WHERE stream_id = '{STREAM}'"));
        let mut seqs: Vec<u64> = rows.iter().map(|row| row[1].as_u64().unwrap()).collect();
        seqs.sort_unstable();
        seqs
    }

    /// Waits until `active_connection` has so many rows.
    pub fn wait_for_connections(&self, expect: usize) {
        // A connection's end reaches the table a moment after the socket closed.
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.rows("SELECT * FROM active_connection").len() != expect {
            assert!(Instant::now() < deadline, "there never were {expect} connections");
            std::thread::yield_now();
        }
    }

    fn request(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let authorization =
            if self.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.token) };
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{authorization}Content-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

pub fn append_arguments(key: &str, payload: &str) -> Value {
    json!([STREAM, key, payload, "", none()])
}

/// An absent option, as SpacetimeDB writes it in JSON.
pub fn none() -> Value {
    json!({ "none": [] })
}

/// A present option, as SpacetimeDB writes it in JSON.
pub fn some(value: impl Into<Value>) -> Value {
    json!({ "some": value.into() })
}
