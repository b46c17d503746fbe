//! How an operation ended, and how a lane refuses.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::connection::Closed;
use crate::ids::{Seq, StreamId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Completion {
    /// The lane did it.
    Ok { outcome: Outcome },
    /// The lane refused, and did nothing.
    Fail { refusal: Refusal },
    /// Nothing was done: the operation was not sent, or the lane asked to come back later, as with HTTP 429.
    Later { why: String },
    /// The lane said that it did it, and what it is to have written is not there.
    Unwritten { why: String },
    /// It is unknown whether the lane did it.
    Info { why: String },
}

/// What a lane answers to an operation that it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    Published {
        seq: Seq,
        /// Whether the lane says that it had it already; `None` where the lane does not say.
        duplicate: Option<bool>,
        /// The fields of the answer that have another value than what was sent asks for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differs: Vec<Differs>,
    },
    /// The events up to this one are gone.
    Pruned { up_to: Seq },
    /// Something came of these streams and of no other.
    Seen {
        streams: Vec<StreamId>,
        /// How the lane ended a connection that was kept; `None` where it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Closed>,
    },
    /// The rows that a query gave, in the form of the plan.
    Rows { rows: String },
    /// The lane has no such call, so nothing was sent.
    NotOffered,
    /// Anything else.
    Done,
}

/// A value that is not the one that what was sent before asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differs {
    /// A field of an answer, or a column of a row.
    pub field: String,
    pub expected: String,
    pub got: String,
}

impl Differs {
    pub fn new(field: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Differs {
        Differs { field: field.into(), expected: expected.into(), got: got.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refusal {
    /// The code, such as `stale_cursor`, `idempotency_conflict`.
    pub code: String,
    /// `reason_codes`, in the lane's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// `stale_topics`, streams by their logical names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<StaleStream>,
    /// `full_resync_required`, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_resync: Option<bool>,
    /// `format` of the `snapshot_plan`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_format: Option<String>,
    /// `topics` of the `snapshot_plan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<Snapshot>,
    /// `forbidden_topics`, as they stood on the wire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<String>,
    /// Its whole numbers by their names, such as `expected` and `actual` of a `sequence_conflict`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, u64>,
    /// What it tells of the clients that are let in, each value as JSON; `own` for the lane's own protocol version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub window: BTreeMap<String, String>,
    /// The lane's own message, for people; never judged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Stands for the reason of a stale cursor where the service tells none.
pub const UNSAID: &str = "unsaid";

/// One entry of `stale_topics` (contract, "Ordering, delivery, replay").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleStream {
    pub stream: StreamId,
    /// `retention_floor_breach` or `replay_budget_exceeded`; [`UNSAID`] where the service does not tell it.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos_tier: Option<String>,
    pub resume_after: Option<u64>,
    /// The seq before the oldest one that is retained.
    pub retention_floor: Option<u64>,
    pub head_watermark: Option<u64>,
    /// Head less cursor.
    pub replay_lag: Option<u64>,
    /// The budget that the lag was compared with.
    pub replay_budget_events: Option<u64>,
}

impl StaleStream {
    /// A stream of which nothing else is told.
    pub fn of(stream: StreamId) -> StaleStream {
        let reason = UNSAID.to_owned();
        let (qos_tier, resume_after, retention_floor, head_watermark) = (None, None, None, None);
        let (replay_lag, replay_budget_events) = (None, None);
        StaleStream {
            stream,
            reason,
            qos_tier,
            resume_after,
            retention_floor,
            head_watermark,
            replay_lag,
            replay_budget_events,
        }
    }
}

/// One entry of the topics of a `snapshot_plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub stream: StreamId,
    pub head_watermark: Option<u64>,
    /// Whether its `snapshot` is an object.
    pub described: bool,
}
