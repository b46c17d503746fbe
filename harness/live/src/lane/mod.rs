//! Lanes: how to open a session with a sync service, and what a session can do. A protocol each.
//!
//! [`phoenix`] and [`spacetime`] are the protocols, [`any`] is whichever of them a connection speaks; [`profile`] says how to reach a lane that is not our own; [`names`] maps
//! the plan's streams to what they are called on the wire; [`http`] and [`socket`] are the two transports.

pub mod any;
mod counted;
mod generic;
pub mod http;
pub mod names;
pub(crate) mod passing;
pub mod phoenix;
pub mod profile;
mod refusal;
pub mod socket;
pub mod spacetime;
pub mod trial;
mod wire_http;

use std::net::SocketAddr;
use std::time::Duration;

pub use any::AnyLane;
pub use generic::{GenericTagger, GenericTaggers};

use async_trait::async_trait;
use cutover_core::history::{Closed, Contradiction, Refusal, Spoken, Via};
use cutover_core::ids::{Cursor, LaneId, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use cutover_core::text::visible;

/// Where a lane is reached: always over plain TCP to a proxy of ours, which speaks TLS to the lane where that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The proxy's address.
    pub connect: SocketAddr,
    /// The lane's own authority, for `Host`.
    pub authority: String,
}

/// How a session is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A subscribing client.
    Subscriber {
        /// Its name.
        client: String,
        /// Phoenix: which serializer.
        serializer: Serializer,
        /// SpacetimeDB: which compression.
        compression: Compression,
    },
    /// The one writer.
    Writer,
}

/// An operation of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Asks for streams, each from its cursor or from the bootstrap. Replaces what was subscribed of those streams.
    Subscribe {
        /// Stream and cursor.
        streams: Vec<(StreamId, Option<Cursor>)>,
        /// Events per replay batch, where the lane batches.
        replay_batch: u32,
    },
    /// Gives streams up. What of them is in flight arrives before the answer.
    Unsubscribe {
        /// The streams.
        streams: Vec<StreamId>,
    },
    /// Asks whether the lane is alive. Everything that the lane sent before its answer arrives before it.
    Heartbeat,
    /// Tells the lane how far the client has applied, where the lane keeps checkpoints.
    Checkpoint {
        /// The stream.
        stream: StreamId,
        /// How far.
        cursor: Cursor,
    },
    /// Publishes an event (a writer's).
    Publish {
        /// The stream.
        stream: StreamId,
        /// The idempotency key.
        key: String,
        /// The payload's JSON text.
        payload: String,
    },
    /// Creates a stream or sets its policy (a writer's).
    Policy {
        /// The stream.
        stream: StreamId,
        /// Newest events to retain.
        retention: Option<u64>,
        /// Events that a resume may replay.
        replay_budget: Option<u64>,
    },
}

/// What a lane answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Subscribed; where each stream's head is.
    Subscribed(Vec<(StreamId, Head)>),
    /// Written, or written before under the same key.
    Published {
        /// The event's seq.
        seq: Seq,
        /// Whether the lane had it already; `None` where it does not tell.
        duplicate: Option<bool>,
    },
    /// Done.
    Done,
}

/// Where a stream's head is, as far as the lane tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// At this seq.
    At(Seq),
    /// Below the cursor that was resumed from: the cursor is of another history.
    BelowCursor,
    /// It does not tell.
    Untold,
}

/// How an operation ended. There is no error: a refusal is `Fail`, not knowing is `Info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// The lane did it.
    Ok(Answer),
    /// The lane refused, and did nothing.
    Fail(Refusal),
    /// Nothing was done: the operation was not sent, or the lane asked to come back later; what was seen.
    Later(String),
    /// The lane said that it did it, and what it is to have written is not there; what was answered and looked for.
    Unwritten(String),
    /// Nobody knows; what was seen instead of an answer. The session is of no more use.
    Info(String),
}

/// Something that came from the lane unasked, or before an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// An event.
    Event {
        /// The stream.
        stream: StreamId,
        /// The seq.
        seq: Seq,
        /// The payload's JSON text as the lane sent it.
        payload: String,
        /// The hash that the lane declared, as `sha256:<hex>`; `None` where it declares none.
        declared: Option<String>,
        /// In which message it came.
        via: Via,
    },
    /// An event under a name on the wire that no stream of the run has.
    Foreign {
        /// The topic or stream id as it stood on the wire.
        name: String,
        /// The event's seq.
        seq: Seq,
        /// In which message it came.
        via: Via,
    },
    /// A message that says two things of a stream that can't both be true.
    Contradiction {
        /// The stream.
        stream: StreamId,
        /// The last event that it brings.
        seq: Seq,
        /// Which rule it breaks.
        what: Contradiction,
        /// Its other word.
        said: String,
    },
    /// An event or frame that the client can't make sense of: what and where. Never dropped in silence.
    Unreadable(String),
    /// A message that carries no events by the word of the lane's profile.
    Ignored(String),
    /// The session ended. Nothing follows.
    Closed(Closed),
}

/// Why a session could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", visible(what), hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct OpenError {
    /// What was seen, with where.
    pub what: String,
    /// How to mend it, where that is known.
    pub hint: Option<String>,
    /// Whether trying again can help (a refused connection can, a refused token can't).
    pub retryable: bool,
    /// How long the lane asked to wait before that.
    pub retry_after: Option<Duration>,
    /// The lane's refusal, where it answered: of the join in its own words, of the upgrade by its HTTP status.
    pub refusal: Option<Box<Refusal>>,
}

/// Codes that say that nothing of that name is there: Phoenix' word for an unknown channel, and a socket's path.
pub(crate) const UNMATCHED_TOPIC: &str = "unmatched topic";
pub(crate) const NO_SOCKET: &str = "http_404";

impl OpenError {
    /// Whether the profile or the address is to be changed; else the lane or its surroundings.
    pub fn is_of_the_profile(&self) -> bool {
        let refusal = self.refusal.as_ref();
        refusal.is_some_and(|refusal| [UNMATCHED_TOPIC, NO_SOCKET].contains(&refusal.code.as_str()))
    }
}

/// A sync service. Opening a session changes no logical state.
#[async_trait]
pub trait Lane: Send + Sync {
    /// Which lane it is.
    fn id(&self) -> LaneId;

    /// Opens a session: transport up, joined, ready for operations.
    async fn open(&self, endpoint: &Endpoint, role: &Role) -> Result<Box<dyn Session>, OpenError>;
}

/// An open connection to a lane.
#[async_trait]
pub trait Session: Send + Sync {
    /// Does an operation and waits for its answer. Events that come before the answer are kept for [`Session::next`],
    /// in order; [`Op::Subscribe`]'s replay is one of those.
    async fn invoke(&mut self, op: &Op) -> Completion;

    /// The next arrival. Cancel-safe: an arrival is returned or kept, never lost. After `Closed` it returns `Closed` again.
    async fn next(&mut self) -> Arrival;

    /// What is spoken on the connection, where there is a choice.
    fn spoken(&self) -> Option<Spoken> {
        None
    }

    /// How long the lane asked to wait when it last put an operation off.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Closes in good order, within a second.
    async fn close(&mut self);
}
