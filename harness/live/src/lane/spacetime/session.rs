//! A subscriber's session with a database.
//!
//! The heartbeat is a call that writes nothing: of `resume_stream` with a cursor beyond any head, or another one that
//! the profile names. For a module without such a call it is a subscription to events that no stream has, which then
//! ends. A server sends answers to calls and subscriptions, and transactions, through one queue (but not answers to
//! one-off queries). So every transaction that was committed before the answer arrives before it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_core::history::{Closed, Contradiction, Spoken, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::JoinParams;
use serde_json::Value;
use spacetimedb_lib::ConnectionId;

use super::incoming::{Call, Incoming, Kind, read};
use super::known::Known;
use super::protocol::{ClientMessage, Protocol, ServerMessage, decode_server, encode_client};
use super::request::{self, CLIENT_REDUCER, KNOWN_STREAM, Purpose};
use super::resume::QuerySet;
use super::rows::{EventRow, StreamRow};
use super::schema::Schema;
use super::shape::ModuleShape;
use super::template::now;
use crate::lane::conversation::{Connection, Conversation, in_words};
use crate::lane::names::Names;
use crate::lane::refusal::{SPACETIME, STALE_CURSOR, missing_in_stale, not_in_plan, told, with_own_protocol};
use crate::lane::socket::{Bounds, Payload, Socket};
use crate::lane::{Arrival, Completion, Heads, OpError, OpenError, SubscriberSession};

/// A stream that no module has, and how it is refused.
const UNKNOWN_STREAM: &str = "cutover.unknown";
const FORBIDDEN: &str = "forbidden_topic cutover.unknown";

pub(super) type Reply = Result<Vec<StreamRow>, String>;

pub(super) struct SpacetimeSession {
    connection: Connection<u32, Reply>,
    pub(super) protocol: Protocol,
    schema: Arc<Schema>,
    names: Arc<Names>,
    client: String,
    connection_id: Option<ConnectionId>,
    pub(super) spoken: Option<Spoken>,
    sent: u32,
    /// Calls without an answer yet. A 1.2.0 server answers a failed call without its number, but with its arguments.
    calls: Vec<(u32, Bytes)>,
    pub(super) sets: Vec<QuerySet>,
    /// The seq of each stream: first its cursor, then its last event. A set that is subscribed again begins there.
    pub(super) last_seen: Vec<(StreamId, u64)>,
    pub(super) known: Known,
}

