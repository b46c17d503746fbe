//! What every protocol implements: a [`Lane`] opens the sessions of subscribers and writers.

#![allow(missing_docs, reason = "the names say it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cutover_core::history::{Closed, Contradiction, Differs, Refusal, SlowNotice, Spoken, StoredCheckpoint, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::{Compression, Heard, JoinParams, Serializer, Window};
use cutover_core::text::{Secret, visible};

/// A sync service. Opening a session changes no logical state.
#[async_trait]
pub trait Lane: Send + Sync {
    /// Opens a subscriber's session: transport up, joined, ready for operations.
    async fn subscriber(
        &self,
        endpoint: &Endpoint,
        client: &ClientOptions,
    ) -> Result<Box<dyn SubscriberSession>, OpenError>;

    async fn writer(&self, endpoint: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError>;

    /// The same lane for who bears this token; `None` where nothing is asked of a token.
    fn bearing(&self, _token: Option<Secret>) -> Option<Arc<dyn Lane>> {
        None
    }

    /// The same lane on another server, of which nothing is known yet; `None` where a lane remembers nothing.
    fn anew(&self) -> Option<Arc<dyn Lane>> {
        None
    }

    /// What a program needs that stands in the place of a client of these streams; `None` where programs can't.
    fn for_program(&self, _endpoint: &Endpoint, _client: &str, _streams: &[StreamId]) -> Option<ForProgram> {
        None
    }

    /// Known-bad: the same lane, but reads are not confirmed, and a session says that they are. `None` where a lane
    /// knows no confirmed reads.
    fn passing_off(&self) -> Option<Arc<dyn Lane>> {
        None
    }

    /// Does a deed of the plan's list that sessions can't do, or not as this lane does it, and says of which streams
    /// something came. `None` where sessions do it.
    async fn deed(&self, _deed: &str, _visit: &Visit<'_>) -> Option<Completion<Vec<StreamId>>> {
        None
    }

    /// Sends signals that nobody keeps, so many before a listener leaves and another one comes, and as many after that,
    /// and says what the listeners heard. `None` where a lane has no signals.
    async fn signals(&self, _visit: &Visit<'_>, _count: u64) -> Option<Completion<Heard>> {
        None
    }
}

/// What a program is told of its lane.
#[derive(Debug, Clone, PartialEq)]
pub struct ForProgram {
    /// The members of the line that opens: `docs/CLIENTS.md` lists them.
    pub open: serde_json::Map<String, serde_json::Value>,
    /// The streams, each with its name on the wire.
    pub names: Vec<(StreamId, String)>,
}

/// What a deed is done with.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    pub socket: &'a Endpoint,
    pub writer: &'a Endpoint,
    pub client: &'a ClientOptions,
    pub stream: &'a StreamId,
    /// Key and payload of a publish.
    pub event: (&'a str, &'a str),
}

/// A subscriber's connection to a lane. Events that come before the answer to a call are kept for
/// [`SubscriberSession::next`], in order.
#[async_trait]
pub trait SubscriberSession: Send + Sync {
    /// Asks for streams, each from its cursor or from the bootstrap. Replaces what was subscribed of those streams. The
    /// replay arrives before the answer. A lane that sends batches puts at most `replay_batch` events into one.
    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], replay_batch: u32) -> Completion<Heads>;

    /// Ends the subscriptions of streams. Their events that are in flight arrive before the answer.
    async fn unsubscribe(&mut self, streams: &[StreamId]) -> Completion;

    /// Asks whether the lane is alive. Everything that the lane sent before its answer arrives before it.
    async fn heartbeat(&mut self) -> Completion;

    /// Reports how far the client has applied a stream; `None` where the lane keeps no checkpoints.
    async fn checkpoint(&mut self, _stream: &StreamId, _cursor: Cursor) -> Option<Completion> {
        None
    }

    /// Sends requests that the lane must refuse, where it has the contract's words; a wrong answer is an arrival.
    async fn ask_oddly(&mut self) -> Completion {
        Ok(())
    }

    /// The next arrival; after `Closed`, `Closed` again. Cancel-safe: an arrival is returned or kept, never lost.
    async fn next(&mut self) -> Arrival;

    /// Whether it subscribes to each stream by itself, so that one can be refused while another is not.
    fn asks_one_by_one(&self) -> bool {
        false
    }

    /// The lane's own name of the connection, where it lists its connections. Connections may share one.
    fn connection_name(&self) -> Option<String> {
        None
    }

    /// What is spoken on the connection, where there is a choice.
    fn spoken(&self) -> Option<Spoken> {
        None
    }

    /// Closes in good order, within a second.
    async fn close(&mut self);
}

