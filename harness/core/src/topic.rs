//! Legacy topics and candidate stream ids, mapped both ways (contract, "Parity of meaning with the legacy lane").
//!
//! Forward, every topic has one stream id. Back, only a stream id whose topic would map to it again has an answer:
//! `runtime.topic.*` folds colons into dots, so the original is ambiguous; such an id is refused, not guessed.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

/// What a topic is for; retention and replay budget are set per class (contract, "Topic classes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// `run:<id>:events`
    RunEvents,
    /// `worker:<id>:lifecycle`
    WorkerLifecycle,
    /// `runtime.codex_worker_events`
    CodexWorkerEvents,
    /// Summary topics and everything else.
    Fallback,
}

impl Class {
    /// The class that the contract's table gives to a topic.
    pub fn of(topic: &str) -> Class {
        match Form::of(topic) {
            Form::Run(_) => Class::RunEvents,
            Form::Worker(_) => Class::WorkerLifecycle,
            Form::CodexWorkerEvents => Class::CodexWorkerEvents,
            Form::FleetUser(_) | Form::FleetGuest(_) | Form::Other => Class::Fallback,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Class::RunEvents => "run_events",
            Class::WorkerLifecycle => "worker_lifecycle",
            Class::CodexWorkerEvents => "codex_worker_events",
            Class::Fallback => "fallback",
        }
    }
}

/// The topics of summaries that have no id.
const SUMMARIES: [&str; 2] = ["runtime.run_summaries", "runtime.codex_worker_summaries"];

/// The forms of topics; an id is what distinguishes the streams of one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    Run(&'a str),
    Worker(&'a str),
    FleetUser(&'a str),
    FleetGuest(&'a str),
    CodexWorkerEvents,
    Other,
}

impl<'a> Form<'a> {
    pub fn of(topic: &'a str) -> Form<'a> {
        let between = |prefix: &str, suffix: &str| {
            topic
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_suffix(suffix))
                .filter(|id| !id.is_empty() && !id.contains(':'))
        };
        if let Some(id) = between("run:", ":events") {
            Form::Run(id)
        } else if let Some(id) = between("worker:", ":lifecycle") {
            Form::Worker(id)
        } else if let Some(id) = between("fleet:user:", ":workers") {
            Form::FleetUser(id)
        } else if let Some(id) = between("fleet:guest:", ":workers") {
            Form::FleetGuest(id)
        } else if topic == "runtime.codex_worker_events" {
            Form::CodexWorkerEvents
        } else {
            Form::Other
        }
    }
}

impl Form<'_> {
    /// Whether there are many topics of the form, each with an id.
    pub fn has_id(self) -> bool {
        !matches!(self, Form::CodexWorkerEvents | Form::Other)
    }
}

/// Whether the contract has snapshots of a topic, and not only its events.
pub fn is_summary(topic: &str) -> bool {
    matches!(Form::of(topic), Form::FleetUser(_) | Form::FleetGuest(_)) || SUMMARIES.contains(&topic)
}

pub fn stream_id_of(topic: &str) -> String {
    match Form::of(topic) {
        Form::Run(id) => format!("runtime.run.{id}.events"),
        Form::Worker(id) => format!("runtime.worker.{id}.lifecycle"),
        Form::FleetUser(id) => format!("runtime.fleet.user.{id}.workers"),
        Form::FleetGuest(id) => format!("runtime.fleet.guest.{id}.workers"),
        Form::CodexWorkerEvents => "runtime.codex.worker.events".to_owned(),
        Form::Other => format!("runtime.topic.{}", topic.replace(':', ".")),
    }
}

/// The legacy topic of a candidate's stream id, or `None` where no single topic maps to it.
pub fn topic_of(stream_id: &str) -> Option<String> {
    let between = |prefix: &str, suffix: &str| {
        stream_id
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(suffix))
            .filter(|id| !id.is_empty() && !id.contains(':'))
    };
    if stream_id == "runtime.codex.worker.events" {
        return Some("runtime.codex_worker_events".to_owned());
    }
    let named = None
        .or_else(|| between("runtime.run.", ".events").map(|id| format!("run:{id}:events")))
        .or_else(|| between("runtime.worker.", ".lifecycle").map(|id| format!("worker:{id}:lifecycle")))
        .or_else(|| between("runtime.fleet.user.", ".workers").map(|id| format!("fleet:user:{id}:workers")))
        .or_else(|| between("runtime.fleet.guest.", ".workers").map(|id| format!("fleet:guest:{id}:workers")));
    if named.is_some() {
        return named;
    }
    // The two summary topics are the only ones of the last class that the contract names.
    let rest = stream_id.strip_prefix("runtime.topic.")?;
    SUMMARIES.contains(&rest).then(|| rest.to_owned())
}

/// A topic with `scope` worked into its id, so that two runs against one server never share a topic. A topic that has
/// no id (`runtime.run_summaries`) can't be scoped and comes back as `None`.
pub fn scoped(topic: &str, scope: &str) -> Option<String> {
    match Form::of(topic) {
        Form::Run(id) => Some(format!("run:{scope}-{id}:events")),
        Form::Worker(id) => Some(format!("worker:{scope}-{id}:lifecycle")),
        Form::FleetUser(id) => Some(format!("fleet:user:{scope}-{id}:workers")),
        Form::FleetGuest(id) => Some(format!("fleet:guest:{scope}-{id}:workers")),
        Form::CodexWorkerEvents | Form::Other => None,
    }
}

#[cfg(test)]
mod tests;
