//! The bridge of a plan, and what its relay does.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use crate::matrix::Part;

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

/// How often a relay must have gone down to count as one that comes and goes.
const FLAPS: u32 = 2;

/// A relay at one moment, and the way to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RelayState {
    pub down: bool,
    /// How often it went down so far.
    pub kills: u32,
    /// Whether a toxic slows its connections.
    pub slowed: bool,
    pub answers: Mood,
}

impl RelayState {
    /// What events that are published and delivered meanwhile show.
    pub fn shows(self) -> impl Iterator<Item = Part> {
        let RelayState { down, kills, slowed, answers } = self;
        let parts = [
            (down, Part::RelayDown),
            (down && kills >= FLAPS, Part::RelayFlapping),
            (slowed, Part::RelaySlow),
            (matches!(answers, Mood::Limiting | Mood::Failing), Part::RelayRefusing),
            (answers == Mood::Blocking, Part::RelayBlocking),
            (answers == Mood::Silent, Part::RelaySilent),
            (answers == Mood::Garbling, Part::RelayGarbling),
        ];
        parts.into_iter().filter(|(shown, _)| *shown).map(|(_, part)| part)
    }
}

/// The name of the bridge where clients are named, as in a toxic on its connections to the relay.
pub const BRIDGE: &str = "bridge";
