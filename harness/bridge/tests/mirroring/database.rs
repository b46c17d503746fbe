//! A database with an outbox, which speaks as much of SpacetimeDB's v1 protocol as a bridge needs.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

type Row = (String, u64, String);

#[derive(Clone)]
pub struct Database {
    rows: Arc<Mutex<Vec<Row>>>,
    updates: broadcast::Sender<String>,
    pub address: SocketAddr,
}

impl Database {
    pub async fn start() -> Database {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let database = Database { rows: Arc::default(), updates: broadcast::channel(1000).0, address };
        let serving = database.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().connection(stream));
            }
        });
        database
    }

    pub fn enqueue(&self, key: &str) {
        let mut rows = self.rows.lock().unwrap();
        let row = (key.to_owned(), rows.len() as u64 + 1, String::new());
        let _ = self.updates.send(update(None, &row));
        rows.push(row);
    }

    pub fn marks(&self) -> Vec<(String, String)> {
        self.rows.lock().unwrap().iter().map(|(key, _, mark)| (key.clone(), mark.clone())).collect()
    }

    async fn connection(self, stream: TcpStream) {
        #[allow(clippy::result_large_err, reason = "the type is the library's")]
        let protocol = |request: &Request, mut response: Response| {
            assert_eq!(request.headers()["authorization"], "Bearer owner");
            let text = HeaderValue::from_static("v1.json.spacetimedb");
            response.headers_mut().insert("sec-websocket-protocol", text);
            Ok(response)
        };
        let Ok(mut socket) = accept_hdr_async(stream, protocol).await else { return };
        let mut updates = self.updates.subscribe();
        loop {
            let said = tokio::select! {
                Some(Ok(Message::Text(text))) = socket.next() => self.answer(text.as_str()),
                Ok(update) = updates.recv() => Some(update),
                else => return,
            };
            if let Some(said) = said
                && socket.send(Message::text(said)).await.is_err()
            {
                return;
            }
        }
    }

    fn answer(&self, text: &str) -> Option<String> {
        let said: Value = serde_json::from_str(text).unwrap();
        let mut rows = self.rows.lock().unwrap();
        if said.get("Subscribe").is_some() {
            let inserts: Vec<String> = rows.iter().map(as_list).collect();
            return Some(json!({ "InitialSubscription": { "database_update": tables(&[], &inserts) } }).to_string());
        }
        let call = said.get("CallReducer").expect("a call");
        assert_eq!(call["reducer"], "mark_bridge_event_sent");
        let args: Vec<String> = serde_json::from_str(call["args"].as_str().unwrap()).unwrap();
        let row = rows.iter_mut().find(|row| row.0 == args[0]).unwrap();
        let before = row.clone();
        row.2.clone_from(&args[1]);
        let _ = self.updates.send(update(Some(&before), row));
        None
    }
}

fn as_list((key, position, mark): &Row) -> String {
    json!([key, position, "s", format!("{{\"k\":\"{key}\"}}"), "h", [1_700_000_000_000_000_u64], mark]).to_string()
}

fn tables(deletes: &[String], inserts: &[String]) -> Value {
    json!({ "tables": [{ "table_name": "bridge_outbox", "updates": [{ "deletes": deletes, "inserts": inserts }] }] })
}

fn update(gone: Option<&Row>, row: &Row) -> String {
    let gone: Vec<String> = gone.map(as_list).into_iter().collect();
    json!({ "TransactionUpdate": { "status": { "Committed": tables(&gone, &[as_list(row)]) } } }).to_string()
}
