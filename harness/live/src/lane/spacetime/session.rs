//! A subscriber's session with a database.
//!
//! The heartbeat is a call of `resume_stream` with a cursor that is beyond any head: it writes nothing, and a server answers
//! calls and broadcasts transactions through one queue, which it does not do for a one-off query. So everything that was
//! committed before the answer came before it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_core::history::{Closed, Refusal, Spoken, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use serde_json::Value;
use spacetimedb_lib::ConnectionId;
use tokio::time::{Instant, timeout_at};

use super::incoming::{Call, Incoming, Kind, read};
use super::protocol::{ClientMessage, Protocol, decode_server, encode_client};
use super::request::{self, CHECKPOINT_REDUCER, KNOWN_STREAM, Purpose, RESUME_REDUCER};
use super::resume::QuerySet;
use super::rows::{EventRow, StreamRow};
use super::schema::Schema;
use crate::bounds::Bound;
use crate::lane::names::Names;
use crate::lane::refusal::{not_in_plan, read_refusal, refusal};
use crate::lane::socket::{Bounds, Inbox, Payload, Socket};
use crate::lane::{Answer, Arrival, Completion, Op, OpenError, Session};

/// What the server said to the request that is waited for.
type Reply = Result<Vec<StreamRow>, String>;

/// The session.
pub(super) struct SpacetimeSession {
    socket: Socket,
    pub(super) protocol: Protocol,
    schema: Arc<Schema>,
    names: Arc<Names>,
    bounds: Bounds,
    client: String,
    connection: Option<ConnectionId>,
    /// What is spoken, for the history.
    pub(super) spoken: Option<Spoken>,
    inbox: Inbox,
    sent: u32,
    pending: Option<(u32, Option<Reply>)>,
    /// Calls that are not answered yet: a 1.2.0 server does not number the answer to one that failed, but repeats its
    /// arguments.
    calls: Vec<(u32, Bytes)>,
    pub(super) sets: Vec<QuerySet>,
    /// Where each stream stands: its cursor, then the last event that came. For a set that has to be applied anew for another
    /// stream's sake.
    pub(super) last_seen: Vec<(StreamId, u64)>,
    /// The last heartbeat of the session's own, until it is answered.
    unanswered: Option<u32>,
    keepalive_at: Instant,
}

