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
        Some(0) => Err(Refusal::BadArgument {
            argument: "retention_events",
            message: "it is at least 1",
        }),
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
mod tests {
    use super::{oldest_after_prune, oldest_after_retention, retention_floor};

    #[test]
    fn retention_keeps_the_newest_events() {
        assert_eq!(oldest_after_retention(1, 10, 4), 7);
        assert_eq!(oldest_after_retention(1, 4, 4), 1);
        assert_eq!(oldest_after_retention(1, 10, 10), 1);
    }

    #[test]
    fn keeping_more_again_brings_nothing_back() {
        assert_eq!(oldest_after_retention(7, 10, 100), 7);
        assert_eq!(oldest_after_prune(7, 10, 3), 7);
    }

    #[test]
    fn a_stream_pruned_empty_has_its_floor_at_the_head() {
        assert_eq!(oldest_after_prune(1, 10, u64::MAX), 11);
        assert_eq!(retention_floor(11), 10);
    }

    #[test]
    fn the_floor_of_a_stream_never_pruned_is_0() {
        assert_eq!(retention_floor(1), 0);
        assert_eq!(retention_floor(0), 0);
    }
}
