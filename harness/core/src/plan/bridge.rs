//! The bridge of a plan, and what its relay does.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use super::{Plan, STREAM, Step};
use crate::hash::sha256;
use crate::ids::{OpId, StreamId};

/// A scenario has a bridge from the candidate's outbox to a relay. Each event that it publishes is put into the outbox,
/// too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bridge {
    /// Defects that the bridge is started with; empty in an honest scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<String>,
}

/// The processes beside a lane's own server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    Relay,
    Bridge,
}

impl Beside {
    pub fn as_str(self) -> &'static str {
        match self {
            Beside::Relay => "relay",
            Beside::Bridge => "bridge",
        }
    }
}

/// How the relay answers events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mood {
    /// It judges and keeps them.
    #[default]
    Well,
    /// Its write policy refuses them for good: `blocked`.
    Blocking,
    /// It refuses them for now: `rate-limited`.
    Limiting,
    /// It refuses them for now: `error`.
    Failing,
    /// It keeps them, and no answer comes.
    Silent,
    /// It does not keep them, and sends texts that are no answers.
    Garbling,
}

impl Mood {
    pub const WORDS: [(&'static str, Mood); 6] = [
        ("well", Mood::Well),
        ("blocking", Mood::Blocking),
        ("limiting", Mood::Limiting),
        ("failing", Mood::Failing),
        ("silent", Mood::Silent),
        ("garbling", Mood::Garbling),
    ];
}

/// The name of the bridge where clients are named, as in a toxic on its connections to the relay.
pub const BRIDGE: &str = "bridge";

/// The reducer that puts an event into the outbox.
pub const ENQUEUE: &str = "enqueue_bridge_event";

/// An event that a plan puts into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued<'a> {
    pub op: OpId,
    pub stream: &'a StreamId,
    pub key: String,
    /// `sha256:` of its payload's text.
    pub content: String,
}

/// The events that a plan puts into the outbox, in their order.
pub fn enqueued(plan: &Plan) -> impl Iterator<Item = Enqueued<'_>> {
    let steps = plan.cases.iter().flat_map(|case| &case.steps);
    steps.filter_map(|step| match step {
        Step::Call { op, stream, reducer, args, refused: None } if reducer == ENQUEUE => {
            let args: Vec<String> = serde_json::from_str(args).ok()?;
            let [key, _, payload, _] = args.as_slice() else { return None };
            let key = key.replace(STREAM, stream.as_str());
            Some(Enqueued { op: *op, stream, key, content: sha256(payload.as_bytes()) })
        }
        _ => None,
    })
}
