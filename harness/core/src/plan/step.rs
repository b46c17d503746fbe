//! What a case does, step by step. Steps wait for events, never for a time.

use serde::{Deserialize, Serialize};

use super::access::Change;
use super::bridge::{Beside, Mood};
use super::restore::{Copying, Restore};
use crate::hash::PayloadHash;
use crate::ids::{ClientId, Cursor, FaultId, LaneId, OpId, Seq, StreamId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Sets a stream's policy; `None` leaves a value as it is.
    Policy {
        op: OpId,
        stream: StreamId,
        retention: Option<u64>,
        replay_budget: Option<u64>,
    },
    /// The writer publishes, and retries under the same key until it is answered.
    Publish {
        op: OpId,
        stream: StreamId,
        key: String,
        /// The payload's JSON text, as it is sent.
        payload: String,
        hash: PayloadHash,
        /// What it names beside key and payload.
        #[serde(default, skip_serializing_if = "Claims::is_none")]
        claims: Claims,
        /// The only lane that it is sent to; `None` is each.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lane: Option<LaneId>,
        /// Publishes in a row with one number are sent at the same moment. Which of them gets which answer is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        together: Option<OpId>,
        /// When it is to be sent, in microseconds from the beginning of the lane's turn, whatever became of those
        /// before it; `None` is after those.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_us: Option<u64>,
        expect: PublishExpect,
    },
    /// Waits for the lane's turn. The other lane rests until the turn ends. Turns are numbered from 1.
    TakeTurn {
        block: u32,
        /// Whether it is left out where the turns before it told enough.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        spare: bool,
    },
    EndTurn,
    /// Waits until the lane counts the connections of these clients, and no other of the case.
    Count {
        op: OpId,
        present: Vec<ClientId>,
        within_ms: u64,
    },
    /// Reads what the lane stores of a stream.
    Inspect {
        stream: StreamId,
    },
    /// Removes the events of a stream, whose head is `head`, up to a seq. A lane without such a call lowers the
    /// stream's retention for a moment, and leaves the last event.
    Prune {
        op: OpId,
        stream: StreamId,
        up_to: Seq,
        head: Seq,
        retention: u64,
    },
    /// Acknowledges a cursor for a client of this name, on a lane that keeps checkpoints.
    Checkpoint {
        op: OpId,
        stream: StreamId,
        client: String,
        seq: u64,
        durable_offset: u64,
        /// The code of the refusal; `None` where it is to be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// Sends a request that is to be refused: a word of `MISUSES`.
    Misuse {
        op: OpId,
        stream: StreamId,
        what: String,
    },
    /// Someone does one thing with a token of an identity, on a connection of its own.
    Attempt {
        op: OpId,
        stream: StreamId,
        identity: String,
        /// A word of `TOKENS`.
        token: String,
        /// A word of `DEEDS`.
        deed: String,
        allowed: bool,
        /// The streams of which it may get anything.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sees: Vec<StreamId>,
    },
    /// Rights, tokens or keys change.
    Access(Change),
    /// Calls a reducer, on a lane that has reducers.
    Call {
        op: OpId,
        stream: StreamId,
        reducer: String,
        /// A JSON list, in which [`crate::plan::STREAM`] stands for the stream's name on the wire.
        args: String,
        /// The code of the refusal; `None` where it is to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// Queries rows, on a lane that has tables. Query and rows name the stream as a call does.
    Rows {
        op: OpId,
        stream: StreamId,
        query: String,
        /// A sorted JSON list of rows, each a list of values.
        rows: String,
    },
    /// A client opens a connection and subscribes to its streams from its checkpoints.
    Connect {
        client: ClientId,
        /// Whether the script goes on before the client is subscribed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_once: bool,
    },
    /// A client closes its connection in good order.
    Disconnect {
        client: ClientId,
    },
    /// A client loses its connection and its memory. It connects again from the checkpoint on disk.
    Crash {
        client: ClientId,
    },
    /// Once a client has every acknowledged event of its streams, it unsubscribes from some of them, and subscribes to
    /// those again without cursors, on the same connection.
    Resubscribe {
        client: ClientId,
        /// All of the client's where this is empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        streams: Vec<StreamId>,
    },
    /// Overwrites the checkpoint of a client that is not connected, as a restored backup would.
    SetCursor {
        client: ClientId,
        stream: StreamId,
        cursor: Cursor,
    },
    /// Waits until each of these clients has applied every acknowledged event of its streams.
    AwaitCaughtUp {
        clients: Vec<ClientId>,
    },
    /// Waits until a fault or a toxic has fired.
    AwaitFired {
        fault: FaultId,
    },
    /// Adds toxics, to open connections and to new ones. A toxic that no step adds is on from the beginning.
    Arm {
        toxics: Vec<FaultId>,
    },
    /// Removes toxics.
    Disarm {
        toxics: Vec<FaultId>,
    },
    /// Begins a copy of the data directory of the lane's server.
    Backup {
        backup: String,
        copy: Copying,
    },
    /// Waits until a copy of a running server is whole.
    BackedUp {
        backup: String,
    },
    Restore(Restore),
    /// Acts on the server process of a lane, or of each lane where `None`.
    Server {
        lane: Option<LaneId>,
        action: ServerAction,
    },
    /// Publishes the module anew while clients follow it, on a lane that has one.
    UpdateModule {
        update: ModuleUpdate,
    },
    /// Acts on the relay or the bridge, on the lane that has them.
    Beside {
        of: Beside,
        action: ServerAction,
    },
    /// The relay answers so from now on.
    Relay {
        answers: Mood,
    },
    /// Waits until an event has come to the relay since it was last changed.
    AwaitRelay,
    /// Waits until the relay has, or blocks, each event of the outbox, and each that it has is marked.
    AwaitOutbox,
}

/// The code of a refusal of a text that is no payload: it is no JSON, or has no canonical form.
pub const INVALID_PAYLOAD: &str = "invalid_payload";
/// The code of a refusal of another payload under a known key.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency_conflict";
/// The codes of refusals of a publish that names a wrong hash, or a seq that is not the next one.
pub const HASH_MISMATCH: &str = "payload_hash_mismatch";
pub const SEQUENCE_CONFLICT: &str = "sequence_conflict";

/// What a publish may name, so that a lane refuses it where that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Claims {
    /// The seq that the event is to get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_seq: Option<NextSeq>,
    /// The text of the payload's hash, where the lane's publish takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_hash: Option<String>,
}

impl Claims {
    pub fn is_none(&self) -> bool {
        *self == Claims::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextSeq {
    /// The one after the last acknowledged event of the stream.
    Right,
    Is(u64),
}

impl NextSeq {
    pub fn after(self, acknowledged: Seq) -> u64 {
        match self {
            NextSeq::Right => acknowledged.0.saturating_add(1),
            NextSeq::Is(seq) => seq,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PublishExpect {
    /// It is written, at this seq.
    Accepted { seq: Seq },
    /// Nothing is written; the seq of the first publish under this key comes back.
    Repeated { seq: Seq },
    /// It is refused with the contract's code, such as `idempotency_conflict`, and nothing is written.
    Refused { code: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerAction {
    /// `kill -9`, as soon as the last acknowledged event is on disk.
    Kill,
    /// `kill -9` at once. What the lane promised by then must be there afterwards.
    #[serde(rename = "kill-at-once")]
    KillAtOnce,
    /// `kill -9` the moment a client has applied the event that is published next.
    #[serde(rename = "kill-as-seen")]
    KillAsSeen,
    /// Starts it again on the same data directory.
    Restart,
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
}

impl ServerAction {
    pub fn waits_for_nothing(self) -> bool {
        matches!(self, ServerAction::KillAtOnce | ServerAction::KillAsSeen)
    }

    pub fn kills(self) -> bool {
        self == ServerAction::Kill || self.waits_for_nothing()
    }
}

/// What a module that is published anew has, compared with the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleUpdate {
    /// More tables and reducers. Clients stay connected.
    Additive,
    /// Those are gone again. The server closes all clients, and they come back.
    Breaking,
}
