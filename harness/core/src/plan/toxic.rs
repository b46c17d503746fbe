//! Byte toxics: what is done to a connection's bytes, in the words and with the meaning of Toxiproxy 2.x.
#![allow(missing_docs, reason = "the names say it, and `TOXICS` explains each type")]

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, FaultId, LaneId};

/// Which way bytes or messages go. Toxiproxy calls it a toxic's `stream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the lane.
    Upstream,
    /// From the lane to the client.
    Downstream,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Upstream => "upstream",
            Direction::Downstream => "downstream",
        }
    }
}

/// A byte toxic that the plan arms on each connection of a client: from the beginning, or from the step that puts it
/// on, until a step takes it off or the heal phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedToxic {
    /// Its name in the ledger and in findings.
    pub id: FaultId,
    /// The lane that it applies to, or both where `None`.
    pub lane: Option<LaneId>,
    /// The client that it applies to, or [`super::WRITER`].
    pub client: ClientId,
    pub stream: Direction,
    /// The chance that a connection gets it, from 0 to 1; drawn for each connection from the plan's seed.
    pub toxicity: f64,
    pub toxic: ByteToxic,
}

impl PlannedToxic {
    pub fn applies_to(&self, lane: LaneId) -> bool {
        self.lane.is_none_or(|only| only == lane)
    }

    /// How its client reads under it; `None` where that is as usual.
    pub fn reading(&self) -> Option<Reading> {
        self.toxic.reading(self.stream)
    }
}

/// How a client reads that is too slow for its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// It reads nothing, and sends nothing.
    Nothing,
    /// It reads at most [`SLOW_KB`] kilobytes a second, and answers what it reads.
    Slowly,
}

/// A client that gets so many kilobytes a second, or less, reads slowly.
const SLOW_KB: i64 = 32;

