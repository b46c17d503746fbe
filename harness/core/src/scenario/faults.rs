//! The faults and toxics of a scenario: as they stand in its file, and as they are in a case.

use super::open::{Number, Settings};
use super::read::At;
use crate::ids::LaneId;
use crate::plan::fault::spec::FaultSpec;
use crate::plan::{ByteToxic, Direction};

/// Where a fault fires. `N` is a number in the file, and later in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultPosition<N> {
    /// The plan draws one of the events; no two faults of one client get the same.
    Delivery {
        stream: usize,
        seqs: Vec<N>,
    },
    /// The delivery of the event that proves the stream alive, behind all that the script publishes.
    Proof {
        stream: usize,
    },
    Ack {
        stream: usize,
        seqs: Vec<N>,
    },
    Resume(N),
    ResumeReply(N),
    HeartbeatReply(N),
    /// A message, by the attributes of a filter.
    Message(Direction, Settings<N>),
}

impl<N> FaultPosition<N> {
    pub(super) fn key(&self) -> &'static str {
        match self {
            FaultPosition::Delivery { .. } => "delivery",
            FaultPosition::Proof { .. } => "proof",
            FaultPosition::Ack { .. } => "ack",
            FaultPosition::Resume(_) => "resume",
            FaultPosition::ResumeReply(_) => "resume_reply",
            FaultPosition::HeartbeatReply(_) => "heartbeat_reply",
            FaultPosition::Message(..) => "message",
        }
    }
}

/// A fault in the file: one for each client and each position that is drawn.
#[derive(Debug)]
pub(super) struct FaultDraft {
    pub(super) name: String,
    /// Clients, or the writer where `None`.
    pub(super) clients: Option<Vec<usize>>,
    pub(super) lane: Option<LaneId>,
    pub(super) at: At<FaultPosition<At<Number>>>,
    pub(super) spec: &'static FaultSpec,
    pub(super) settings: Settings<At<Number>>,
    pub(super) draws: u64,
    pub(super) always: bool,
}

/// A byte toxic in the file: one for each client.
#[derive(Debug)]
pub(super) struct ToxicDraft {
    pub(super) name: String,
    /// Clients, or the writer where `None`.
    pub(super) clients: Option<Vec<usize>>,
    /// Whether it applies to the bridge's connections to the relay, and to no client.
    pub(super) of_bridge: bool,
    pub(super) lane: Option<LaneId>,
    pub(super) stream: Direction,
    pub(super) toxicity: f64,
    pub(super) toxic: ByteToxic,
}

/// Whether an entry of the file applies to a client, or to the writer where `None`.
pub(super) fn applies(clients: Option<&Vec<usize>>, client: Option<usize>) -> bool {
    match (clients, client) {
        (None, None) => true,
        (Some(clients), Some(client)) => clients.contains(&client),
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Client(usize),
    Writer,
}

pub(super) fn targets(clients: Option<&Vec<usize>>) -> Vec<Target> {
    match clients {
        None => vec![Target::Writer],
        Some(clients) => clients.iter().map(|client| Target::Client(*client)).collect(),
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its name, unique in the scenario.
    pub name: String,
    pub(crate) target: Target,
    pub(crate) lane: Option<LaneId>,
    pub(crate) at: FaultPosition<u64>,
    pub(crate) spec: &'static FaultSpec,
    pub(crate) settings: Settings<u64>,
    pub(crate) always: bool,
}