impl SpacetimeSession {
    pub(super) async fn greet(
        socket: Socket,
        protocol: Protocol,
        names: Arc<Names>,
        bounds: Bounds,
        client: String,
        (schema, known): (Arc<Schema>, Known),
    ) -> Result<SpacetimeSession, OpenError> {
        let mut session = SpacetimeSession {
            connection: Connection::new(socket, bounds),
            protocol,
            schema,
            names,
            client,
            connection_id: None,
            spoken: None,
            sent: 0,
            calls: Vec::new(),
            sets: Vec::new(),
            last_seen: Vec::new(),
            known,
        };
        let mut running = bounds.open.begin();
        let mut early = Vec::new();
        while session.connection_id.is_none() {
            match session.connection.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => session.take(payload),
                // On a 1.x server a module that refuses a connection in `client_connected` closes it without a message.
                Ok(Err(closed)) => {
                    let what = format!("the server did not greet: {}", in_words(&closed));
                    return Err(OpenError::passing(what).hint("does the module let this token's identity connect?"));
                }
                Err(reached) => return Err(OpenError::passing(format!("the server did not greet: {reached}"))),
            }
            match session.connection.inbox.pop() {
                Some(Arrival::Unreadable(what)) => {
                    return Err(OpenError::lasting(format!("the server did not greet, but sent {what}")));
                }
                arrival => early.extend(arrival),
            }
        }
        early.into_iter().for_each(|arrival| session.connection.inbox.push(arrival));
        Ok(session)
    }

    /// Has the module judge what the client says of itself.
    pub(super) async fn join(&mut self, join: &JoinParams) -> Result<(), OpenError> {
        let request_id = self.request_id(Purpose::Join);
        let call = self.call(request_id, CLIENT_REDUCER, request::client_args(join));
        match self.ask(request_id, call).await {
            Ok(_) => Ok(()),
            Err(OpError::Refused(refusal)) => {
                let retryable = refusal.window.get("retryable").is_some_and(|told| told == "true");
                let refusal = with_own_protocol(*refusal, SPACETIME);
                let what = format!("the module refused the client: {}", refusal.code);
                Err(OpenError { retryable, refusal: Some(Box::new(refusal)), ..OpenError::lasting(what) })
            }
            Err(error) => Err(OpenError::passing(format!("the client was not judged: {}", error.what()))),
        }
    }

    pub(super) fn request_id(&mut self, purpose: Purpose) -> u32 {
        self.sent = self.sent.wrapping_add(1);
        purpose.request_id(self.sent)
    }

    fn take_message(&mut self, incoming: Incoming) {
        let via = incoming.kind.via();
        for (stream, seq, what, said) in self.known.read(&incoming) {
            self.tell(Some(stream), seq, what, said);
        }
        for event in incoming.events {
            match event {
                Ok(row) => self.take_event(row, via),
                Err(what) => self.connection.inbox.unreadable(what),
            }
        }
        match incoming.kind {
            Kind::Greeting { connection } => self.connection_id = Some(connection),
            Kind::Applied { request_id } | Kind::Unsubscribed { request_id } => {
                self.answer(request_id, Ok(incoming.streams));
            }
            Kind::SubscribeFailed { request_id: Some(request_id), message } => self.answer(request_id, Err(message)),
            Kind::SubscribeFailed { request_id: None, message } => {
                self.connection
                    .inbox
                    .end(Closed::Lost { why: format!("the server gave a subscription up: {message}") });
            }
            Kind::Called { request_id, call, result } => {
                if let Some(request_id) = self.own_call(request_id, call.as_ref()) {
                    self.calls.retain(|(id, _)| *id != request_id);
                    self.answer(request_id, result.map(|()| Vec::new()));
                }
            }
            Kind::Newer { tag } => {
                self.connection.inbox.push(Arrival::Ignored(format!("a message of the unknown kind {tag}")));
            }
            Kind::Transaction | Kind::Other => {}
        }
    }

    fn tell(&mut self, stream: Option<StreamId>, seq: u64, what: Contradiction, said: String) {
        self.connection.inbox.push(Arrival::Contradiction { stream, seq: Seq(seq), what, said });
    }

    /// The request that a call answers; `None` for a call of another connection.
    fn own_call(&self, request_id: u32, call: Option<&Call>) -> Option<u32> {
        let Some(call) = call else { return Some(request_id) };
        if Some(call.caller) != self.connection_id {
            return None;
        }
        if request_id != 0 {
            return Some(request_id);
        }
        // Without a number, the arguments identify the call. Where a fault changed them, it is the oldest call, since
        // calls are answered in order.
        let by_arguments = self.calls.iter().find(|(_, args)| **args == call.args);
        by_arguments.or(self.calls.first()).map(|(id, _)| *id)
    }

    pub(super) fn call(&mut self, request_id: u32, reducer: &str, args: Bytes) -> ClientMessage {
        self.calls.push((request_id, args.clone()));
        request::call(self.protocol, request_id, reducer, args)
    }

    fn take_event(&mut self, row: EventRow, via: Via) {
        let Some(stream) = self.names.stream_of_id(&row.stream_id) else {
            return self.connection.inbox.push(Arrival::Foreign { name: row.stream_id, seq: Seq(row.seq), via });
        };
        match self.last_seen.iter_mut().find(|(seen, _)| *seen == stream) {
            Some((_, seq)) => *seq = row.seq.max(*seq),
            None => self.last_seen.push((stream.clone(), row.seq)),
        }
        let declared = (!row.payload_hash.is_empty()).then_some(row.payload_hash);
        let key = Some(row.idempotency_key).filter(|key| !key.is_empty());
        let (seq, key) = (Seq(row.seq), key.map(|key| self.shape().key_of_plan(&self.names, key)));
        self.connection.inbox.push(Arrival::Event { stream, seq, payload: row.payload, declared, key, via });
    }

    fn answer(&mut self, request_id: u32, reply: Reply) {
        if !self.connection.heartbeat_answered(&request_id) {
            self.connection.answer(&request_id, reply);
        }
    }

    pub(super) async fn ask(&mut self, request_id: u32, message: ClientMessage) -> Completion<Vec<StreamRow>> {
        let message = encoded(message).map_err(OpError::Unknown)?;
        let what = match Purpose::of(request_id) {
            Some(purpose) => format!("a request ({purpose:?})"),
            None => "a request".to_owned(),
        };
        let answered = self.request(request_id, message, &what, self.connection.bounds.operation).await;
        let rows = answered.map_err(OpError::Unknown)?;
        rows.map_err(|words| {
            let refusal = self.shape().refusals.read(&self.names, &words);
            if refusal.code == STALE_CURSOR {
                for said in missing_in_stale(&serde_json::from_str(&words).unwrap_or_default()) {
                    self.tell(None, 0, Contradiction::FieldMissing, said);
                }
            }
            OpError::from(refusal)
        })
    }

    pub(super) fn wire_name(&self, stream: &StreamId) -> Completion<String> {
        let name = self.names.stream_id(stream).map(str::to_owned);
        name.ok_or_else(|| not_in_plan(stream))
    }

    /// Sends a message outside of the session's own requests, and returns the answer to it.
    pub(super) async fn exchange(&mut self, message: ClientMessage) -> Completion<ServerMessage> {
        let sent = encoded(message).map_err(OpError::Unknown)?;
        let ended = |closed: Closed| OpError::Unknown(in_words(&closed));
        self.connection.socket.send(sent).await.map_err(ended)?;
        let mut running = self.connection.bounds.operation.begin();
        loop {
            let came = self.connection.socket.recv_within(&mut running).await;
            let Payload::Binary(bytes) =
                came.map_err(|reached| OpError::Unknown(reached.to_string()))?.map_err(ended)?
            else {
                continue;
            };
            let messages = decode_server(self.protocol, &bytes).map_err(|error| OpError::Unknown(error.to_string()))?;
            let answer = |mut message: ServerMessage| {
                let incoming = read(&mut message, &self.schema);
                let answers = ["OneOffQueryResponse", "OneOffQueryResult"].contains(&incoming.name)
                    || matches!(incoming.kind, Kind::Applied { .. } | Kind::SubscribeFailed { .. });
                answers.then_some(message)
            };
            if let Some(message) = messages.into_iter().find_map(answer) {
                return Ok(message);
            }
        }
    }

    pub(super) async fn end(&mut self) {
        self.connection.close().await;
    }

    pub(super) fn shape(&self) -> &ModuleShape {
        self.schema.shape()
    }

    /// The messages of a heartbeat, the first of which is answered as one.
    fn heartbeat_messages(&mut self) -> Result<(u32, Vec<ClientMessage>), String> {
        let subscribed = self.sets.first().and_then(|set| self.names.stream_id(set.streams.first()?));
        let stream_id = subscribed.unwrap_or(KNOWN_STREAM).to_owned();
        let request_id = self.request_id(Purpose::Heartbeat);
        let schema = Arc::clone(&self.schema);
        let heartbeat = &schema.shape().heartbeat;
        if heartbeat.reducer.is_empty() {
            let query = vec![self.shape().empty_query(&stream_id)];
            let end = self.request_id(Purpose::Unsubscribe);
            let messages = [
                request::subscribe(self.protocol, request_id, query),
                request::unsubscribe(self.protocol, end, request_id),
            ];
            return Ok((request_id, messages.into()));
        }
        let args = schema.call(&heartbeat.reducer, &heartbeat.arguments, |name| match name {
            "stream" => Some(Value::from(stream_id.as_str())),
            "beyond_head" => Some(Value::from(u64::MAX)),
            name => now(name),
        });
        let args = schema.encoded(&heartbeat.reducer, &args)?;
        Ok((request_id, vec![self.call(request_id, &heartbeat.reducer, args)]))
    }
}

