//! Planted defects of policies, of pruning, and of what a restart reads.

use serde_json::value::RawValue;

use crate::defects::{Defect, Defects};
use crate::store::Record;
use crate::topics::TopicPolicy;

/// A policy with a change; `head` is the newest event of its topic.
pub(crate) fn merged(policy: &TopicPolicy, change: &TopicPolicy, head: u64, defects: &Defects) -> TopicPolicy {
    if defects.has(Defect::PartialPolicy) {
        return change.clone();
    }
    let mut merged = policy.merged(change);
    if defects.has(Defect::FirstBudget) {
        merged.replay_budget_events = policy.replay_budget_events.or(change.replay_budget_events);
    }
    if defects.has(Defect::LateRetention) && head > 0 {
        merged.retention_events = policy.retention_events;
    }
    merged
}

/// How many of the newest events stay.
pub(crate) fn kept(keep: u64, policy: &TopicPolicy, head: u64, defects: &Defects) -> u64 {
    if defects.has(Defect::IgnoreRetention) {
        head
    } else if defects.has(Defect::KeepTwo) && keep == 1 {
        2
    } else if defects.has(Defect::PruneSteps) {
        keep + head % 8
    } else if defects.has(Defect::RetentionU8) && policy.retention_events.is_some() && keep > 255 {
        (keep & 0xff).max(1)
    } else {
        keep
    }
}

/// A record as a restart reads it.
pub(crate) fn reopened(record: Record, defects: &Defects) -> Record {
    match record {
        Record::Policy { topic, oldest, .. } if defects.has(Defect::PolicyLost) => {
            Record::Policy { topic, policy: TopicPolicy::default(), oldest }
        }
        Record::Policy { topic, policy, .. } if defects.has(Defect::FloorLost) => {
            Record::Policy { topic, policy, oldest: 0 }
        }
        Record::Event { topic, seq, key, mut hash, mut oldest, mut payload } => {
            if defects.has(Defect::FloorLost) {
                oldest = 1;
            }
            if defects.has(Defect::HashLost) {
                hash[0] ^= 1;
            }
            if defects.has(Defect::LargeLost) {
                payload = payload.map(|text| if is_large(&text) { RawValue::NULL.to_owned() } else { text });
            }
            Record::Event { topic, seq, key, hash, oldest, payload }
        }
        other => other,
    }
}

/// The topic, and its head after a restart, where the last record of the journal is lost.
pub(crate) fn pruned_head(last: &Record, defects: &Defects) -> Option<(String, u64)> {
    let Record::Event { topic, seq, oldest, payload, .. } = last else {
        return None;
    };
    let large = payload.as_deref().is_some_and(is_large);
    let lost = (defects.has(Defect::LargeTailLost) && large) || (defects.has(Defect::PrunedTailLost) && *oldest > 1);
    lost.then(|| (topic.clone(), seq - 1))
}

fn is_large(text: &RawValue) -> bool {
    text.get().len() > 64 * 1024
}
