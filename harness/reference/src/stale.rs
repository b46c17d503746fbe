//! The stale check: whether a cursor may resume, and the refusal where it may not.

use serde_json::{Value, json};

use crate::defects::{Defect, Defects};
use crate::topics::snapshot_source;

/// The events that a server retains of a topic, and how far behind a client may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The oldest retained event, 0 where the topic never had one.
    pub oldest_seq: u64,
    /// The newest event, 0 where there is none.
    pub head_seq: u64,
    /// How many events behind the head a cursor may be.
    pub replay_budget_events: u64,
    pub qos_tier: String,
}

impl Window {
    /// The lowest cursor that can be resumed without a gap.
    pub fn retention_floor(&self) -> u64 {
        self.oldest_seq.saturating_sub(1)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleTopic {
    pub topic: String,
    pub resume_after: u64,
    /// `retention_floor_breach` or `replay_budget_exceeded`.
    pub reason: &'static str,
    pub window: Window,
}

const FLOOR: &str = "retention_floor_breach";
const BUDGET: &str = "replay_budget_exceeded";
const SNAPSHOT_FORMAT: &str = "openagents.sync.snapshot.v1";

/// Why `resume_after` is stale, or `None`: first the retention floor, then the replay budget.
pub fn reason(resume_after: u64, window: &Window, defects: &Defects) -> Option<&'static str> {
    if defects.has(Defect::AcceptStale) {
        return None;
    }
    let slack = u64::from(defects.has(Defect::StaleOffByOne));
    let below_floor = resume_after < window.retention_floor().saturating_sub(slack);
    let lag = window.head_seq.saturating_sub(resume_after);
    let beyond_budget = exceeds(lag, window.replay_budget_events, defects);
    if defects.has(Defect::ZeroNeverStale) && resume_after == 0 {
        return None;
    }
    if defects.has(Defect::WrongStaleReason) && beyond_budget {
        return Some(BUDGET);
    }
    if below_floor {
        Some(FLOOR)
    } else if beyond_budget {
        Some(BUDGET)
    } else {
        None
    }
}

fn exceeds(lag: u64, budget: u64, defects: &Defects) -> bool {
    if defects.has(Defect::LagU8) {
        lag.min(255) > budget
    } else if defects.has(Defect::BudgetZero) && budget == 0 {
        false
    } else if defects.has(Defect::BudgetInclusive) && budget >= 100 {
        lag >= budget
    } else {
        lag > budget
    }
}

/// The payload of the `stale_cursor` error and reply.
pub fn refusal(stale: &[StaleTopic], defects: &Defects) -> Value {
    let mut refusal = honest_refusal(stale);
    let set = |refusal: &mut Value, nth: usize, name: &str, value: Value| refusal["stale_topics"][nth][name] = value;
    for (nth, one) in stale.iter().enumerate() {
        let (window, lag) = (&one.window, one.window.head_seq.saturating_sub(one.resume_after));
        if defects.has(Defect::StaleFloor) && nth == 1 {
            set(&mut refusal, nth, "retention_floor", (window.retention_floor() + 1).into());
        }
        if defects.has(Defect::StaleLag) && lag > 20 {
            set(&mut refusal, nth, "replay_lag", (lag - 1).into());
        }
        if defects.has(Defect::StaleTier) && one.reason == BUDGET {
            set(&mut refusal, nth, "qos_tier", "cold".into());
        }
        if defects.has(Defect::StaleBudget) {
            set(&mut refusal, nth, "replay_budget_events", 10_000.into());
        }
    }
    if defects.has(Defect::StaleResync) && stale.iter().all(|one| one.reason == BUDGET) {
        refusal["full_resync_required"] = false.into();
    }
    if defects.has(Defect::StaleReasonTwice) {
        refusal["reason_codes"] = stale.iter().map(|one| one.reason).collect();
    }
    if defects.has(Defect::PlanWithEvents) {
        refusal["snapshot_plan"]["topics"] = stale.iter().map(|one| json!({"topic": one.topic})).collect();
    }
    refusal
}

fn honest_refusal(stale: &[StaleTopic]) -> Value {
    let mut reason_codes: Vec<&str> = Vec::new();
    for topic in stale {
        if !reason_codes.contains(&topic.reason) {
            reason_codes.push(topic.reason);
        }
    }
    let stale_topics: Vec<Value> = stale
        .iter()
        .map(|one| {
            json!({
                "topic": one.topic,
                "reason": one.reason,
                "qos_tier": one.window.qos_tier,
                "resume_after": one.resume_after,
                "retention_floor": one.window.retention_floor(),
                "head_watermark": one.window.head_seq,
                "replay_lag": one.window.head_seq.saturating_sub(one.resume_after),
                "replay_budget_events": one.window.replay_budget_events,
            })
        })
        .collect();
    let snapshots: Vec<Value> = stale
        .iter()
        .filter_map(|one| {
            snapshot_source(&one.topic).map(|source_table| {
                json!({
                    "topic": one.topic,
                    "head_watermark": one.window.head_seq,
                    "snapshot": {
                        "format": SNAPSHOT_FORMAT,
                        "topic": one.topic,
                        "schema_version": 1,
                        "cadence_seconds": 300,
                        "source_table": source_table,
                    },
                })
            })
        })
        .collect();
    json!({
        "code": "stale_cursor",
        "message": "cursor cannot be resumed",
        "full_resync_required": true,
        "reason_codes": reason_codes,
        "stale_topics": stale_topics,
        "snapshot_plan": {"format": SNAPSHOT_FORMAT, "topics": snapshots},
    })
}

#[cfg(test)]
mod tests;
