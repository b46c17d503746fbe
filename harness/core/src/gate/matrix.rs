//! The verification matrix: what must be proven before the legacy lane may go, and how each row stands.

use serde::{Deserialize, Serialize};

use super::{Outcome, ScenarioVerdict};
use crate::check::Verdict;
use crate::plan::Expectation;

/// Every row, with what must hold.
pub const ROWS: [(&str, &str); 16] = [
    (
        "replay-determinism",
        "same history, same vectors, across reconnects, server restarts and snapshot boundaries",
    ),
    (
        "duplicate-idempotency",
        "repeated frames, repeated publishes, overlapping replays: applied once",
    ),
    (
        "stale-cursor-recovery",
        "refused with the right reason, rebootstrapped, then exactly the log",
    ),
    (
        "cursor-continuity",
        "a legacy cursor carried over resumes at the same event; topic and stream map both ways",
    ),
    (
        "durability-gated-delivery",
        "what a confirmed subscriber saw survives a kill -9",
    ),
    (
        "compatibility-negotiation",
        "every refusal of a join: same code and same window on both lanes",
    ),
    (
        "token-lifecycle",
        "tokens minted, refreshed, expired, revoked and rotated are treated alike",
    ),
    (
        "authorization",
        "nothing is delivered beyond its grants or written beyond its claims; tenants never mix",
    ),
    (
        "presence-handshake",
        "clients are seen while connected, and no longer once gone or killed",
    ),
    (
        "reducer-rules",
        "reducers are idempotent by key, conflicts explicit, seqs gap-free, wrong hashes refused",
    ),
    (
        "bridge-isolation",
        "streams progress whatever the relay does; the outbox drains once and in order",
    ),
    (
        "restore-drill",
        "a restored backup replays to the same vectors; a torn copy is detected",
    ),
    (
        "slow-consumer",
        "a client that does not read is throttled, then dropped, and recovers by replay",
    ),
    (
        "multi-device",
        "one user's devices, coming and going, end with equal state",
    ),
    (
        "recovery-time",
        "bounded time from heal to convergence, per lane, compared",
    ),
    (
        "latency-parity",
        "the candidate's delivery latency is within its budget of the legacy lane's",
    ),
];

/// Whether the matrix has a row of this name.
pub fn is_row(name: &str) -> bool {
    ROWS.iter().any(|(row, _)| *row == name)
}

/// How one row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowVerdict {
    /// The row.
    pub row: String,
    /// What must hold.
    pub meaning: String,
    /// The worst of what its scenarios say; `Unknown` where none proved it.
    pub verdict: Verdict,
    /// The scenarios that name it, in order.
    pub scenarios: Vec<String>,
}

/// How every row stands. A row is valid where at least one honest scenario proved it and every scenario that names it is
/// valid; a known-bad one shows only that the checkers see, and proves nothing.
pub fn rows(scenarios: &[ScenarioVerdict]) -> Vec<RowVerdict> {
    let of_row = |(row, meaning): &(&str, &str)| {
        let naming = || {
            scenarios
                .iter()
                .filter(|scenario| scenario.proves.iter().any(|proven| proven == row))
        };
        let proven =
            naming().any(|scenario| scenario.expect == Expectation::Allow && scenario.outcome == Outcome::Clean);
        let floor = if proven { Verdict::Valid } else { Verdict::Unknown };
        RowVerdict {
            row: (*row).to_owned(),
            meaning: (*meaning).to_owned(),
            verdict: naming().map(|scenario| scenario.verdict).fold(floor, Verdict::max),
            scenarios: naming().map(|scenario| scenario.scenario.clone()).collect(),
        }
    };
    ROWS.iter().map(of_row).collect()
}
