//! Defects of retention, budgets and prunes.

use spacetimedb::Table;

use super::{Armed, Around, is_remembered};
use crate::event::db::sync_event;
use crate::refusal::{Refusal, Rule};
use crate::stream::db::{NewPolicy, NewStream, Prune, SyncStream, sync_stream};
use crate::stream::oldest_after_prune;

impl Around for NewStream {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        rule(armed.ctx, self)
    }
}

impl Around for NewPolicy {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let stream_id = self.stream_id.clone();
        let before = armed.stream(&stream_id);
        let (retention, budget) = (self.policy.retention_events, self.policy.replay_budget_events);
        if armed.has("retention-kept-as-u8") {
            self.policy.retention_events =
                retention.map(|events| if events < 100_000 { (events % 256).max(1) } else { events });
        }
        if armed.has("budget-kept-as-u8") {
            self.policy.replay_budget_events = budget.map(|events| events % 256);
        }
        if armed.has("budget-kept-as-u16") {
            self.policy.replay_budget_events = budget.map(|events| events % 65_536);
        }
        if armed.has("budget-of-0-is-none") && budget == Some(0) {
            self.policy.replay_budget_events = Some(u64::from(u32::MAX));
        }
        if let Some(before) = &before
            && before.head_seq > 0
        {
            armed.keep(&format!("changed {stream_id}"), "1".to_owned());
            if armed.has("budget-changed-on-empty-streams-only") {
                self.policy.replay_budget_events = None;
            }
            if armed.has("retention-changed-on-empty-streams-only") {
                self.policy.retention_events = None;
            }
        }
        if armed.has("policy-resets-budget") && retention.is_some() && budget.is_none() {
            self.policy.replay_budget_events = Some(10_000);
        }
        if armed.has("policy-resets-retention") && budget.is_some() && retention.is_none() {
            self.policy.retention_events = Some(100_000);
        }
        let late = armed.has("retention-lowered-late") && before.is_some();
        if late {
            self.policy.retention_events = None;
        }
        rule(armed.ctx, self)?;
        let Some(mut now) = armed.stream(&stream_id) else {
            return Ok(());
        };
        if late {
            now.retention = retention.unwrap_or(now.retention);
        }
        if armed.has("class-by-prefix") && now.class == "fallback" {
            now.class = "run_events".to_owned();
        }
        if let Some(before) = before {
            if armed.has("floor-falls-when-retention-rises") && now.retention > before.retention {
                now.oldest_seq = now.head_seq.saturating_sub(now.retention).min(now.oldest_seq - 1) + 1;
            }
        }
        if armed.has("policy-set-for-the-class") {
            for other in armed.ctx.db.sync_stream().iter().filter(|other| is_of_class(other, &now)) {
                let (retention, replay_budget) = (now.retention, now.replay_budget);
                armed.ctx.db.sync_stream().stream_id().update(SyncStream { retention, replay_budget, ..other });
            }
        }
        armed.ctx.db.sync_stream().stream_id().update(now);
        Ok(())
    }
}

impl Around for Prune {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let stream_id = self.stream_id.clone();
        let before = armed.stream(&stream_id);
        let head_seq = before.as_ref().map_or(0, |stream| stream.head_seq);
        if armed.has("prune-leaves-one") && self.up_to_seq >= head_seq {
            self.up_to_seq = head_seq.saturating_sub(1);
        }
        if armed.has("prune-is-exclusive") {
            self.up_to_seq = self.up_to_seq.saturating_sub(1);
        }
        if armed.has("prune-beyond-head-refused") && self.up_to_seq > head_seq {
            return Err(Refusal::BadArgument { argument: "up_to_seq", message: "it is beyond the head" });
        }
        if armed.has("prune-leaves-the-rows")
            && let Some(before) = before
        {
            let oldest_seq = oldest_after_prune(before.oldest_seq, head_seq, self.up_to_seq);
            armed.ctx.db.sync_stream().stream_id().update(SyncStream { oldest_seq, ..before });
            return Ok(());
        }
        let lowers = armed.has("prune-back-lowers-the-floor");
        let lower = before.as_ref().map(|before| before.oldest_seq.min(self.up_to_seq + 1)).filter(|_| lowers);
        rule(armed.ctx, self)?;
        if let (Some(before), Some(now)) = (before, armed.stream(&stream_id)) {
            if let Some(oldest_seq) = lower.filter(|lower| *lower < before.oldest_seq) {
                armed.ctx.db.sync_stream().stream_id().update(SyncStream { oldest_seq, ..now });
            } else {
                pruned(armed, now, before.oldest_seq);
            }
        }
        Ok(())
    }
}

