//! What a case does, step by step. Steps wait for events, never for a time.

use serde::{Deserialize, Serialize};

use crate::hash::PayloadHash;
use crate::ids::{ClientId, Cursor, FaultId, LaneId, OpId, Seq, StreamId};

/// One step of a case, done on both lanes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Step {
    /// Sets a stream's policy.
    Policy {
        /// The operation.
        op: OpId,
        stream: StreamId,
        /// Newest events to retain; `None` leaves it as it is.
        retention: Option<u64>,
        /// Events that a resume may replay; `None` leaves it as it is.
        replay_budget: Option<u64>,
    },
    /// The writer publishes, and retries under the same key until it is answered.
    Publish {
        /// The operation.
        op: OpId,
        stream: StreamId,
        /// The idempotency key.
        key: String,
        /// The payload's JSON text, as it is sent.
        payload: String,
        /// The hash of the payload's canonical form.
        hash: PayloadHash,
        /// What the lane must answer.
        expect: PublishExpect,
    },
    /// A client opens a connection and subscribes to its streams from its checkpoints.
    Connect { client: ClientId },
    /// A client closes its connection in good order.
    Disconnect { client: ClientId },
    /// A client dies: no close, memory gone. Its next connect starts from the checkpoint on disk.
    Crash { client: ClientId },
    /// A client unsubscribes from its streams once it has every acknowledged event of them, and subscribes again
    /// without cursors, on the connection that it has.
    Resubscribe { client: ClientId },
    /// A disconnected client's checkpoint on disk is overwritten, as by a restored backup.
    SetCursor {
        client: ClientId,
        stream: StreamId,
        /// The cursor that it will resume from.
        cursor: Cursor,
    },
    /// Waits until each named client has applied every acknowledged event of its streams.
    AwaitCaughtUp { clients: Vec<ClientId> },
    /// Waits until a fault or a toxic has struck.
    AwaitFired {
        /// Which.
        fault: FaultId,
    },
    /// Toxics are put on, on connections that are there and on those that come. A toxic that no step puts on is on from
    /// the beginning.
    Arm {
        /// Which.
        toxics: Vec<FaultId>,
    },
    /// Toxics are taken off.
    Disarm {
        /// Which.
        toxics: Vec<FaultId>,
    },
    /// Something happens to a server's process.
    Server {
        /// Whose: one lane's, or each lane's where `None`.
        lane: Option<LaneId>,
        /// What.
        action: ServerAction,
    },
}

/// What a lane must answer to a publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum PublishExpect {
    /// It is written, at this seq.
    Accepted { seq: Seq },
    /// Nothing is written; the seq of the first publish under this key comes back.
    Repeated { seq: Seq },
    /// It is refused and nothing is written.
    Refused {
        /// The contract's code, such as `idempotency_conflict`.
        code: String,
    },
}

/// What happens to a server's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerAction {
    /// `kill -9`, as soon as the last acknowledged event is on disk.
    Kill,
    /// `kill -9` at once. What the lane promised by then has to be there afterwards.
    #[serde(rename = "kill-at-once")]
    KillAtOnce,
    /// Start it again on the same data directory.
    Restart,
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
}

impl ServerAction {
    /// Whether it is a `kill -9`.
    pub fn kills(self) -> bool {
        matches!(self, ServerAction::Kill | ServerAction::KillAtOnce)
    }
}
