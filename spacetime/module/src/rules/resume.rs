//! Whether clients' cursors can be resumed.

use super::refusal::Refusal;
use super::retention::retention_floor;

/// A stream as the stale check sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamView {
    /// The oldest event held, or the head's successor where none is.
    pub oldest_seq: u64,
    /// The newest event, 0 where there never was one.
    pub head_seq: u64,
    /// How far behind the head a cursor may be.
    pub replay_budget_events: u64,
    /// The word for the quality of service of the stream's class.
    pub qos_tier: &'static str,
    /// The table that a summary stream's snapshot is read from.
    pub summary_table: Option<&'static str>,
}

/// Why a cursor is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleReason {
    /// Events after the cursor are gone.
    RetentionFloorBreach,
    /// There are more events after the cursor than the stream replays.
    ReplayBudgetExceeded,
}

impl StaleReason {
    /// The legacy lane's word for the reason.
    pub fn word(self) -> &'static str {
        match self {
            Self::RetentionFloorBreach => "retention_floor_breach",
            Self::ReplayBudgetExceeded => "replay_budget_exceeded",
        }
    }
}

/// A cursor that can't be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleStream {
    pub stream_id: String,
    /// The first of the checks that the cursor failed.
    pub reason: StaleReason,
    /// The word for the quality of service of the stream's class.
    pub qos_tier: &'static str,
    pub resume_after: u64,
    pub retention_floor: u64,
    pub head_seq: u64,
    /// How many events the cursor is behind the head.
    pub replay_lag: u64,
    pub replay_budget_events: u64,
    /// The table that a summary stream's snapshot is read from.
    pub summary_table: Option<&'static str>,
}

/// Checks all cursors of a resume, in the order given.
///
/// A cursor beyond the head passes, as it does on the legacy lane. Refusals, checked in this order: `bad_subscription` for no
/// cursors, a blank stream or two cursors for one; `forbidden_topic` for streams that `view` does not know; `stale_cursor`.
pub fn check_resume(cursors: &[(String, u64)], view: impl Fn(&str) -> Option<StreamView>) -> Result<(), Refusal> {
    let cursors = tidy(cursors)?;
    let mut unknown = Vec::new();
    let mut stale = Vec::new();
    for (stream_id, resume_after) in cursors {
        match view(stream_id) {
            Some(stream) => stale.extend(check_cursor(stream_id, resume_after, &stream)),
            None => unknown.push(stream_id.to_owned()),
        }
    }
    if !unknown.is_empty() {
        return Err(Refusal::ForbiddenTopic(unknown));
    }
    if stale.is_empty() { Ok(()) } else { Err(Refusal::StaleCursor(stale)) }
}

/// Trims stream ids and drops repeats.
fn tidy(cursors: &[(String, u64)]) -> Result<Vec<(&str, u64)>, Refusal> {
    let mut tidied: Vec<(&str, u64)> = Vec::new();
    for (stream_id, resume_after) in cursors {
        let stream_id = stream_id.trim();
        match tidied.iter().find(|(seen, _)| *seen == stream_id) {
            Some((_, seen_cursor)) if seen_cursor == resume_after => {}
            Some(_) => return Err(Refusal::BadSubscription),
            None if stream_id.is_empty() => return Err(Refusal::BadSubscription),
            None => tidied.push((stream_id, *resume_after)),
        }
    }
    if tidied.is_empty() { Err(Refusal::BadSubscription) } else { Ok(tidied) }
}

fn check_cursor(stream_id: &str, resume_after: u64, stream: &StreamView) -> Option<StaleStream> {
    let floor = retention_floor(stream.oldest_seq);
    let replay_lag = stream.head_seq.saturating_sub(resume_after);
    let reason = if resume_after < floor {
        StaleReason::RetentionFloorBreach
    } else if replay_lag > stream.replay_budget_events {
        StaleReason::ReplayBudgetExceeded
    } else {
        return None;
    };
    Some(StaleStream {
        stream_id: stream_id.to_owned(),
        reason,
        qos_tier: stream.qos_tier,
        resume_after,
        retention_floor: floor,
        head_seq: stream.head_seq,
        replay_lag,
        replay_budget_events: stream.replay_budget_events,
        summary_table: stream.summary_table,
    })
}

#[cfg(test)]
mod tests;
