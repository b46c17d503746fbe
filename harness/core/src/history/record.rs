//! One line of a history.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::PayloadHash;
use crate::ids::{ClientId, ConnId, Cursor, FaultId, OpId, Protocol, Seq, StreamId, SubId};
use crate::plan::Compression;

/// Something that happened on one lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "kebab-case")]
pub enum Record {
    /// A phase of the run began.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// The writer sent an operation (a retry under the same key is a further attempt).
    Invoke {
        /// The operation.
        op: OpId,
        /// From 1.
        attempt: u32,
    },
    /// An attempt ended.
    Complete {
        /// The operation.
        op: OpId,
        /// From 1.
        attempt: u32,
        /// How.
        completion: Completion,
    },
    /// A client's connection is open and joined.
    Opened {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// What is spoken on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spoken: Option<Spoken>,
    },
    /// A client could not open a connection, or an open one ended.
    Closed {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// How.
        why: Closed,
    },
    /// A client asked for a stream. Deliveries that follow on this connection and stream belong to this subscription.
    Subscribed {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// The subscription.
        sub: SubId,
        /// The stream.
        stream: StreamId,
        /// The cursor that the client resumes from, or `None` for a bootstrap. What the lane saw may have been
        /// rewritten by a fault: the ledger tells.
        cursor: Option<Cursor>,
    },
    /// The lane accepted a subscription: the replay is complete.
    Accepted {
        /// The client.
        client: ClientId,
        /// The subscription.
        sub: SubId,
        /// The stream.
        stream: StreamId,
        /// The stream's head by the lane's word.
        head: Option<Seq>,
    },
    /// The lane refused a subscription.
    Refused {
        /// The client.
        client: ClientId,
        /// The subscription.
        sub: SubId,
        /// The stream.
        stream: StreamId,
        /// Its words.
        refusal: Refusal,
    },
    /// An event arrived at a client.
    Delivered {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// The subscription.
        sub: SubId,
        /// The stream.
        stream: StreamId,
        /// Its seq.
        seq: Seq,
        /// The hash that the client computed of the payload; `None` where the payload has no canonical form.
        hash: Option<PayloadHash>,
        /// The hash that the lane declared, where it is not the computed one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declared: Option<String>,
        /// In which of the lane's messages it came.
        via: Via,
        /// What the apply engine made of it.
        verdict: Verdict,
        /// The payload's text, kept only where the hash is not the planned one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
    },
    /// An event arrived under a name on the wire that no stream of the run has.
    Foreign {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// The topic or stream id as it stood on the wire.
        name: String,
        /// The event's seq.
        seq: Seq,
        /// In which of the lane's messages it came.
        via: Via,
    },
    /// A message of the lane said two things of a stream that can't both be true.
    Contradicted {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// The stream.
        stream: StreamId,
        /// The event that it is about: the last one that came.
        seq: Seq,
        /// Which rule it broke.
        what: Contradiction,
        /// What its other word was, in the lane's terms.
        said: String,
    },
    /// A client gave up its cursor and bootstraps the stream anew.
    Rewound {
        /// The client.
        client: ClientId,
        /// The stream.
        stream: StreamId,
        /// The cursor that it had.
        from: Cursor,
        /// Why.
        why: RewindReason,
    },
    /// Events that were acknowledged had not come over a connection that was subscribed and answered, so the client asks
    /// for them on a new one. No plan caused that.
    Overdue {
        /// The client.
        client: ClientId,
        /// The connection that it gives up.
        conn: ConnId,
        /// The stream.
        stream: StreamId,
        /// How far it had come.
        cursor: Cursor,
        /// The last event that was acknowledged by then.
        head: Seq,
    },
    /// A client asked for the same event again and again and the lane never delivered it.
    Stuck {
        /// The client.
        client: ClientId,
        /// The stream.
        stream: StreamId,
        /// The cursor that it could not get past.
        cursor: Cursor,
    },
    /// The lane answered a client's heartbeat while the client waited for the event that proves a stream alive.
    RoundTrip {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
    },
    /// A client's cursor at the end of a phase.
    Watermark {
        /// The client.
        client: ClientId,
        /// The stream.
        stream: StreamId,
        /// The cursor.
        cursor: Cursor,
    },
    /// The ledger: a planned fault fired.
    Fault {
        /// The fault.
        fault: FaultId,
        /// The client that it struck.
        client: ClientId,
        /// What it hit.
        fire: Fire,
    },
    /// The ledger: messages of a connection, or of one of its directions, passed the proxy unread, so that no fault saw
    /// them.
    Unread {
        /// The client.
        client: ClientId,
        /// Which connection of the client, counted by the proxy from 1.
        conn: u32,
        /// Why they could not be read.
        why: String,
    },
    /// Something was done to the lane's server process.
    Process {
        /// What.
        process: Process,
    },
    /// A client got a frame or a row that it can't make sense of.
    Unreadable {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// What it is, and where reading it ended.
        what: String,
    },
    /// A client got a message that carries no events, by the word of the lane's profile.
    Ignored {
        /// The client.
        client: ClientId,
        /// The connection.
        conn: ConnId,
        /// What it is.
        what: String,
    },
    /// A client will not try again.
    GaveUp {
        /// The client.
        client: ClientId,
        /// Why.
        why: String,
    },
    /// The driver gave up waiting for something, within its bound.
    TimedOut {
        /// What it waited for.
        waiting_for: String,
    },
}

