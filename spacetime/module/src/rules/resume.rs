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
    #[must_use]
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
    /// The stream.
    pub stream_id: String,
    /// The first of the checks that the cursor failed.
    pub reason: StaleReason,
    /// The word for the quality of service of the stream's class.
    pub qos_tier: &'static str,
    /// The cursor.
    pub resume_after: u64,
    /// The lowest cursor that retention allows.
    pub retention_floor: u64,
    /// The stream's head.
    pub head_seq: u64,
    /// How many events the cursor is behind the head.
    pub replay_lag: u64,
    /// How many it may be.
    pub replay_budget_events: u64,
    /// The table that a summary stream's snapshot is read from.
    pub summary_table: Option<&'static str>,
}

/// Checks all cursors of a resume, in the order given.
///
/// A cursor beyond the head passes, as it does on the legacy lane.
///
/// # Errors
/// `bad_subscription` for no cursors, a blank stream or two cursors for one; then `forbidden_topic` for the streams that
/// `view` does not know; then `stale_cursor` for all that are stale.
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
    if stale.is_empty() {
        Ok(())
    } else {
        Err(Refusal::StaleCursor(stale))
    }
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
    if tidied.is_empty() {
        Err(Refusal::BadSubscription)
    } else {
        Ok(tidied)
    }
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
mod tests {
    use super::{StreamView, check_resume};
    use crate::rules::canonical::canonical;
    use crate::rules::refusal::Refusal;

    /// Two streams: `e` holds 8 to 20, `s`, a summary stream, holds 5 to 6; both replay at most 10 events.
    fn view(stream_id: &str) -> Option<StreamView> {
        let (oldest_seq, head_seq, summary_table) = match stream_id {
            "e" => (8, 20, None),
            "s" => (5, 6, Some("runtime.sync_run_summaries")),
            _ => return None,
        };
        Some(StreamView {
            oldest_seq,
            head_seq,
            replay_budget_events: 10,
            qos_tier: "warm",
            summary_table,
        })
    }

    fn resume(cursors: &[(&str, u64)]) -> Result<(), Refusal> {
        let cursors: Vec<_> = cursors
            .iter()
            .map(|(stream_id, cursor)| ((*stream_id).to_owned(), *cursor))
            .collect();
        check_resume(&cursors, view)
    }

    fn reasons(cursors: &[(&str, u64)]) -> Vec<&'static str> {
        match resume(cursors) {
            Err(Refusal::StaleCursor(stale)) => stale.iter().map(|stream| stream.reason.word()).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_cursor_at_the_floor_is_resumed_and_one_below_is_not() {
        assert_eq!(resume(&[("s", 4)]), Ok(()));
        assert_eq!(reasons(&[("s", 3)]), ["retention_floor_breach"]);
    }

    #[test]
    fn a_lag_of_the_budget_is_resumed_and_one_more_is_not() {
        assert_eq!(resume(&[("e", 10)]), Ok(()));
        assert_eq!(reasons(&[("e", 9)]), ["replay_budget_exceeded"]);
    }

    #[test]
    fn the_floor_is_checked_before_the_budget() {
        assert_eq!(reasons(&[("e", 6)]), ["retention_floor_breach"]);
        assert_eq!(reasons(&[("e", 7)]), ["replay_budget_exceeded"]);
    }

    #[test]
    fn a_cursor_beyond_the_head_is_resumed() {
        assert_eq!(resume(&[("e", 21), ("s", u64::MAX)]), Ok(()));
    }

    #[test]
    fn unknown_streams_are_refused_before_stale_ones_and_alone() {
        let refused = resume(&[("nope", 0), ("e", 0), ("neither", 1)]);
        assert_eq!(
            refused,
            Err(Refusal::ForbiddenTopic(vec!["nope".to_owned(), "neither".to_owned()]))
        );
    }

    #[test]
    fn a_resume_of_nothing_or_of_two_cursors_for_one_stream_is_refused() {
        assert_eq!(resume(&[]), Err(Refusal::BadSubscription));
        assert_eq!(resume(&[(" ", 1)]), Err(Refusal::BadSubscription));
        assert_eq!(resume(&[("e", 15), ("e ", 16)]), Err(Refusal::BadSubscription));
        assert_eq!(resume(&[("e", 15), (" e", 15)]), Ok(()));
    }

    #[test]
    fn the_stale_reply_names_each_stream_and_each_reason_once() {
        let Err(refusal) = resume(&[("e", 9), ("s", 1), ("e ", 9)]) else {
            panic!("resumed")
        };
        let expect = concat!(
            r#"{"code":"stale_cursor","full_resync_required":true,"message":"cursor cannot be resumed","#,
            r#""reason_codes":["replay_budget_exceeded","retention_floor_breach"],"#,
            r#""snapshot_plan":{"format":"openagents.sync.snapshot.v1","topics":[{"head_watermark":6,"snapshot":"#,
            r#"{"cadence_seconds":300,"format":"openagents.sync.snapshot.v1","schema_version":1,"#,
            r#""source_table":"runtime.sync_run_summaries","topic":"s"},"topic":"s"}]},"#,
            r#""stale_topics":[{"head_watermark":20,"qos_tier":"warm","reason":"replay_budget_exceeded","#,
            r#""replay_budget_events":10,"replay_lag":11,"resume_after":9,"retention_floor":7,"topic":"e"},"#,
            r#"{"head_watermark":6,"qos_tier":"warm","reason":"retention_floor_breach","#,
            r#""replay_budget_events":10,"replay_lag":5,"resume_after":1,"retention_floor":4,"topic":"s"}]}"#,
        );
        assert_eq!(canonical(&refusal.to_json()).as_deref(), Ok(expect));
    }
}
