//! The bridge of a plan, and what its relay does.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

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
