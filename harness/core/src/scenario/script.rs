//! What a scenario says, case by case, checked and with all names resolved: everything of a plan but chance and payloads.
//!
//! Streams, clients and faults are named by their index in their case. A list of choices (`seqs`, `how`, `when`) is
//! drawn from by the plan; one choice is no chance.

use crate::ids::LaneId;
use crate::plan::{self, ByteToxic, Compression, Direction, MessageKind, Scope, Serializer, ServerAction};

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
    pub toxics: Vec<Toxic>,
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

/// A number that is fixed, or drawn from a range with both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The least.
    pub low: u64,
    /// The greatest.
    pub high: u64,
}

impl Choice {
    /// No choice.
    pub fn fixed(value: u64) -> Choice {
        Choice { low: value, high: value }
    }
}

/// Whom a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// A client.
    Client(usize),
    /// The writer.
    Writer,
}

/// A fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Whom it strikes.
    pub victim: Victim,
    /// On which lane.
    pub lane: Lanes,
    /// Where.
    pub at: Place,
    /// What it does.
    pub kind: FaultKind,
    /// Whether it strikes each time.
    pub always: bool,
}

/// Where a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the delivery of one of these events; no two faults of one client draw the same.
    Delivery {
        /// The stream.
        stream: usize,
        /// The events to draw from.
        seqs: Vec<u64>,
    },
    /// At the delivery of the event that proves the stream alive, behind all that the script publishes.
    Proof {
        /// The stream.
        stream: usize,
    },
    /// At the acknowledgement of one of these events.
    Ack {
        /// The stream.
        stream: usize,
        /// The events to draw from.
        seqs: Vec<u64>,
    },
    /// At the nth resume.
    Resume(u32),
    /// At the answer to the nth resume.
    ResumeReply(u32),
    /// At the answer to the nth heartbeat.
    HeartbeatReply(u32),
    /// At a message, by what it is and carries.
    Message(Pick),
}

/// Picks messages; see [`crate::plan::Pick`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// Which way the message goes.
    pub direction: Direction,
    /// What sort of message.
    pub kind: Option<MessageKind>,
    /// The lane's own name for it.
    pub event: Option<String>,
    /// A stream that it is about.
    pub stream: Option<usize>,
    /// A seq that it delivers.
    pub seq: Option<u64>,
    /// A JSON Pointer to what has to be there, and its canonical JSON text where that matters.
    pub payload: Option<(String, Option<String>)>,
    /// Which of those.
    pub nth: Option<u32>,
    /// Over what that counts.
    pub per: Scope,
}

/// A byte toxic.
#[derive(Debug, Clone, PartialEq)]
pub struct Toxic {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Whom it strikes.
    pub victim: Victim,
    /// On which lane.
    pub lane: Lanes,
    /// Which way.
    pub stream: Direction,
    /// The chance that a connection gets it, from 0 to 1.
    pub toxicity: f64,
    /// What it does.
    pub toxic: ByteToxic,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Ends the connection.
    Cut {
        /// How: one of these.
        how: Vec<Cut>,
        /// The close code, for [`Cut::Close`].
        code: u16,
        /// When: one of these.
        when: Vec<When>,
    },
    /// Holds until an event is acknowledged, or until the heal phase where `None`.
    Hold {
        /// Stream and seq.
        acked: Option<(usize, u64)>,
    },
    /// Rewrites a cursor.
    RewriteCursor {
        /// The stream.
        stream: usize,
        /// What the lane sees.
        to: Choice,
    },
    /// Changes a character of its payload.
    ReplacePayload,
    /// Delivers it under another stream as well.
    Misdeliver {
        /// The stream.
        stream: usize,
        /// The seq there.
        seq: u64,
    },
    /// What the plan says as it stands here: nothing of it is drawn, published or of one case only.
    Settled(plan::FaultKind),
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// With a close frame.
    Close,
    /// With a FIN alone.
    Drop,
    /// With a RST.
    Reset,
    /// Without a sign.
    Silence,
}

/// On which side of the frame a cut falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The frame is lost.
    Before,
    /// The frame gets through.
    After,
}