#[async_trait]
pub trait WriterSession: Send + Sync {
    async fn publish(&mut self, publish: Publish<'_>) -> Completion<Published>;

    /// Creates a stream or sets its policy: how many of the newest events it retains, and how many a resume may replay.
    async fn set_policy(&mut self, stream: &StreamId, retention: Option<u64>, replay_budget: Option<u64>)
    -> Completion;

    /// Removes the events of a stream up to a seq, and says up to which one they are gone. A lane without such a call
    /// lowers the retention for a moment, and leaves the last event.
    async fn prune(&mut self, stream: &StreamId, prune: Prune) -> Completion<Seq> {
        let keeps = prune.head.0.saturating_sub(prune.up_to.0).max(1);
        if keeps < prune.retention {
            self.set_policy(stream, Some(keeps), None).await?;
            self.set_policy(stream, Some(prune.retention), None).await?;
        }
        Ok(Seq(prune.head.0.saturating_sub(keeps)))
    }

    /// Acknowledges a cursor for a client of this name; `None` where the lane keeps no checkpoints.
    async fn checkpoint(&mut self, _stream: &StreamId, _checkpoint: &StoredCheckpoint) -> Option<Completion> {
        None
    }

    /// What the lane stores of a stream; `None` where it does not show that.
    async fn stored(&mut self, _stream: &StreamId) -> Completion<Option<Shown>> {
        Ok(None)
    }

    /// The names of all open connections, each as often as it has one; `None` where the lane does not list them.
    async fn connections(&mut self) -> Completion<Option<Vec<String>>> {
        Ok(None)
    }

    /// Has the lane let in the clients of this window alone. A lane whose window is set otherwise does nothing.
    async fn set_window(&mut self, _window: &Window) -> Completion {
        Ok(())
    }

    /// Sends a request of the contract, a method and path or a reducer, with this body or these arguments. In both,
    /// `{stream}` stands for the stream's name on the wire. `None` where the lane has no such call under that name.
    async fn call(&mut self, _stream: &StreamId, _call: &str, _body: &str) -> Option<Completion> {
        None
    }

    /// Queries rows: a sorted JSON list, in the same form; `None` where the lane has no tables.
    async fn rows(&mut self, _stream: &StreamId, _query: &str) -> Option<Completion<String>> {
        None
    }

    /// How long the lane asked to wait when it last put an operation off.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Where a lane is reached: always over plain TCP to a proxy of ours, which speaks TLS to the lane where that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub connect: SocketAddr,
    /// The lane's own authority, for `Host`.
    pub authority: String,
}

/// How a subscriber connects. A protocol uses what applies to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    pub name: String,
    /// Phoenix: which serializer.
    pub serializer: Serializer,
    /// SpacetimeDB: which compression.
    pub compression: Compression,
    /// What it says of itself as it joins; `None` leaves that to the profile.
    pub join: Option<JoinParams>,
}

pub type Heads = Vec<(StreamId, Head)>;

/// Where a stream's head is, as far as the lane reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    At(Seq),
    /// Below the cursor that was resumed from: the cursor is of another history.
    BelowCursor,
    Unreported,
}

/// An event to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    pub stream: &'a StreamId,
    pub key: &'a str,
    /// Its JSON text.
    pub payload: &'a str,
    pub expected_next_seq: Option<u64>,
    /// The text of its hash, where the lane's call takes one.
    pub payload_hash: Option<&'a str>,
}

impl<'a> Publish<'a> {
    pub fn new(stream: &'a StreamId, key: &'a str, payload: &'a str) -> Publish<'a> {
        Publish { stream, key, payload, expected_next_seq: None, payload_hash: None }
    }
}

/// An event is written, or was written before under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub seq: Seq,
    /// Whether the lane had it already; `None` where it does not report that.
    pub duplicate: Option<bool>,
    /// The fields of the answer that do not fit what was sent.
    pub differs: Vec<Differs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    pub up_to: Seq,
    pub head: Seq,
    /// The stream's retention.
    pub retention: u64,
}

