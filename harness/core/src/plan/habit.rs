//! How the legacy clients that are out there reconnect, by the version of npm `phoenix`.
#![allow(missing_docs, reason = "the names say it")]

use super::Serializer;

/// The waits before each attempt in a row, in milliseconds: those of the list, and then always the last one. An attempt
/// that opens begins the list anew. There is no jitter.
#[derive(Debug, PartialEq, Eq)]
pub struct Habit {
    pub name: &'static str,
    pub serializer: Serializer,
    /// Before a reconnect of the socket.
    pub reconnect_ms: &'static [u64],
    /// Before a channel that crashed is joined again.
    pub rejoin_ms: &'static [u64],
    /// The code of a close after which the client does not reconnect.
    pub stays_away_after: Option<u16>,
}

const FAST: &[u64] = &[10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000];
const REJOIN: &[u64] = &[1000, 2000, 5000, 10_000];

/// Up to 1.8.15, a client takes a close with 1000 for its own. All of them leave a channel for good that the server
/// closes (`phx_close`).
pub const HABITS: &[Habit] = &[
    habit("phoenix-1.2.1", Serializer::V1, REJOIN, None),
    habit("phoenix-1.8.15", Serializer::V2, FAST, Some(1000)),
    habit("phoenix-1.8.16", Serializer::V2, FAST, None),
];

const fn habit(
    name: &'static str,
    serializer: Serializer,
    reconnect_ms: &'static [u64],
    stays_away_after: Option<u16>,
) -> Habit {
    Habit { name, serializer, reconnect_ms, rejoin_ms: REJOIN, stays_away_after }
}

pub fn habit_of(name: &str) -> Option<&'static Habit> {
    HABITS.iter().find(|habit| habit.name == name)
}
