//! The names of things: lanes, streams, positions, clients, operations, seeds.
//!
//! Each is a type of its own so that a cursor can't be passed for a seq, nor a client for a stream.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which of the two lanes: the one being retired, or the one that is to replace it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneId {
    /// The lane being retired: the baseline.
    Legacy,
    Candidate,
}

impl LaneId {
    pub const BOTH: [LaneId; 2] = [LaneId::Legacy, LaneId::Candidate];

    pub fn as_str(self) -> &'static str {
        match self {
            LaneId::Legacy => "legacy",
            LaneId::Candidate => "candidate",
        }
    }

    pub fn other(self) -> LaneId {
        match self {
            LaneId::Legacy => LaneId::Candidate,
            LaneId::Candidate => LaneId::Legacy,
        }
    }
}

/// What a server speaks. It follows from a lane's profile, not from its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Phoenix,
    Spacetime,
    /// One of which no rule of this crate speaks.
    Other,
}

impl Protocol {
    pub fn of(kind: &str) -> Protocol {
        match kind {
            "phoenix" => Protocol::Phoenix,
            "spacetime" => Protocol::Spacetime,
            _ => Protocol::Other,
        }
    }

    /// The protocol of a lane whose profile does not name another one.
    pub fn usual(role: LaneId) -> Protocol {
        match role {
            LaneId::Legacy => Protocol::Phoenix,
            LaneId::Candidate => Protocol::Spacetime,
        }
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a name; what makes one valid is checked where names are read (the scenario).
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }
    };
}

name_type! {
    /// A logical stream, by its legacy topic as the plan writes it (`run:alpha:events`). What a lane calls it on the
    /// wire is the lane's affair: see [`crate::topic`].
    StreamId
}

name_type! {
    ClientId
}

name_type! {
    /// A planned fault, by the name that the ledger and the findings use.
    FaultId
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number_type! {
    /// An event's position in its stream: 1 for the first, without gaps (contract, "Ordering, delivery, replay").
    Seq(u64)
}

number_type! {
    /// The last seq that a client has applied; 0 where it has applied nothing.
    Cursor(u64)
}

number_type! {
    /// A planned operation, numbered from 1 through the whole plan.
    OpId(u32)
}

number_type! {
    /// A connection of one client, numbered from 1 as it opens them.
    ConnId(u32)
}

number_type! {
    /// A subscription of one stream by one client, numbered from 1 through all its connections: each resume starts one.
    SubId(u32)
}

impl Seq {
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl Cursor {
    /// The seq that a client with this cursor expects next.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl From<Seq> for Cursor {
    fn from(seq: Seq) -> Cursor {
        Cursor(seq.0)
    }
}

/// The one number from which a plan draws all its chance. Printed and read in decimal or `0x` hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        let parsed = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => text.parse(),
        };
        parsed.map(Seed).map_err(|_| {
            format!("`{text}` is no seed: give a whole number from 0 to {}, or 0x and hex digits", u64::MAX)
        })
    }
}

#[cfg(test)]
mod tests;
