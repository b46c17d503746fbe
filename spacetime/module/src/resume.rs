//! Resumes: the stale check of clients' cursors, and the reducer.

use crate::refusal::{Refusal, StaleReason, StaleStream};
use crate::stream::retention_floor;

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

/// Checks all cursors of a resume, in the order given.
///
/// A cursor beyond the head passes, as it does on the legacy lane. Refusals, checked in this order: `bad_subscription`
/// for no cursors, a blank stream or two cursors for one; `forbidden_topic` for streams that `view` does not know, or
/// else for those that are not granted; `stale_cursor`.
pub fn check_resume(
    cursors: &[(String, u64)],
    view: impl Fn(&str) -> Option<StreamView>,
    may_read: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let cursors = tidy(cursors)?;
    let (mut unknown, mut not_granted, mut stale) = (Vec::new(), Vec::new(), Vec::new());
    for (stream_id, resume_after) in cursors {
        match view(stream_id) {
            Some(_) if !may_read(stream_id) => not_granted.push(stream_id.to_owned()),
            Some(stream) => stale.extend(check_cursor(stream_id, resume_after, &stream)),
            None => unknown.push(stream_id.to_owned()),
        }
    }
    if !unknown.is_empty() {
        return Err(Refusal::ForbiddenTopic(unknown));
    }
    if !not_granted.is_empty() {
        return Err(Refusal::ForbiddenTopic(not_granted));
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

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, SpacetimeType, reducer};

    use super::{StreamView, check_resume};
    use crate::grant::caller;
    use crate::refusal::{Answer, Refusal, answer};
    use crate::stream::db::sync_stream;
    use crate::stream::{Shape, class_defaults};

    /// One cursor of a resume.
    #[derive(SpacetimeType)]
    pub struct StreamCursor {
        pub stream_id: String,
        /// The last seq that the client has applied.
        pub resume_after: u64,
    }

    /// Answers whether these cursors can be resumed: nothing is written, and success means that none is stale.
    #[reducer]
    fn resume_stream(ctx: &ReducerContext, cursors: Vec<StreamCursor>) -> Answer {
        let cursors = cursors.into_iter().map(|cursor| (cursor.stream_id, cursor.resume_after)).collect();
        answer(ctx, Resume { cursors }, resume)
    }

    pub struct Resume {
        pub cursors: Vec<(String, u64)>,
    }

    fn resume(ctx: &ReducerContext, Resume { cursors }: Resume) -> Result<(), Refusal> {
        let caller = caller(ctx)?;
        check_resume(&cursors, |stream_id| view(ctx, stream_id), |stream_id| caller.may_read(ctx, stream_id))
    }

    /// A stream as the checks see it; one that its shape makes known is empty until something is written to it.
    pub fn view(ctx: &ReducerContext, stream_id: &str) -> Option<StreamView> {
        let shape = Shape::of(stream_id);
        let summary_table = shape.summary_table();
        let existing = ctx.db.sync_stream().stream_id().find(stream_id.to_owned());
        if let Some(stream) = existing {
            return Some(StreamView {
                oldest_seq: stream.oldest_seq,
                head_seq: stream.head_seq,
                replay_budget_events: stream.replay_budget,
                qos_tier: class_defaults(&stream.class).qos_tier,
                summary_table,
            });
        }
        let defaults = class_defaults(shape.class());
        shape.is_known().then_some(StreamView {
            oldest_seq: 1,
            head_seq: 0,
            replay_budget_events: defaults.replay_budget_events,
            qos_tier: defaults.qos_tier,
            summary_table,
        })
    }
}

#[cfg(test)]
mod tests;