/// What a lane shows of a stream that it stores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    pub head: u64,
    pub oldest: u64,
    pub retention: Option<u64>,
    pub replay_budget: Option<u64>,
    pub class: Option<String>,
    /// Fields that do not fit what was asked for.
    pub differs: Vec<Differs>,
    /// Its events, where the lane shows them.
    pub events: Option<Vec<ShownEvent>>,
    /// Every idempotency key with seq and hash, where the lane shows them.
    pub keys: Option<Vec<ShownKey>>,
    /// The clients' checkpoints, where the lane keeps them.
    pub checkpoints: Option<Vec<StoredCheckpoint>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEvent {
    pub seq: u64,
    pub key: String,
    pub payload: String,
    /// This and what follows, where the lane stores it.
    pub payload_hash: Option<String>,
    /// Microseconds since 1970.
    pub committed_at: Option<i64>,
    pub confirmed_read: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    pub key: String,
    pub seq: u64,
    /// Where the lane stores it.
    pub payload_hash: Option<String>,
}

pub type Completion<T = ()> = Result<T, OpError>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpError {
    /// The lane refused, and did nothing.
    Refused(Box<Refusal>),
    /// Nothing was done: the operation was not sent, or the lane asked to come back later; what was seen.
    Later(String),
    /// The lane said that it did it, but what it should have written is missing; what was answered and looked for.
    Unwritten(String),
    /// The outcome is unknown; what was seen instead of an answer. The session can't be used any more.
    Unknown(String),
}

impl From<Refusal> for OpError {
    fn from(refusal: Refusal) -> OpError {
        OpError::Refused(Box::new(refusal))
    }
}

/// Why an operation was not done whose connection was not opened.
impl From<OpenError> for OpError {
    fn from(error: OpenError) -> OpError {
        match error.refusal {
            Some(refusal) if !error.retryable => OpError::Refused(refusal),
            _ => OpError::Later(error.to_string()),
        }
    }
}

impl OpError {
    pub fn what(self) -> String {
        match self {
            OpError::Refused(refusal) if refusal.message.is_empty() => refusal.code,
            OpError::Refused(refusal) => format!("{}: {}", refusal.code, refusal.message),
            OpError::Later(why) | OpError::Unwritten(why) | OpError::Unknown(why) => why,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Event {
        stream: StreamId,
        seq: Seq,
        payload: String,
        /// The hash that the lane declared, as `sha256:<hex>`; `None` where it declares none.
        declared: Option<String>,
        /// The idempotency key that the lane named, where it names one.
        key: Option<String>,
        via: Via,
    },
    /// An event under a name on the wire that no stream of the run has.
    Foreign {
        /// The topic or stream id as it stood on the wire.
        name: String,
        seq: Seq,
        via: Via,
    },
    /// A message that breaks a rule about its fields.
    Contradiction {
        stream: Option<StreamId>,
        /// The event that it is about, or 0.
        seq: Seq,
        /// Which rule it breaks.
        what: Contradiction,
        /// What it said.
        said: String,
    },
    /// An event or frame that the client can't make sense of: what and where. Never dropped in silence.
    Unreadable(String),
    Ignored(String),
    /// The lane told the client that it reads too slowly, and for how long it is to wait once it has gone.
    Struck {
        strike: SlowNotice,
        wait: Duration,
    },
    /// The session ended. Nothing follows.
    Closed(Closed),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", visible(what), hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct OpenError {
    pub what: String,
    pub hint: Option<String>,
    /// Whether trying again can help (a refused connection can, a refused token can't).
    pub retryable: bool,
    /// How long the lane asked to wait before that.
    pub retry_after: Option<Duration>,
    /// The lane's refusal, where it answered: of the join in its own words, of the upgrade by its HTTP status.
    pub refusal: Option<Box<Refusal>>,
    /// Whether the lane, which refused, let the client subscribe all the same.
    pub subscribed: bool,
    /// Whether the profile or the address is to be changed; else the lane or its surroundings.
    pub is_of_the_profile: bool,
}

impl OpenError {
    pub(crate) fn passing(what: impl Into<String>) -> OpenError {
        OpenError { retryable: true, ..OpenError::lasting(what) }
    }

    pub(crate) fn lasting(what: impl Into<String>) -> OpenError {
        OpenError {
            what: what.into(),
            hint: None,
            retryable: false,
            retry_after: None,
            refusal: None,
            subscribed: false,
            is_of_the_profile: false,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> OpenError {
        self.hint = Some(hint.into());
        self
    }
}