/// The phases of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Servers up, policies set.
    Setup,
    /// Steps and faults.
    Exercise,
    /// Faults off, servers up, clients reconnecting.
    Heal,
    /// Every client reaches every head.
    Converge,
    /// One more event is published to every stream, and has to arrive live on the connections that there are.
    ProofOfLife,
    /// What is still in flight arrives.
    Drain,
    /// The run is complete; a history without this mark was interrupted.
    Done,
}

impl Phase {
    /// The phase that follows; none follows the last.
    pub fn next(self) -> Option<Phase> {
        match self {
            Phase::Setup => Some(Phase::Exercise),
            Phase::Exercise => Some(Phase::Heal),
            Phase::Heal => Some(Phase::Converge),
            Phase::Converge => Some(Phase::ProofOfLife),
            Phase::ProofOfLife => Some(Phase::Drain),
            Phase::Drain => Some(Phase::Done),
            Phase::Done => None,
        }
    }
}

/// How an attempt at an operation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Completion {
    /// The lane did it.
    Ok {
        /// What it answered.
        outcome: Outcome,
    },
    /// The lane refused, and did nothing.
    Fail {
        /// Its words.
        refusal: Refusal,
    },
    /// Nothing was done: the operation was not sent, or the lane asked to come back later, as with HTTP 429.
    Later {
        /// What was seen.
        why: String,
    },
    /// The lane said that it did it, and what it is to have written is not there.
    Unwritten {
        /// What was answered, and what was looked for.
        why: String,
    },
    /// Nobody knows whether the lane did it.
    Info {
        /// What was seen instead of an answer.
        why: String,
    },
}

/// What a lane answers to an operation that it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// A publish.
    Published {
        /// The event's seq.
        seq: Seq,
        /// Whether the lane says that it had it already; `None` where the lane does not tell.
        duplicate: Option<bool>,
    },
    /// Anything else.
    Done,
}

/// A lane's refusal, in the contract's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refusal {
    /// The code, such as `stale_cursor`, `idempotency_conflict`.
    pub code: String,
    /// `reason_codes`, in the lane's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// `stale_topics`, streams by their logical names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<StaleStream>,
    /// The lane's own message, for people; never judged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// One entry of `stale_topics` (contract, "Ordering, delivery, replay").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleStream {
    /// The stream.
    pub stream: StreamId,
    /// `retention_floor_breach` or `replay_budget_exceeded`.
    pub reason: String,
    /// The cursor that the lane saw.
    pub resume_after: Option<u64>,
    /// The seq before the oldest one that is retained.
    pub retention_floor: Option<u64>,
    /// The stream's head.
    pub head_watermark: Option<u64>,
    /// Head less cursor.
    pub replay_lag: Option<u64>,
    /// The budget that the lag was held against.
    pub replay_budget_events: Option<u64>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Closed {
    /// The client closed it.
    ByClient,
    /// The client died.
    Crashed,
    /// A close frame came, with this code.
    CloseFrame {
        /// The code; 1005 where the frame had none (RFC 6455, 7.1.5).
        code: u16,
    },
    /// The transport ended without a close frame.
    Lost {
        /// What the transport said.
        why: String,
    },
    /// Nothing came within the heartbeat's bound.
    Silent,
    /// A limit of our own was reached. The lane did nothing wrong, and what it sent there did not arrive.
    OurLimit {
        /// Which, and what came.
        what: String,
    },
    /// The connection never opened.
    NotOpened {
        /// What was seen.
        why: String,
    },
    /// The channel was closed or crashed, the socket was not.
    Channel {
        /// `phx_close` or `phx_error`.
        event: String,
    },
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Closed::ByClient => f.write_str("closed by the client"),
            Closed::Crashed => f.write_str("the client died"),
            Closed::CloseFrame { code } => write!(f, "closed with {code}"),
            Closed::Lost { why } => write!(f, "lost ({why})"),
            Closed::Silent => f.write_str("silent"),
            Closed::NotOpened { why } => write!(f, "not opened ({why})"),
            Closed::Channel { event } => write!(f, "ended by {event}"),
            Closed::OurLimit { what } => write!(f, "ended by a limit of ours ({what})"),
        }
    }
}

