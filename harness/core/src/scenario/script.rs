//! What a scenario says, case by case, checked and with all names resolved: everything of a plan but chance and
//! payloads.
//!
//! Streams, clients and faults are named by their index in their case. A list of choices (`seqs`, `how`, `when`) is
//! drawn from by the plan; one choice is no chance.

pub use super::faults::{Fault, Target};
pub use super::open::Choice;
use crate::ids::{ClientId, LaneId};
use crate::plan::{Compression, PlannedToxic, Serializer, ServerAction, WRITER};

/// One lane, or both where `None`.
pub type Lanes = Option<LaneId>;

/// One case: the whole script, or the script for one position where the scenario is expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// `main`, or what the case was expanded for.
    pub name: String,
    /// Its streams.
    pub streams: Vec<Stream>,
    /// Its clients.
    pub clients: Vec<Client>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is done to bytes.
    pub toxics: Vec<PlannedToxic>,
    /// How many events its clients apply where nothing goes wrong.
    pub deliveries: u64,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its topic, unique in the scenario.
    pub topic: String,
    /// Newest events that are retained.
    pub retention: Option<u64>,
    /// Events that a resume may replay.
    pub replay_budget: Option<u64>,
    /// What its payloads are like.
    pub payload: Payload,
    /// What its idempotency keys are.
    pub keys: Keys,
}

/// What the idempotency keys of a stream are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// No other stream has them.
    Own,
    /// Events of the same seq have the same key in all streams of this sort: a key is one stream's, not the lane's.
    Shared,
}

/// The id of a target among the clients of a case.
pub(super) fn client_id(clients: &[Client], target: Target) -> ClientId {
    ClientId::new(match target {
        Target::Client(client) => &clients[client].name,
        Target::Writer => WRITER,
    })
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name, unique in the scenario.
    pub name: String,
    /// What it subscribes to.
    pub streams: Vec<usize>,
    /// Events per replay batch.
    pub replay_batch: u32,
    /// Phoenix serializer.
    pub serializer: Serializer,
    /// SpacetimeDB compression.
    pub compression: Compression,
}

/// What payloads are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// A small object.
    Small,
    /// 64 to 300 KiB.
    Large,
    /// Strings and keys from all over Unicode, spelled in every way.
    Unicode,
    /// Numbers at the edges.
    Numbers,
    /// Sixty levels deep.
    Nested,
    /// Empty containers, empty keys, null.
    Empty,
    /// All of that in one object.
    Awkward,
    /// Every other kind by turns, one large payload among them.
    Mixed,
}

/// How a publish is spread over its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// By turns.
    Even,
    /// As many to each, in an order that is drawn.
    Shuffled,
    /// The nth stream gets a share like 1/n, in an order that is drawn.
    Skewed,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Sets a policy.
    Policy {
        /// The stream.
        stream: usize,
        /// Newest events to retain.
        retention: Option<u64>,
        /// Events that a resume may replay.
        replay_budget: Option<u64>,
    },
    /// Publishes.
    Publish {
        /// How many events to which stream.
        shares: Vec<(usize, u64)>,
        /// In which order.
        spread: Spread,
        /// Whether connected clients catch up after each event; the clients are those that are connected.
        lockstep: Option<Vec<usize>>,
    },
    /// Publishes an event again, same key, same payload.
    Republish {
        /// The stream.
        stream: usize,
        /// The event.
        seq: u64,
    },
    /// Publishes another payload under an event's key.
    Conflict {
        /// The stream.
        stream: usize,
        /// The event.
        seq: u64,
    },
    /// Connects a client.
    Connect(usize),
    /// Disconnects a client in good order.
    Disconnect(usize),
    /// Kills a client.
    Crash(usize),
    /// Has a client unsubscribe, and subscribe again without cursors.
    Resubscribe(usize),
    /// Overwrites a client's checkpoint.
    SetCursor {
        /// The client.
        client: usize,
        /// The stream.
        stream: usize,
        /// The cursor.
        to: Choice,
    },
    /// Waits for clients.
    Await(Vec<usize>),
    /// Waits for a fault.
    AwaitFault(usize),
    /// Waits for a toxic.
    AwaitToxic(usize),
    /// Puts toxics on.
    Arm(Vec<usize>),
    /// Takes toxics off.
    Disarm(Vec<usize>),
    /// Does something to a server.
    Server {
        /// Whose.
        lane: Lanes,
        /// What.
        action: ServerAction,
    },
}