fn encoded(message: ClientMessage) -> Result<Payload, String> {
    encode_client(&[message]).map(Payload::Binary).map_err(|error| error.to_string())
}

impl Conversation for SpacetimeSession {
    type Id = u32;
    type Reply = Reply;

    fn connection(&mut self) -> &mut Connection<u32, Reply> {
        &mut self.connection
    }

    fn take(&mut self, payload: Payload) {
        let inbox = &mut self.connection.inbox;
        let bytes = match payload {
            Payload::Binary(bytes) => bytes,
            Payload::Text(text) => return inbox.unreadable(format!("a text frame: {text:.100}")),
        };
        match decode_server(self.protocol, &bytes) {
            Err(error) => inbox.unreadable(error.to_string()),
            Ok(messages) => {
                for mut message in messages {
                    let incoming = read(&mut message, &self.schema);
                    self.take_message(incoming);
                }
            }
        }
    }

    async fn send_heartbeat(&mut self) -> Result<(), Closed> {
        let (request_id, messages) = self.heartbeat_messages().map_err(|why| Closed::Lost { why })?;
        self.connection.heartbeat_sent(request_id);
        for message in messages {
            let message = encoded(message).map_err(|why| Closed::Lost { why })?;
            self.connection.socket.send(message).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SubscriberSession for SpacetimeSession {
    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], _replay_batch: u32) -> Completion<Heads> {
        self.resume(streams).await
    }

    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion {
        self.unsubscribe_streams(streams).await
    }

    async fn heartbeat(&mut self) -> Completion {
        let (request_id, messages) = self.heartbeat_messages().map_err(OpError::Unknown)?;
        let mut messages = messages.into_iter();
        let first = messages.next().ok_or_else(|| OpError::Unknown("no heartbeat".to_owned()))?;
        let message = encoded(first).map_err(OpError::Unknown)?;
        let within = self.connection.bounds.heartbeat;
        let answered = self.request(request_id, message, "a request (Heartbeat)", within).await;
        for message in messages {
            let message = encoded(message).map_err(OpError::Unknown)?;
            let sent = self.connection.socket.send(message).await;
            sent.map_err(|closed| OpError::Unknown(in_words(&closed)))?;
        }
        self.connection.postpone_keepalive();
        // A refusal is an answer too: the lane is alive.
        answered.map(drop).map_err(OpError::Unknown)
    }

    async fn checkpoint(&mut self, stream: &StreamId, cursor: Cursor) -> Option<Completion> {
        let name = self.wire_name(stream).ok()?;
        let schema = Arc::clone(&self.schema);
        let checkpoints = &schema.shape().checkpoints;
        if checkpoints.reducer.is_empty() {
            return None;
        }
        // The seq also is the client's own count of what it has on disk.
        let args = schema.checkpoint_call((&self.client, &name), (cursor.0, cursor.0));
        let args = match schema.encoded(&checkpoints.reducer, &args) {
            Ok(args) => args,
            Err(why) => return Some(Err(OpError::Unknown(why))),
        };
        let request_id = self.request_id(Purpose::Checkpoint);
        let call = self.call(request_id, &checkpoints.reducer, args);
        Some(self.ask(request_id, call).await.map(drop))
    }

    async fn ask_oddly(&mut self) -> Completion {
        if !self.shape().checks_cursors() {
            return Ok(());
        }
        let reducer = self.shape().resume.reducer.clone();
        let own = self.sets.first().and_then(|set| self.names.stream_id(set.streams.first()?));
        let own = own.unwrap_or(KNOWN_STREAM).to_owned();
        for (cursors, what, expected) in odd_cursors(&own) {
            let request_id = self.request_id(Purpose::Heartbeat);
            let call = self.call(request_id, &reducer, request::resume_args(&cursors));
            let message = encoded(call).map_err(OpError::Unknown)?;
            let within = self.connection.bounds.heartbeat;
            let answered = self.request(request_id, message, what, within).await.map_err(OpError::Unknown)?;
            let got = match answered {
                Ok(_) => "ok".to_owned(),
                Err(words) => told(&self.shape().refusals.read(&self.names, &words)),
            };
            if got != expected {
                let said = format!("{got} to {what}, and not {expected}");
                self.tell(None, 0, Contradiction::OddAnswer, said);
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Arrival {
        self.next_arrival().await
    }

    fn connection_name(&self) -> Option<String> {
        Some(self.connection_id?.to_u128().to_string())
    }

    fn spoken(&self) -> Option<Spoken> {
        self.spoken.clone()
    }

    async fn close(&mut self) {
        self.connection.close().await;
    }
}

/// Cursors, what is odd about them, and the code that the module must answer.
type OddCursors = (Vec<(String, u64)>, &'static str, &'static str);

/// Cursors that the module must refuse, and how; the last ones it must take.
fn odd_cursors(own: &str) -> Vec<OddCursors> {
    let cursors = |cursors: &[(&str, u64)]| cursors.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
    let (bad, spaced) = ("bad_subscription", format!(" {own} "));
    vec![
        (cursors(&[]), "no cursors", bad),
        (cursors(&[(" ", 0)]), "a blank stream", bad),
        (cursors(&[(own, u64::MAX), (own, 0)]), "two cursors for one stream", bad),
        (cursors(&[(UNKNOWN_STREAM, 0)]), "an unknown stream", FORBIDDEN),
        (cursors(&[(own, 0), (UNKNOWN_STREAM, 0)]), "a known and an unknown stream", FORBIDDEN),
        (cursors(&[(&spaced, u64::MAX), (own, u64::MAX)]), "a stream twice, once with spaces", "ok"),
    ]
}