impl SpacetimeSession {
    /// Waits for the server's greeting on an open socket.
    pub(super) async fn greet(
        socket: Socket,
        protocol: Protocol,
        names: Arc<Names>,
        bounds: Bounds,
        client: String,
        schema: Arc<Schema>,
    ) -> Result<SpacetimeSession, OpenError> {
        let mut session = SpacetimeSession {
            socket,
            protocol,
            schema,
            names,
            bounds,
            client,
            connection: None,
            spoken: None,
            inbox: Inbox::default(),
            sent: 0,
            pending: None,
            calls: Vec::new(),
            sets: Vec::new(),
            last_seen: Vec::new(),
            unanswered: None,
            keepalive_at: Instant::now() + bounds.keepalive,
        };
        let mut running = bounds.open.begin();
        while session.connection.is_none() {
            let failed = |what: String, hint: Option<&str>| OpenError {
                what,
                hint: hint.map(str::to_owned),
                retryable: true,
                retry_after: None,
                refusal: None,
            };
            match session.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => session.take(payload),
                // A module that refuses a connection in `client_connected` ends it without a word on a 1.x server.
                Ok(Err(closed)) => {
                    let hint = "does the module let this token's identity connect?";
                    return Err(failed(format!("the server did not greet: {}", told(&closed)), Some(hint)));
                }
                Err(reached) => {
                    let what = format!("the server did not greet: {reached}");
                    return Err(failed(what, None));
                }
            }
            if let Some(Arrival::Unreadable(what)) = session.inbox.pop() {
                return Err(OpenError {
                    retryable: false,
                    ..failed(format!("the server did not greet, but sent {what}"), None)
                });
            }
        }
        Ok(session)
    }

    pub(super) fn request_id(&mut self, purpose: Purpose) -> u32 {
        self.sent = self.sent.wrapping_add(1);
        purpose.request_id(self.sent)
    }

    async fn send(&mut self, message: ClientMessage) -> Result<(), Closed> {
        let bytes = encode_client(&[message]).map_err(|error| Closed::Lost { why: error.to_string() })?;
        self.socket.send(Payload::Binary(bytes)).await
    }

    /// Sends a request and waits for its answer; what else comes is taken in. Without an answer the session is over.
    async fn request(&mut self, request_id: u32, message: ClientMessage, within: Bound) -> Result<Reply, String> {
        let mut running = within.begin();
        self.pending = Some((request_id, None));
        match running.within(self.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(closed)) => self.inbox.end(closed),
            Err(_) => self.inbox.end(Closed::Silent),
        }
        loop {
            if let Some((_, Some(_))) = &self.pending
                && let Some((_, Some(reply))) = self.pending.take()
            {
                return Ok(reply);
            }
            if let Some(closed) = self.inbox.ended() {
                return Err(told(closed));
            }
            match self.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => self.inbox.end(closed),
                Err(reached) => {
                    self.inbox.end(Closed::Silent);
                    let what = Purpose::of(request_id).map_or_else(String::new, |purpose| format!(" ({purpose:?})"));
                    return Err(format!("no answer to a request{what}: {reached}"));
                }
            }
        }
    }

    /// Takes a frame in.
    fn take(&mut self, payload: Payload) {
        let bytes = match payload {
            Payload::Binary(bytes) => bytes,
            Payload::Text(text) => return self.inbox.unreadable(format!("a text frame: {text:.100}")),
        };
        match decode_server(self.protocol, &bytes) {
            Err(error) => self.inbox.unreadable(error.to_string()),
            Ok(messages) => {
                for mut message in messages {
                    let incoming = read(&mut message, &self.schema);
                    self.take_message(incoming);
                }
            }
        }
    }

    fn take_message(&mut self, incoming: Incoming) {
        let via = incoming.kind.via();
        for event in incoming.events {
            match event {
                Ok(row) => self.take_event(row, via),
                Err(what) => self.inbox.unreadable(what),
            }
        }
        match incoming.kind {
            Kind::Greeting { connection } => self.connection = Some(connection),
            Kind::Applied { request_id } | Kind::Unsubscribed { request_id } => {
                self.answer(request_id, Ok(incoming.streams));
            }
            Kind::SubscribeFailed { request_id: Some(request_id), message } => self.answer(request_id, Err(message)),
            Kind::SubscribeFailed { request_id: None, message } => {
                self.inbox.end(Closed::Lost { why: format!("the server gave a subscription up: {message}") });
            }
            Kind::Called { request_id, call, result } => {
                if let Some(request_id) = self.own_call(request_id, call.as_ref()) {
                    self.calls.retain(|(id, _)| *id != request_id);
                    self.answer(request_id, result.map(|()| Vec::new()));
                }
            }
            Kind::Transaction | Kind::Other => {}
        }
    }

    /// The request that a call answers; `None` for somebody else's.
    fn own_call(&self, request_id: u32, call: Option<&Call>) -> Option<u32> {
        let Some(call) = call else { return Some(request_id) };
        if Some(call.caller) != self.connection {
            return None;
        }
        if request_id != 0 {
            return Some(request_id);
        }
        // A server that does not say which request it answers echoes the arguments; where a fault changed those on the way,
        // what is answered is the oldest call, since calls are answered in their order.
        let by_arguments = self.calls.iter().find(|(_, args)| **args == call.args);
        by_arguments.or(self.calls.first()).map(|(id, _)| *id)
    }

    /// A call that is about to be sent.
    pub(super) fn call(&mut self, request_id: u32, reducer: &'static str, args: Bytes) -> ClientMessage {
        self.calls.push((request_id, args.clone()));
        request::call(self.protocol, request_id, reducer, args)
    }

    fn take_event(&mut self, row: EventRow, via: Via) {
        let Some(stream) = self.names.stream_of_candidate(&row.stream_id) else {
            return self.inbox.push(Arrival::Foreign { name: row.stream_id, seq: Seq(row.seq), via });
        };
        match self.last_seen.iter_mut().find(|(seen, _)| *seen == stream) {
            Some((_, seq)) => *seq = row.seq.max(*seq),
            None => self.last_seen.push((stream.clone(), row.seq)),
        }
        let declared = (!row.payload_hash.is_empty()).then_some(row.payload_hash);
        self.inbox.push(Arrival::Event { stream, seq: Seq(row.seq), payload: row.payload, declared, via });
    }

    fn answer(&mut self, request_id: u32, reply: Reply) {
        if self.unanswered == Some(request_id) {
            self.unanswered = None;
        }
        if let Some((waited_for, answer)) = &mut self.pending
            && *waited_for == request_id
        {
            *answer = Some(reply);
        }
    }

    /// Asks and waits, within the bound of an operation.
    pub(super) async fn ask(&mut self, request_id: u32, message: ClientMessage) -> Result<Vec<StreamRow>, Completion> {
        match self.request(request_id, message, self.bounds.operation).await {
            Err(why) => Err(Completion::Info(why)),
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(words)) => Err(Completion::Fail(module_refusal(&self.names, &words))),
        }
    }

    pub(super) fn wire_name(&self, stream: &StreamId) -> Result<String, Completion> {
        let name = self.names.candidate(stream).map(str::to_owned);
        name.ok_or_else(|| not_in_plan(stream))
    }

    fn heartbeat_call(&mut self) -> (u32, ClientMessage) {
        let subscribed = self.sets.first().and_then(|set| self.names.candidate(set.streams.first()?));
        let stream_id = subscribed.unwrap_or(KNOWN_STREAM).to_owned();
        let request_id = self.request_id(Purpose::Heartbeat);
        let args = request::resume_args(&[(stream_id, u64::MAX)]);
        (request_id, self.call(request_id, RESUME_REDUCER, args))
    }

    async fn heartbeat(&mut self) -> Completion {
        let (request_id, call) = self.heartbeat_call();
        let answered = self.request(request_id, call, self.bounds.heartbeat).await;
        self.keepalive_at = Instant::now() + self.bounds.keepalive;
        match answered {
            // A refusal is an answer as well: the lane is alive, and it came behind everything else.
            Ok(_) => Completion::Ok(Answer::Done),
            Err(why) => Completion::Info(why),
        }
    }

    async fn checkpoint(&mut self, stream: &StreamId, cursor: Cursor) -> Result<(), Completion> {
        let name = self.wire_name(stream)?;
        let request_id = self.request_id(Purpose::Checkpoint);
        let args = request::checkpoint_args(&self.client, &name, cursor.0);
        let call = self.call(request_id, CHECKPOINT_REDUCER, args);
        self.ask(request_id, call).await?;
        Ok(())
    }

    /// Makes sure that a silent lane is noticed while nobody asks for anything: a heartbeat that the next one finds
    /// unanswered ends the session.
    async fn keep_alive(&mut self) -> Result<(), Closed> {
        if self.unanswered.is_some() {
            return Err(Closed::Silent);
        }
        self.keepalive_at = Instant::now() + self.bounds.keepalive;
        let (request_id, call) = self.heartbeat_call();
        self.unanswered = Some(request_id);
        self.send(call).await
    }
}

