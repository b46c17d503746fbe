//! Which events a stream still holds.

use super::refusal::Refusal;

/// Says which event is the oldest once retention was applied: the seq after the newest one that goes.
///
/// `oldest_seq` never falls. Where no event is left it is `head_seq + 1`, so that the retention floor is the head.
#[must_use]
pub fn oldest_after_retention(oldest_seq: u64, head_seq: u64, retention_events: u64) -> u64 {
    oldest_seq.max(head_seq.saturating_sub(retention_events) + 1)
}

/// Refuses a retention of no events: what empties a stream is a prune.
///
/// # Errors
/// `bad_argument` for a retention of 0.
pub fn check_retention(retention_events: Option<u64>) -> Result<(), Refusal> {
    match retention_events {
        Some(0) => Err(Refusal::BadArgument { argument: "retention_events", message: "it is at least 1" }),
        _ => Ok(()),
    }
}

/// Says which event is the oldest once all up to `up_to_seq` are gone; beyond the head there is nothing to remove.
#[must_use]
pub fn oldest_after_prune(oldest_seq: u64, head_seq: u64, up_to_seq: u64) -> u64 {
    oldest_seq.max(up_to_seq.min(head_seq) + 1)
}

/// The lowest cursor that can still be resumed: one below the oldest event.
#[must_use]
pub fn retention_floor(oldest_seq: u64) -> u64 {
    oldest_seq.saturating_sub(1)
}

#[cfg(test)]
mod tests;
