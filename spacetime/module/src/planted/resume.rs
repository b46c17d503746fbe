//! Defects of the stale check.

use super::{Armed, Around, first_seen};
use crate::grant::caller;
use crate::refusal::{Refusal, Rule, StaleReason};
use crate::resume::db::{Resume, view};
use crate::resume::{StreamView, check_resume};
use crate::stream::Shape;

impl Around for Resume {
    fn around(mut self, armed: &Armed, _rule: Rule<Self>) -> Result<(), Refusal> {
        let caller = caller(armed.ctx)?;
        let asked = self.cursors.len();
        if armed.has("empty-resume-accepted") && asked == 0 {
            return Ok(());
        }
        if armed.has("last-of-two-cursors-counts") {
            let later = |at: usize, id: &str| self.cursors[at + 1..].iter().any(|(later, _)| later == id);
            let kept = (0..asked).filter(|at| !later(*at, &self.cursors[*at].0)).map(|at| self.cursors[at].clone());
            self.cursors = kept.collect();
        }
        if armed.has("stale-check-of-five-streams") {
            self.cursors.truncate(5);
        }
        if armed.has("stale-check-of-the-last-stream") {
            self.cursors.drain(..asked.saturating_sub(1));
        }
        let mut unchecked: Vec<String> = Vec::new();
        for (stream_id, resume_after) in &self.cursors {
            let row = armed.stream(stream_id);
            let count = armed.count(&format!("resumes {stream_id}"));
            let is_unchecked = (armed.has("cursor-0-never-stale") && *resume_after == 0)
                || (armed.has("unknown-stream-accepted") && row.is_none() && !Shape::of(stream_id).is_known())
                || (armed.has("stale-unchecked-after-third-resume") && count > 3)
                || (armed.has("empty-stream-never-stale") && row.is_some_and(|row| row.oldest_seq > row.head_seq));
            if is_unchecked {
                unchecked.push(stream_id.clone());
            }
        }
        if !unchecked.is_empty() {
            self.cursors.retain(|(stream_id, _)| !unchecked.contains(stream_id));
            if self.cursors.is_empty() {
                return Ok(());
            }
        }
        let cursors = self.cursors.clone();
        let lag: u64 = cursors.iter().map(|(stream_id, after)| lag(armed, stream_id, *after)).sum();
        let seen = |stream_id: &str| {
            let cursor = cursors.iter().find(|(asked, _)| asked == stream_id).map_or(0, |(_, after)| *after);
            view(armed.ctx, stream_id).map(|stream| misread(armed, stream_id, cursor, lag, stream))
        };
        let mut outcome = check_resume(&cursors, seen, |stream_id| {
            armed.has("resume-tells-every-head") || caller.may_read(armed.ctx, stream_id)
        });
        if let Err(Refusal::ForbiddenTopic(unknown)) = &mut outcome
            && armed.has("known-streams-forbidden-too")
        {
            *unknown = cursors.iter().map(|(stream_id, _)| stream_id.clone()).collect();
        }
        if let Err(Refusal::StaleCursor(stale)) = &mut outcome {
            if armed.has("only-the-first-stale-named") {
                stale.truncate(1);
            }
            for (nth, stale) in stale.iter_mut().enumerate() {
                let budget = armed.has("reason-of-second-stream-swapped") && nth == 1;
                let both = armed.has("budget-before-floor") && stale.replay_lag > stale.replay_budget_events;
                if both && stale.reason == StaleReason::RetentionFloorBreach {
                    stale.reason = StaleReason::ReplayBudgetExceeded;
                } else if budget {
                    stale.reason = match stale.reason {
                        StaleReason::RetentionFloorBreach => StaleReason::ReplayBudgetExceeded,
                        StaleReason::ReplayBudgetExceeded => StaleReason::RetentionFloorBreach,
                    };
                }
                if armed.has("head-of-second-stale-low") && nth == 1 {
                    stale.head_seq = stale.head_seq.saturating_sub(1);
                }
                if armed.has("stale-reply-without-snapshots") {
                    stale.summary_table = None;
                }
                if armed.has("stale-reply-of-another-tier") {
                    stale.qos_tier = "cold";
                }
            }
        }
        outcome
    }
}

fn lag(armed: &Armed, stream_id: &str, after: u64) -> u64 {
    armed.stream(stream_id).map_or(0, |stream| stream.head_seq.saturating_sub(after))
}

/// A stream as a careless check sees it.
fn misread(armed: &Armed, stream_id: &str, cursor: u64, lag_of_all: u64, stream: StreamView) -> StreamView {
    let mut stream = stream;
    let lag = stream.head_seq.saturating_sub(cursor);
    if armed.has("budget-exclusive-after-change") && armed.note(&format!("changed {stream_id}")).is_some() {
        stream.replay_budget_events = stream.replay_budget_events.saturating_sub(1);
    }
    if armed.has("lag-counted-as-u8") {
        stream.head_seq = cursor + lag % 256;
    }
    if armed.has("budget-of-all-streams") && lag_of_all > stream.replay_budget_events && lag > 0 {
        stream.replay_budget_events = 0;
    }
    if armed.has("budget-counts-what-is-kept") {
        let kept = (stream.head_seq + 1).saturating_sub(stream.oldest_seq);
        stream.head_seq = stream.head_seq.min(cursor + lag.min(kept));
    }
    if armed.has("floor-cached-in-memory") {
        stream.oldest_seq = first_seen(format!("floor {stream_id}"), stream.oldest_seq);
    }
    if armed.has("head-cached-in-memory") {
        stream.head_seq = first_seen(format!("head {stream_id}"), stream.head_seq);
    }
    stream
}