/// In which of a lane's messages an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Phoenix `sync:update_batch`.
    UpdateBatch,
    /// Phoenix `sync:frame`, the second copy of every batch.
    Frame,
    /// SpacetimeDB's snapshot when a subscription is applied.
    Snapshot,
    /// A SpacetimeDB transaction update.
    Transaction,
}

impl Via {
    /// The protocol whose message it is.
    pub fn protocol(self) -> Protocol {
        match self {
            Via::UpdateBatch | Via::Frame => Protocol::Phoenix,
            Via::Snapshot | Via::Transaction => Protocol::Spacetime,
        }
    }
}

/// Which rule a message that contradicts itself broke (contract, "Server to client").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// A `sync:frame` names another seq than the highest one of the batch that it holds.
    FrameSeq,
    /// A `sync:frame` names another topic than its batch.
    FrameTopic,
    /// A batch names a head below an event that it brings.
    HeadBelowEvent,
    /// The reply came behind a replay whose last batch said that it was not complete.
    NeverComplete,
}

impl Contradiction {
    /// Its name as it stands in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Contradiction::FrameSeq => "frame-seq",
            Contradiction::FrameTopic => "frame-topic",
            Contradiction::HeadBelowEvent => "head-below-event",
            Contradiction::NeverComplete => "never-complete",
        }
    }
}

/// What the apply engine made of a delivery (contract, "Applying, on the client").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was the next one.
    Applied,
    /// It was applied before; suppressed.
    Duplicate,
    /// It is not the next one: replay from the watermark.
    OutOfOrder,
    /// A delta before the first snapshot or checkpoint.
    SnapshotRequired,
    /// It could not be applied; the watermark stays.
    Failed,
}

/// Why a client gave up its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewindReason {
    /// The lane refused it as stale.
    Stale,
    /// It lies beyond the stream's head: it is a cursor of another history.
    AheadOfHead,
    /// The client unsubscribed, as the plan has it.
    Unsubscribed,
}

/// What a fault hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fire {
    /// Which connection of the client, counted by the proxy from 1.
    pub conn: u32,
    /// The frame's number on that connection and direction, from 1.
    pub frame: u64,
    /// What the frame carried, such as `delivery run:alpha:events 5`.
    pub hit: String,
    /// For a rewritten cursor: the stream, what the client sent and what the lane saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrote: Option<Rewrote>,
}

/// A cursor that a fault rewrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrote {
    /// The stream.
    pub stream: StreamId,
    /// What the client sent; `None` for a bootstrap.
    pub from: Option<Cursor>,
    /// What the lane saw.
    pub to: Cursor,
}

/// What was done to a server's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Process {
    /// It was started and answers.
    Started,
    /// `kill -9`.
    Killed {
        /// What the kill waited for.
        #[serde(default, skip_serializing_if = "KillWait::is_durable")]
        waited_for: KillWait,
    },
    /// SIGSTOP.
    Paused,
    /// SIGCONT.
    Resumed,
    /// It ended without being asked to.
    Died {
        /// Its exit status in words.
        status: String,
    },
}

/// What is spoken on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The subprotocol that the server chose, or the serializer.
    pub protocol: String,
    /// The compression that was asked for, where there is one to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Whether the server withholds an event until it is on disk; `None` where the protocol has no such option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// Whether each event comes in one message, by the word of the lane's profile, and not in two.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
}

impl Spoken {
    /// Whether an event that came over the connection may be taken for one that is on disk. Where the protocol has no such
    /// option, it is what the lane's acknowledgement promises.
    pub fn may_be_confirmed(&self) -> bool {
        self.confirmed != Some(false)
    }
}

impl fmt::Display for Spoken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.protocol)?;
        match self.compression {
            None => {}
            Some(Compression::None) => out.write_str(", not compressed")?,
            Some(Compression::Gzip) => out.write_str(", gzip")?,
            Some(Compression::Brotli) => out.write_str(", brotli")?,
        }
        if self.once {
            out.write_str(", each event once")?;
        }
        match self.confirmed {
            None => Ok(()),
            Some(true) => out.write_str(", confirmed reads"),
            Some(false) => out.write_str(", reads not confirmed"),
        }
    }
}

/// What a kill waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillWait {
    /// Until the last acknowledged event was on disk. Such a kill shows that what is on disk is replayed, and not that what
    /// was seen is durable.
    #[default]
    Durable,
    /// Nothing: it fell at once.
    Nothing,
}

impl KillWait {
    fn is_durable(&self) -> bool {
        *self == KillWait::Durable
    }
}
