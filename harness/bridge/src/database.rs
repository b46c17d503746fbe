//! Follows the outbox over a WebSocket of the candidate, by the JSON text of SpacetimeDB's v1 protocol, which servers
//! from 1.2.0 on speak. Marks go over the same connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::{AUTHORIZATION, HOST, SEC_WEBSOCKET_PROTOCOL};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::outbox::{self, Outbox};
use crate::settings::Settings;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PROTOCOL: &str = "v1.json.spacetimedb";
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A row that the relay has, by its key.
pub struct Mark {
    pub key: String,
    pub relay_event_id: String,
}

/// Follows the outbox for ever. A connection that ends is opened again.
pub async fn follow(settings: Arc<Settings>, outbox: watch::Sender<Outbox>, mut marks: mpsc::UnboundedReceiver<Mark>) {
    let mut following = Following { outbox, made: BTreeMap::new(), calls: 1, failures: 0 };
    loop {
        let ended = match following.connect(&settings).await {
            Ok(socket) => following.follow(socket, &mut marks).await,
            Err(why) => why,
        };
        following.failures += 1;
        if following.failures == 1 {
            eprintln!("the database: {ended}");
        }
        tokio::time::sleep(settings.wait(following.failures)).await;
    }
}

struct Following {
    outbox: watch::Sender<Outbox>,
    /// The marks that were made since the start.
    made: BTreeMap<String, String>,
    calls: u32,
    failures: u32,
}

impl Following {
    async fn connect(&self, settings: &Settings) -> Result<Socket, String> {
        let url = format!("{}/v1/database/{}/subscribe?compression=None", settings.candidate, settings.database);
        let mut request = url.into_client_request().map_err(|error| error.to_string())?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", settings.token.reveal()));
        request.headers_mut().insert(AUTHORIZATION, bearer.map_err(|_| "the token is no header".to_owned())?);
        if let Some(host) = &settings.host {
            let host = HeaderValue::from_str(host).map_err(|_| "the host is no header".to_owned())?;
            request.headers_mut().insert(HOST, host);
        }
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        // A snapshot of the outbox is one message, whatever its size.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let connecting = connect_async_with_config(request, Some(config), true);
        let connected = tokio::time::timeout(CONNECT_WITHIN, connecting).await;
        let (socket, _) = connected.map_err(|_| "it does not answer".to_owned())?.map_err(|error| error.to_string())?;
        Ok(socket)
    }

    /// Follows until the connection ends, and tells why it did.
    async fn follow(&mut self, mut socket: Socket, marks: &mut mpsc::UnboundedReceiver<Mark>) -> String {
        let query = json!({ "Subscribe": { "query_strings": ["SELECT * FROM bridge_outbox"], "request_id": 1 } });
        if let Err(error) = socket.send(Message::text(query.to_string())).await {
            return error.to_string();
        }
        loop {
            let done = tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.read(&mut socket, text.as_str()).await,
                    Some(Ok(_)) => Ok(()),
                    Some(Err(error)) => return error.to_string(),
                    None => return "it closed the connection".to_owned(),
                },
                Some(mark) = marks.recv() => {
                    let sent = self.mark(&mut socket, &mark).await;
                    self.made.insert(mark.key, mark.relay_event_id);
                    sent
                }
            };
            if let Err(error) = done {
                return error.to_string();
            }
        }
    }

    async fn read(&mut self, socket: &mut Socket, text: &str) -> Result<(), Error> {
        match outbox::read(text) {
            Ok(outbox::Message::Refused(why)) => eprintln!("the database refused: {why}"),
            Ok(message) => {
                let is_snapshot = matches!(message, outbox::Message::All(_));
                self.outbox.send_modify(|outbox| outbox.apply(message));
                if is_snapshot {
                    self.failures = 0;
                    return self.mark_again(socket).await;
                }
            }
            Err(why) => eprintln!("the database: {why}"),
        }
        Ok(())
    }

    /// Marks what was marked on a connection that ended before the call was done.
    async fn mark_again(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let lost = |key: &String| Some(Mark { key: key.clone(), relay_event_id: self.made.get(key)?.clone() });
        let lost: Vec<Mark> = self.outbox.borrow().waiting().filter_map(|row| lost(&row.key)).collect();
        for mark in lost {
            self.mark(socket, &mark).await?;
        }
        Ok(())
    }

    async fn mark(&mut self, socket: &mut Socket, mark: &Mark) -> Result<(), Error> {
        self.calls += 1;
        let call = json!({ "CallReducer": {
            "reducer": "mark_bridge_event_sent",
            "args": json!([mark.key, mark.relay_event_id]).to_string(),
            "request_id": self.calls,
            "flags": 0,
        } });
        socket.send(Message::text(call.to_string())).await
    }
}
