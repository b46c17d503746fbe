//! The verification matrix: the rows that have to be shown before the old lane may go.

use super::judged::{JudgedScenario, MatrixRow, ScenarioOutcome};
use crate::check::Verdict;

/// Every row's name, and what must hold.
pub const ROWS: [(&str, &str); 16] = [
    (
        "replay-determinism",
        "same history, same vectors, across reconnects, server restarts and snapshot boundaries",
    ),
    (
        "duplicate-idempotency",
        "repeated frames, repeated publishes and overlapping replays are applied once",
    ),
    (
        "stale-cursor-recovery",
        "a stale cursor is refused with the right reason, rebootstrapped, and then sees exactly the log",
    ),
    (
        "cursor-continuity",
        "a legacy cursor carried over to the candidate resumes at the same event; topic and stream map both ways",
    ),
    (
        "durability-gated-delivery",
        "what a confirmed subscriber saw survives a kill -9; a lane that cannot promise it says so",
    ),
    (
        "compatibility-negotiation",
        "every refusal of the contract, with the same code and the same window on both lanes",
    ),
    (
        "token-lifecycle",
        "tokens that are minted, refreshed, expired, wrong, revoked or rotated are met alike",
    ),
    (
        "authorization",
        "no stream is delivered beyond its grants, no write goes beyond its claims, tenants never mix",
    ),
    (
        "presence-handshake",
        "two clients connect and both are seen; both go and none is, also after a client was killed",
    ),
    (
        "reducer-rules",
        "the reducers are idempotent by key, their conflicts explicit, seqs gap-free, wrong hashes refused",
    ),
    (
        "bridge-isolation",
        "with the relay down, slow or refusing, streams progress as without it, and the outbox drains once, in order",
    ),
    (
        "restore-drill",
        "a backup restored to a new server replays to the same vectors; a torn copy is detected",
    ),
    (
        "slow-consumer",
        "a client that does not read is throttled, then dropped, slows no other, and recovers by replay",
    ),
    ("multi-device", "one user's devices, coming and going, end with equal state"),
    ("recovery-time", "the time from heal to convergence is bounded, per lane, and compared"),
    (
        "latency-parity",
        "the candidate's delivery latency stays within its budget against the legacy lane's in the same run",
    ),
];

/// The matrix of a run: each row with the worst verdict of the scenarios that prove it. A row that nobody proves is
/// unknown.
///
/// Known-bad scenarios prove that the gate catches a row's break, not that the row holds: they take no part.
pub fn matrix(scenarios: &[JudgedScenario]) -> Vec<MatrixRow> {
    let proving = |row: &str| {
        let honest = scenarios.iter().filter(|scenario| !scenario.known_bad());
        honest.filter(|scenario| scenario.proves.iter().any(|name| name == row)).collect::<Vec<_>>()
    };
    let rows = ROWS.iter().map(|(row, what)| {
        let proving = proving(row);
        MatrixRow {
            row: (*row).to_owned(),
            what: (*what).to_owned(),
            verdict: proving.iter().map(|scenario| verdict_of(scenario)).max().unwrap_or(Verdict::Unknown),
            scenarios: proving.iter().map(|scenario| scenario.name.clone()).collect(),
        }
    });
    rows.collect()
}

fn verdict_of(scenario: &JudgedScenario) -> Verdict {
    match scenario.outcome {
        ScenarioOutcome::Passed => Verdict::Valid,
        ScenarioOutcome::Failed => Verdict::Invalid,
        ScenarioOutcome::Caught | ScenarioOutcome::Unknown | ScenarioOutcome::Missed => Verdict::Unknown,
    }
}
