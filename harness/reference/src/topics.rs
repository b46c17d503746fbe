//! Which topics there are, the class of each, and the policy that follows from it.

use serde::{Deserialize, Serialize};

use crate::config::{ClassLimits, Config};

/// A topic's class: limits, retention and replay budget are set per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    RunEvents,
    WorkerLifecycle,
    CodexWorkerEvents,
    Fallback,
}

impl Class {
    pub const ALL: [Class; 4] = [Self::RunEvents, Self::WorkerLifecycle, Self::CodexWorkerEvents, Self::Fallback];

    pub(crate) fn named(json: &str) -> Option<Self> {
        let name: String = serde_json::from_str(json).ok()?;
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The class that the name of a topic implies, or `None` where the table has no such topic.
    pub fn of(topic: &str) -> Option<Self> {
        match topic {
            "runtime.codex_worker_events" => return Some(Self::CodexWorkerEvents),
            "runtime.run_summaries" | "runtime.codex_worker_summaries" => return Some(Self::Fallback),
            _ => {}
        }
        let parts: Vec<&str> = topic.split(':').collect();
        // With a dot or a quote in an id, two topics could map to one stream.
        let is_mapped = |c: char| !matches!(c, '.' | '"' | '\'') && !c.is_control();
        let id_is_named = |id: &str| !id.trim().is_empty() && id.chars().all(is_mapped);
        match parts.as_slice() {
            ["run", id, "events"] if id_is_named(id) => Some(Self::RunEvents),
            ["worker", id, "lifecycle"] if id_is_named(id) => Some(Self::WorkerLifecycle),
            ["fleet", "user" | "guest", id, "workers"] if id_is_named(id) => Some(Self::Fallback),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::RunEvents => "run_events",
            Self::WorkerLifecycle => "worker_lifecycle",
            Self::CodexWorkerEvents => "codex_worker_events",
            Self::Fallback => "fallback",
        }
    }

    pub fn limits(self, config: &Config) -> &ClassLimits {
        match self {
            Self::RunEvents => &config.classes.run_events,
            Self::WorkerLifecycle => &config.classes.worker_lifecycle,
            Self::CodexWorkerEvents => &config.classes.codex_worker_events,
            Self::Fallback => &config.classes.fallback,
        }
    }
}

/// The topics of the table that have no id in their name.
pub const FIXED_TOPICS: [&str; 3] =
    ["runtime.codex_worker_events", "runtime.run_summaries", "runtime.codex_worker_summaries"];

/// The table from which a summary topic's snapshot is made; `None` for an event topic, which has no snapshot.
pub fn snapshot_source(topic: &str) -> Option<&'static str> {
    match topic {
        "runtime.run_summaries" => Some("runtime.sync_run_summaries"),
        "runtime.codex_worker_summaries" => Some("runtime.sync_codex_worker_summaries"),
        _ if topic.starts_with("fleet:") => Some("runtime.sync_fleet_workers"),
        _ => None,
    }
}

/// What a `PUT` set for one topic; what is `None` follows from the class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicPolicy {
    /// How many events are retained, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_events: Option<u64>,
    /// How far behind the head a cursor may resume, in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_budget_events: Option<u64>,
    /// The class, where it is not the one that the name implies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

impl TopicPolicy {
    /// This policy with what `change` sets put over it.
    pub fn merged(&self, change: &TopicPolicy) -> TopicPolicy {
        TopicPolicy {
            retention_events: change.retention_events.or(self.retention_events),
            replay_budget_events: change.replay_budget_events.or(self.replay_budget_events),
            class: change.class.or(self.class),
        }
    }

    /// The class in force for `topic`: the one set, else the one that the name implies, else the fallback.
    pub fn class_of(&self, topic: &str) -> Class {
        self.class.or_else(|| Class::of(topic)).unwrap_or(Class::Fallback)
    }

    pub fn retention(&self, topic: &str, config: &Config) -> u64 {
        self.retention_events.unwrap_or_else(|| self.class_of(topic).limits(config).retention_events).max(1)
    }

    /// How many events behind the head a cursor of `topic` may resume.
    pub fn replay_budget(&self, topic: &str, config: &Config) -> u64 {
        self.replay_budget_events.unwrap_or_else(|| self.class_of(topic).limits(config).replay_budget_events)
    }
}

/// Whether `topic` is known without having been set by a `PUT`: it is on the configured list, or, where there is no
/// list, in the class table.
pub fn is_known(topic: &str, config: &Config) -> bool {
    match &config.topics.known {
        Some(known) => known.iter().any(|name| name == topic),
        None => Class::of(topic).is_some(),
    }
}

/// A planted defect: a grant of `run:a:events` covers `run:a-2:events`, too.
pub fn grant_begins(grant: &str, topic: &str) -> bool {
    let (grant, topic): (Vec<_>, Vec<_>) = (grant.split(':').collect(), topic.split(':').collect());
    grant.len() == topic.len() && grant.iter().zip(&topic).all(|(want, part)| part.starts_with(want))
}

/// Whether a grant covers `topic`: it is the topic, or a pattern in which `*` stands for one part of the name (parts
/// are divided by `:`); `*` alone is every topic.
pub fn grant_covers(grant: &str, topic: &str) -> bool {
    if grant == "*" || grant == topic {
        return true;
    }
    let (grant, topic): (Vec<_>, Vec<_>) = (grant.split(':').collect(), topic.split(':').collect());
    grant.len() == topic.len() && grant.iter().zip(&topic).all(|(want, part)| *want == "*" || want == part)
}

#[cfg(test)]
mod tests;
