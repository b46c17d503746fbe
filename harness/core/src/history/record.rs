//! One line of a history.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use super::backup::{Backup, Rejoined, Restored};
use super::connection::{Closed, SlowNotice, Spoken, Via};
use super::contradiction::Contradiction;
use super::operation::{Completion, Refusal};
use super::program::Word;
use super::relay::{Arrival, OutboxRow};
use super::server::Process;
use super::stored::Stored;
use crate::hash::PayloadHash;
use crate::ids::{ClientId, ConnId, Cursor, FaultId, OpId, Seq, StreamId, SubId};
use crate::plan::{Beside, Mood, Reading};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "kebab-case")]
pub enum Record {
    /// A phase of the run began.
    Phase {
        phase: Phase,
    },
    /// The writer sent an operation (a retry under the same key is a further attempt).
    Invoke {
        op: OpId,
        attempt: u32,
    },
    /// An attempt ended.
    Complete {
        op: OpId,
        attempt: u32,
        completion: Completion,
    },
    /// A client's connection is open and joined.
    Opened {
        client: ClientId,
        conn: ConnId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spoken: Option<Spoken>,
        /// How it reconnects, where that is not as the plan drew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        habit: Option<String>,
    },
    /// The lane refused to let a client in, and said why. The connection did not open.
    NotLetIn {
        client: ClientId,
        conn: ConnId,
        refusal: Refusal,
        /// Whether the lane then let the client subscribe all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        subscribed: bool,
    },
    /// A client is about to open a connection, with a token of this word of `TOKENS`.
    Presented {
        client: ClientId,
        conn: ConnId,
        token: String,
        /// Why it was minted just before; `None` where the client had it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minted: Option<Minting>,
    },
    /// A client could not open a connection, or an open one ended.
    Closed {
        client: ClientId,
        conn: ConnId,
        why: Closed,
    },
    /// A client asked for a stream. Deliveries that follow on this connection and stream belong to this subscription.
    Subscribed {
        client: ClientId,
        conn: ConnId,
        sub: SubId,
        stream: StreamId,
        /// The cursor that the client resumes from, or `None` for a bootstrap. What the lane saw may have been
        /// rewritten by a fault: [`Fire::rewrote`] says so.
        cursor: Option<Cursor>,
    },
    /// The lane accepted a subscription: the replay is complete.
    Accepted {
        client: ClientId,
        sub: SubId,
        stream: StreamId,
        /// The stream's head, as the lane names it.
        head: Option<Seq>,
    },
    /// The lane refused a subscription.
    Refused {
        client: ClientId,
        sub: SubId,
        stream: StreamId,
        refusal: Refusal,
    },
    /// An event arrived at a client.
    Delivered {
        client: ClientId,
        conn: ConnId,
        sub: SubId,
        stream: StreamId,
        seq: Seq,
        /// The hash that the client computed of the payload; `None` where the payload has no canonical form.
        hash: Option<PayloadHash>,
        /// The hash that the lane declared, where it is not the computed one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declared: Option<String>,
        /// The idempotency key that the lane named, where it is not the planned one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        via: Via,
        verdict: Verdict,
        /// The payload's text, kept only where the hash is not the planned one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
    },
    /// An event arrived under a name on the wire that no stream of the run has.
    Foreign {
        client: ClientId,
        conn: ConnId,
        /// The topic or stream id as it stood on the wire.
        name: String,
        seq: Seq,
        via: Via,
    },
    /// A message of the lane broke a rule about its fields.
    Contradicted {
        client: ClientId,
        conn: ConnId,
        /// The stream that it is about, where it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stream: Option<StreamId>,
        /// The event that it is about: the last one that came, or the one that the message names.
        seq: Seq,
        what: Contradiction,
        /// What the message said, in the lane's terms.
        said: String,
    },
    /// A client gave up its cursor and bootstraps the stream anew.
    Rewound {
        client: ClientId,
        stream: StreamId,
        from: Cursor,
        why: RewindReason,
    },
    /// Events that were acknowledged had not come over a connection that was subscribed and answered, so the client
    /// asks for them on a new one. No plan caused that.
    Overdue {
        client: ClientId,
        conn: ConnId,
        stream: StreamId,
        cursor: Cursor,
        /// The last event that was acknowledged by then.
        head: Seq,
    },
    /// A client asked for the same event again and again and the lane never delivered it.
    Stuck {
        client: ClientId,
        stream: StreamId,
        /// The cursor that it could not get past.
        cursor: Cursor,
    },
    /// The plan has a client read too slowly from here on, or again as usual, where it does not say how.
    Reads {
        client: ClientId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slow: Option<Reading>,
    },
    /// The lane told a client that it reads too slowly.
    Struck {
        client: ClientId,
        conn: ConnId,
        strike: SlowNotice,
    },
    /// The lane answered a client's heartbeat while the client waited for the event that proves a stream alive.
    RoundTrip {
        client: ClientId,
        conn: ConnId,
    },
    /// A client's cursor at the end of a phase.
    Watermark {
        client: ClientId,
        stream: StreamId,
        cursor: Cursor,
    },
    /// The ledger: a planned fault fired.
    Fault {
        fault: FaultId,
        client: ClientId,
        fire: Fire,
    },
    /// The ledger: messages of a connection, or of one of its directions, passed the proxy unread, so that no fault saw
    /// them.
    Unread {
        client: ClientId,
        /// Which connection of the client, counted by the proxy from 1.
        conn: u32,
        why: String,
    },
    /// The lane's turn began: what is measured until the next one is of this block.
    Turn {
        block: u32,
    },
    /// A client applied an event that was published at a rate.
    Timed(Timed),
    /// A client follows its streams again after its connection ended.
    Recovered {
        client: ClientId,
        /// From the end of the connection, in microseconds.
        after_us: u64,
    },
    /// Something was done to the lane's server process.
    Process {
        process: Process,
    },
    /// A client got a frame or a row that it can't make sense of.
    Unreadable {
        client: ClientId,
        conn: ConnId,
        /// What it is, and where reading it ended.
        what: String,
    },
    /// A client got a message that carries no events, by the word of the lane's profile.
    Ignored {
        client: ClientId,
        conn: ConnId,
        what: String,
    },
    /// A client is a program of the user's, and did or said this.
    Program {
        client: ClientId,
        #[serde(flatten)]
        word: Word,
    },
    /// A client told the lane how far it came, as it closed, and the lane answered.
    Checkpointed {
        client: ClientId,
        stream: StreamId,
        cursor: Cursor,
        completion: Completion,
    },
    /// The step asked for the lane's list of connections, and the lane has none.
    NotCounted {
        op: OpId,
    },
    /// The lane's own list of connections was read at rest.
    Connections {
        /// The step that asked for it; `None` at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        op: Option<OpId>,
        /// How many of ours it has.
        listed: u64,
        /// Clients whose open connection it does not have.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<ClientId>,
        /// Clients of which it has a connection that ended.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<ClientId>,
    },
    /// What the lane stores of a stream, while nothing is written to it.
    Stored {
        stream: StreamId,
        stored: Stored,
    },
    /// A copy of the server's data directory is whole.
    BackedUp(Backup),
    /// A new server is about to start on a copy of a backup.
    Restoring {
        backup: String,
    },
    /// It was read from the start, or could not be read.
    Restored(Restored),
    Rejoined(Rejoined),
    /// The relay answers so from now on.
    Relay {
        answers: Mood,
    },
    /// Something was done to the relay or the bridge.
    Beside {
        of: Beside,
        process: Process,
    },
    /// An event came to the relay.
    Mirrored {
        arrival: Arrival,
    },
    /// The outbox as the lane stores it at the end.
    Outbox {
        rows: Vec<OutboxRow>,
    },
    /// A client will not try again.
    GaveUp {
        client: ClientId,
        why: String,
        /// How the lane ended its connection, where a client of its habit does not come back after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_away_by: Option<Closed>,
    },
    /// The driver gave up waiting for something, within its bound.
    TimedOut {
        waiting_for: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Servers up, policies set.
    Setup,
    Exercise,
    /// Faults off, servers up, clients reconnecting.
    Heal,
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

/// How long a delivery took. Times are microseconds from the moment when the event was to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    pub op: OpId,
    pub client: ClientId,
    /// How much later it was sent because of the machine, and not of an answer that the writer waited for.
    pub late_us: u64,
    pub acked_us: u64,
    pub applied_us: u64,
}

/// A delivery is not used where this machine sent its event so much too late.
const LATE_MAX_US: u64 = 20_000;

impl Timed {
    /// How long the lane took until a client applied the event; `None` where the event was sent too late.
    pub fn latency_us(&self) -> Option<u64> {
        (self.late_us <= LATE_MAX_US).then(|| self.applied_us.saturating_sub(self.late_us))
    }
}

/// Why a client took another token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Minting {
    First,
    /// The one that it had was due for another one.
    Due,
    /// The one that it had was refused.
    Refused,
}

/// Why a client gave up its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewindReason {
    Stale,
    /// It lies beyond the stream's head: it is a cursor of another history.
    AheadOfHead,
    Unsubscribed,
}

/// What the apply engine made of a delivery (contract, "Applying, on the client").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Applied,
    Duplicate,
    /// It is not the next one: replay from the watermark.
    OutOfOrder,
    /// A delta before the first snapshot or checkpoint.
    SnapshotRequired,
    /// It could not be applied; the watermark stays.
    Failed,
}

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrote {
    pub stream: StreamId,
    /// What the client sent; `None` for a bootstrap.
    pub from: Option<Cursor>,
    pub to: Cursor,
}