#[async_trait]
impl Session for SpacetimeSession {
    async fn invoke(&mut self, op: &Op) -> Completion {
        match op {
            Op::Subscribe { streams, .. } => self.subscribe(streams).await,
            Op::Unsubscribe { streams } => self.unsubscribe(streams).await,
            Op::Heartbeat => self.heartbeat().await,
            Op::Checkpoint { stream, cursor } => match self.checkpoint(stream, *cursor).await {
                Ok(()) => Completion::Ok(Answer::Done),
                Err(completion) => completion,
            },
            Op::Publish { .. } | Op::Policy { .. } => {
                Completion::Fail(refusal("not_a_writer", "a subscriber's session does not write"))
            }
        }
    }

    async fn next(&mut self) -> Arrival {
        loop {
            if let Some(arrival) = self.inbox.pop() {
                return arrival;
            }
            let due = self.keepalive_at;
            match timeout_at(due, self.socket.recv()).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => self.inbox.end(closed),
                Err(_) => {
                    if let Err(closed) = self.keep_alive().await {
                        self.inbox.end(closed);
                    }
                }
            }
        }
    }

    fn spoken(&self) -> Option<Spoken> {
        self.spoken.clone()
    }

    async fn close(&mut self) {
        if self.inbox.ended().is_none() {
            self.socket.close(self.bounds.close).await;
            self.inbox.end(Closed::ByClient);
        }
    }
}

/// A refusal in the module's JSON; words of the server's own are kept as a message.
pub(super) fn module_refusal(names: &Names, words: &str) -> Refusal {
    let json: Value = serde_json::from_str(words).unwrap_or_default();
    read_refusal(&json, |name| names.stream_of_candidate(name)).unwrap_or_else(|| refusal("server_error", words))
}

/// How a session ended, in a few words.
fn told(closed: &Closed) -> String {
    match closed {
        Closed::CloseFrame { code } => format!("the server closed the socket with {code}"),
        Closed::Lost { why } => format!("the connection was lost: {why}"),
        Closed::Silent => "the server went silent".to_owned(),
        Closed::OurLimit { what } => what.clone(),
        other => format!("{other:?}"),
    }
}