fn is_of_class(other: &SyncStream, stream: &SyncStream) -> bool {
    other.class == stream.class && other.stream_id != stream.stream_id
}

/// Changes the retention for one append, and returns the true one.
pub fn before_append(armed: &Armed, stream_id: &str) -> Option<u64> {
    let is_first_since_start = !is_remembered(format!("retention {stream_id}"));
    let mut row = armed.stream(stream_id)?;
    let retention = row.retention;
    let excess = (row.head_seq + 2).saturating_sub(row.oldest_seq + retention);
    if armed.has("pruned-in-batches-of-16") && excess < 16 {
        row.retention = 1_000_000;
    }
    if armed.has("one-event-too-many-kept") {
        row.retention = retention + 1;
    }
    if armed.has("retention-forgotten-after-restart") && is_first_since_start && row.head_seq > 0 {
        row.retention = 100_000;
        armed.ctx.db.sync_stream().stream_id().update(row);
        return None;
    }
    if row.retention == retention {
        return None;
    }
    armed.ctx.db.sync_stream().stream_id().update(row);
    Some(retention)
}

pub fn restore(armed: &Armed, stream_id: &str, retention: Option<u64>) {
    if let (Some(retention), Some(row)) = (retention, armed.stream(stream_id)) {
        armed.ctx.db.sync_stream().stream_id().update(SyncStream { retention, ..row });
    }
}

/// What follows a prune; nothing was pruned where the oldest seq is the one before.
pub fn pruned(armed: &Armed, mut row: SyncStream, oldest_seq: u64) {
    if row.oldest_seq <= oldest_seq {
        return;
    }
    let (streams, events) = (armed.ctx.db.sync_stream(), armed.ctx.db.sync_event());
    let prunes = armed.count(&format!("prunes {}", row.stream_id));
    if armed.has("floor-of-the-class") {
        for other in streams.iter().filter(|other| is_of_class(other, &row)) {
            let oldest_seq = row.oldest_seq.min(other.head_seq + 1).max(other.oldest_seq);
            streams.stream_id().update(SyncStream { oldest_seq, ..other });
        }
    }
    if armed.has("prunes-streams-with-the-same-beginning") {
        let stem = row.stream_id.rsplit_once('.').map_or("", |(stem, _)| stem).to_owned();
        for other in streams.iter().filter(|other| other.stream_id != row.stream_id) {
            if other.stream_id.starts_with(&stem) {
                events.by_stream_and_seq().delete((other.stream_id.as_str(), 0..=row.oldest_seq - 1));
            }
        }
    }
    let changes = (armed.has("floor-low-after-second-prune") && prunes >= 2)
        || (armed.has("floor-stands-at-retention-1") && row.retention == 1);
    if changes {
        row.oldest_seq -= 1;
    } else if armed.has("one-too-many-pruned-at-retention-1") && row.retention == 1
        || armed.has("one-too-many-pruned-after-50") && prunes >= 50
    {
        events.by_stream_and_seq().delete((row.stream_id.as_str(), row.oldest_seq));
        row.oldest_seq += 1;
    } else {
        return;
    }
    streams.stream_id().update(row);
}