/// A toxic's type and attributes. They have Toxiproxy's names and units; what is left out is 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "attributes", rename_all = "snake_case")]
#[rustfmt::skip]
pub enum ByteToxic {
    Latency { #[serde(default)] latency: i64, #[serde(default)] jitter: i64 },
    Bandwidth { #[serde(default)] rate: i64 },
    SlowClose { #[serde(default)] delay: i64 },
    Timeout { #[serde(default)] timeout: i64 },
    ResetPeer { #[serde(default)] timeout: i64 },
    Slicer { #[serde(default)] average_size: i64, #[serde(default)] size_variation: i64, #[serde(default)] delay: i64 },
    LimitData { #[serde(default)] bytes: i64 },
}

#[derive(Debug)]
pub struct ToxicSpec {
    pub name: &'static str,
    pub says: &'static str,
    /// What happens when it is removed from a live connection, for the pages.
    pub removed: &'static str,
    pub ends: bool,
    /// In the order of Toxiproxy's answers.
    pub attributes: &'static [ToxicAttribute],
}

/// What a toxic takes. It is 0 where it is left out. The HTTP API takes any number, as Toxiproxy does; the range is
/// that of scenarios, which need an attribute that can't be 0.
#[derive(Debug)]
pub struct ToxicAttribute {
    pub name: &'static str,
    pub range: (u64, u64),
    pub says: &'static str,
}

const fn of(name: &'static str, least: u64, most: u64, says: &'static str) -> ToxicAttribute {
    ToxicAttribute { name, range: (least, most), says }
}

const MAX_BYTES: u64 = 1_000_000_000;

pub static TOXICS: &[ToxicSpec] = &[
    ToxicSpec {
        name: "latency",
        says: "Each chunk leaves `latency` after it was read, plus or minus up to `jitter`, and never before the one \
               ahead. A delay below 0 is none.",
        removed: "What it holds leaves at once.",
        ends: false,
        attributes: &[of("latency", 0, 1_000, "milliseconds"), of("jitter", 0, 1_000, "milliseconds, more or less")],
    },
    ToxicSpec {
        name: "bandwidth",
        says: "A chunk leaves when this rate allows; if that takes over 100 ms, in pieces of 100 ms. With 0 or less \
               nothing passes, and no more is read.",
        removed: "What it holds leaves at once.",
        ends: false,
        attributes: &[of("rate", 0, MAX_BYTES, "kilobytes (1000 bytes) a second")],
    },
    ToxicSpec {
        name: "slow_close",
        says: "Data passes; the end of the stream is delayed.",
        removed: "A waiting end leaves at once.",
        ends: false,
        attributes: &[of("delay", 1, 10_000, "milliseconds")],
    },
    ToxicSpec {
        name: "timeout",
        says: "All data is lost, and the connection closes when no data came for so long. With 0 or less it stays \
               open.",
        removed: "The connection closes, because the stream has a hole.",
        ends: true,
        attributes: &[of("timeout", 0, 10_000, "milliseconds")],
    },
    ToxicSpec {
        name: "reset_peer",
        says: "The first data is lost, no more is read, and so long after it both sides get an RST. The end of the \
               stream counts as data.",
        removed: "Nothing, before data; after data the RST comes at once.",
        ends: true,
        attributes: &[of("timeout", 0, 10_000, "milliseconds")],
    },
    ToxicSpec {
        name: "slicer",
        says: "A chunk is halved, plus or minus up to `size_variation`, until no piece is longer than \
               `average_size + size_variation` (and one byte); a pause of `delay` follows each piece.",
        removed: "The rest of the chunk leaves at once, in one piece.",
        ends: false,
        attributes: &[
            of("average_size", 1, MAX_BYTES, "bytes"),
            of("size_variation", 0, MAX_BYTES, "bytes, more or less"),
            of("delay", 0, 100_000, "microseconds"),
        ],
    },
    ToxicSpec {
        name: "limit_data",
        says: "The connection closes when so many bytes have passed; the rest is lost. With 0 or less it closes at the \
               first data.",
        removed: "The count is lost.",
        ends: true,
        attributes: &[of("bytes", 1, MAX_BYTES, "bytes")],
    },
];

impl ByteToxic {
    /// A toxic of a type, with the values of its attributes in their order.
    pub fn new(of: &ToxicSpec, values: &[i64]) -> Option<ByteToxic> {
        let attributes: serde_json::Map<_, _> = of
            .attributes
            .iter()
            .zip(values)
            .map(|(attribute, value)| (attribute.name.to_owned(), (*value).into()))
            .collect();
        serde_json::from_value(serde_json::json!({ "type": of.name, "attributes": attributes })).ok()
    }

    pub fn values(&self) -> Vec<i64> {
        let toxic = serde_json::to_value(self).unwrap_or_default();
        let value = |attribute: &ToxicAttribute| toxic["attributes"][attribute.name].as_i64().unwrap_or_default();
        self.spec().attributes.iter().map(value).collect()
    }

    /// How a client reads whose bytes pass this toxic in a direction.
    pub fn reading(&self, stream: Direction) -> Option<Reading> {
        match self {
            ByteToxic::Bandwidth { rate } if stream == Direction::Downstream && *rate <= SLOW_KB => {
                Some(if *rate <= 0 { Reading::Nothing } else { Reading::Slowly })
            }
            _ => None,
        }
    }

    pub fn type_name(&self) -> &'static str {
        self.spec().name
    }

    pub fn spec(&self) -> &'static ToxicSpec {
        &TOXICS[match self {
            ByteToxic::Latency { .. } => 0,
            ByteToxic::Bandwidth { .. } => 1,
            ByteToxic::SlowClose { .. } => 2,
            ByteToxic::Timeout { .. } => 3,
            ByteToxic::ResetPeer { .. } => 4,
            ByteToxic::Slicer { .. } => 5,
            ByteToxic::LimitData { .. } => 6,
        }]
    }
}
