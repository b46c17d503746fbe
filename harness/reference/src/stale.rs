//! The stale check: whether a cursor may resume, and what a client is told where it may not.

use serde_json::{Value, json};

use crate::{
    defects::{Defect, Defects},
    topics::snapshot_source,
};

/// What a server still has of a topic, and how far behind it lets a client be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The oldest retained event, 0 where the topic never had one.
    pub oldest_seq: u64,
    /// The newest event, 0 where there is none.
    pub head_seq: u64,
    /// How many events behind the head a cursor may be.
    pub replay_budget_events: u64,
    /// The tier that a refusal names.
    pub qos_tier: String,
}

impl Window {
    /// The lowest cursor that can be resumed without a gap.
    #[must_use]
    pub fn retention_floor(&self) -> u64 {
        self.oldest_seq.saturating_sub(1)
    }
}

/// One cursor that cannot be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleTopic {
    /// The topic.
    pub topic: String,
    /// The cursor.
    pub resume_after: u64,
    /// `retention_floor_breach` or `replay_budget_exceeded`.
    pub reason: &'static str,
    /// What it was checked against.
    pub window: Window,
}

const FLOOR: &str = "retention_floor_breach";
const BUDGET: &str = "replay_budget_exceeded";
const SNAPSHOT_FORMAT: &str = "openagents.sync.snapshot.v1";

/// Why `resume_after` is stale, or `None`: first the retention floor, then the replay budget.
#[must_use]
pub fn reason(resume_after: u64, window: &Window, defects: &Defects) -> Option<&'static str> {
    if defects.has(Defect::AcceptStale) {
        return None;
    }
    let slack = u64::from(defects.has(Defect::StaleOffByOne));
    let below_floor = resume_after < window.retention_floor().saturating_sub(slack);
    let beyond_budget = window.head_seq.saturating_sub(resume_after) > window.replay_budget_events;
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

/// The payload of the `stale_cursor` error and reply.
#[must_use]
pub fn refusal(stale: &[StaleTopic]) -> Value {
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
mod tests {
    use super::*;

    fn window(oldest_seq: u64, head_seq: u64, replay_budget_events: u64) -> Window {
        Window {
            oldest_seq,
            head_seq,
            replay_budget_events,
            qos_tier: "warm".to_owned(),
        }
    }

    #[test]
    fn a_cursor_at_the_floor_resumes_and_one_below_does_not() {
        let window = window(8, 10, 100);
        assert_eq!(reason(7, &window, &Defects::none()), None);
        assert_eq!(reason(6, &window, &Defects::none()), Some(FLOOR));
        assert_eq!(reason(0, &window, &Defects::none()), Some(FLOOR));
    }

    #[test]
    fn a_lag_of_the_budget_resumes_and_one_more_does_not() {
        let window = window(1, 10, 4);
        assert_eq!(reason(6, &window, &Defects::none()), None);
        assert_eq!(reason(5, &window, &Defects::none()), Some(BUDGET));
    }

    #[test]
    fn the_floor_is_checked_before_the_budget() {
        let both = window(8, 10, 1);
        assert_eq!(reason(6, &both, &Defects::none()), Some(FLOOR));
        assert_eq!(reason(7, &both, &Defects::none()), Some(BUDGET));
    }

    #[test]
    fn a_cursor_beyond_the_head_is_not_stale_and_an_empty_topic_has_floor_zero() {
        assert_eq!(reason(99, &window(8, 10, 1), &Defects::none()), None);
        assert_eq!(reason(0, &window(0, 0, 0), &Defects::none()), None);
    }

    #[test]
    fn each_planted_defect_errs_in_its_own_way() -> Result<(), crate::defects::UnknownDefect> {
        let both = window(8, 10, 1);
        assert_eq!(reason(0, &both, &Defects::parse("accept-stale")?), None);
        assert_eq!(reason(0, &both, &Defects::parse("wrong-stale-reason")?), Some(BUDGET));
        assert_eq!(
            reason(6, &window(8, 10, 100), &Defects::parse("stale-off-by-one")?),
            None
        );
        assert_eq!(
            reason(5, &window(8, 10, 100), &Defects::parse("stale-off-by-one")?),
            Some(FLOOR)
        );
        Ok(())
    }

    #[test]
    fn reasons_are_unique_and_only_summary_topics_are_in_the_plan() {
        let stale = |topic: &str| StaleTopic {
            topic: topic.to_owned(),
            resume_after: 1,
            reason: FLOOR,
            window: window(8, 10, 100),
        };
        let value = refusal(&[stale("run:r1:events"), stale("runtime.run_summaries")]);
        assert_eq!(value["reason_codes"], json!([FLOOR]));
        assert_eq!(value["stale_topics"].as_array().map(Vec::len), Some(2));
        assert_eq!(value["snapshot_plan"]["topics"].as_array().map(Vec::len), Some(1));
    }
}
