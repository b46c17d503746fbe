//! Legacy topics and candidate stream ids, mapped both ways (contract, "Parity of meaning with the legacy lane").
//!
//! Forward, every topic has one stream id. Back, only a stream id whose topic would map to it again has an answer:
//! `runtime.topic.*` folds colons into dots, so the original is ambiguous; such an id is refused, not guessed.

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
        match Shape::of(topic) {
            Shape::Run(_) => Class::RunEvents,
            Shape::Worker(_) => Class::WorkerLifecycle,
            Shape::CodexWorkerEvents => Class::CodexWorkerEvents,
            Shape::FleetUser(_) | Shape::FleetGuest(_) | Shape::Other => Class::Fallback,
        }
    }

    /// The class's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::RunEvents => "run_events",
            Class::WorkerLifecycle => "worker_lifecycle",
            Class::CodexWorkerEvents => "codex_worker_events",
            Class::Fallback => "fallback",
        }
    }
}

enum Shape<'a> {
    Run(&'a str),
    Worker(&'a str),
    FleetUser(&'a str),
    FleetGuest(&'a str),
    CodexWorkerEvents,
    Other,
}

impl<'a> Shape<'a> {
    fn of(topic: &'a str) -> Shape<'a> {
        let between = |prefix: &str, suffix: &str| {
            topic
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_suffix(suffix))
                .filter(|id| !id.is_empty() && !id.contains(':'))
        };
        if let Some(id) = between("run:", ":events") {
            Shape::Run(id)
        } else if let Some(id) = between("worker:", ":lifecycle") {
            Shape::Worker(id)
        } else if let Some(id) = between("fleet:user:", ":workers") {
            Shape::FleetUser(id)
        } else if let Some(id) = between("fleet:guest:", ":workers") {
            Shape::FleetGuest(id)
        } else if topic == "runtime.codex_worker_events" {
            Shape::CodexWorkerEvents
        } else {
            Shape::Other
        }
    }
}

/// The forms of topic that streams of many have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `run:<id>:events`
    Run,
    /// `worker:<id>:lifecycle`
    Worker,
    /// `fleet:user:<id>:workers`
    FleetUser,
    /// `fleet:guest:<id>:workers`
    FleetGuest,
}

/// The form of a topic that has an id.
pub fn form(topic: &str) -> Option<Form> {
    match Shape::of(topic) {
        Shape::Run(_) => Some(Form::Run),
        Shape::Worker(_) => Some(Form::Worker),
        Shape::FleetUser(_) => Some(Form::FleetUser),
        Shape::FleetGuest(_) => Some(Form::FleetGuest),
        Shape::CodexWorkerEvents | Shape::Other => None,
    }
}

/// The candidate's stream id of a legacy topic.
pub fn stream_id_of(topic: &str) -> String {
    match Shape::of(topic) {
        Shape::Run(id) => format!("runtime.run.{id}.events"),
        Shape::Worker(id) => format!("runtime.worker.{id}.lifecycle"),
        Shape::FleetUser(id) => format!("runtime.fleet.user.{id}.workers"),
        Shape::FleetGuest(id) => format!("runtime.fleet.guest.{id}.workers"),
        Shape::CodexWorkerEvents => "runtime.codex.worker.events".to_owned(),
        Shape::Other => format!("runtime.topic.{}", topic.replace(':', ".")),
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
    ["runtime.run_summaries", "runtime.codex_worker_summaries"].contains(&rest).then(|| rest.to_owned())
}

/// A topic with `scope` worked into its id, so that two runs against one server never share a topic. A topic that has no
/// id (`runtime.run_summaries`) can't be scoped and comes back as `None`.
pub fn scoped(topic: &str, scope: &str) -> Option<String> {
    match Shape::of(topic) {
        Shape::Run(id) => Some(format!("run:{scope}-{id}:events")),
        Shape::Worker(id) => Some(format!("worker:{scope}-{id}:lifecycle")),
        Shape::FleetUser(id) => Some(format!("fleet:user:{scope}-{id}:workers")),
        Shape::FleetGuest(id) => Some(format!("fleet:guest:{scope}-{id}:workers")),
        Shape::CodexWorkerEvents | Shape::Other => None,
    }
}

#[cfg(test)]
mod tests;
