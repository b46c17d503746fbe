//! Which events a stream still holds.

use super::refusal::Refusal;

/// The oldest event once retention was applied: the successor of the newest one that is removed.
///
/// `oldest_seq` never falls. Where no event is left it is `head_seq + 1`, so that the retention floor is the head.
pub fn oldest_after_retention(oldest_seq: u64, head_seq: u64, retention_events: u64) -> u64 {
    oldest_seq.max(head_seq.saturating_sub(retention_events) + 1)
}

/// Refuses a retention of no events: a stream is emptied by a prune.
pub fn check_retention(retention_events: Option<u64>) -> Result<(), Refusal> {
    match retention_events {
        Some(0) => Err(Refusal::BadArgument { argument: "retention_events", message: "it is at least 1" }),
        _ => Ok(()),
    }
}

/// The oldest event once all up to `up_to_seq` are removed.
pub fn oldest_after_prune(oldest_seq: u64, head_seq: u64, up_to_seq: u64) -> u64 {
    oldest_seq.max(up_to_seq.min(head_seq) + 1)
}

/// The lowest cursor that can still be resumed: one below the oldest event.
pub fn retention_floor(oldest_seq: u64) -> u64 {
    oldest_seq.saturating_sub(1)
}

#[cfg(test)]
mod tests;
