//! Streams: which ids are known by their shape, the class of each, and what a class sets by default.

/// What a class sets for streams whose policy does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassDefaults {
    /// How many of the newest events are kept.
    pub retention_events: u64,
    /// How far behind the head a cursor may be and still be resumed.
    pub replay_budget_events: u64,
    /// The word for the class's quality of service in a stale reply.
    pub qos_tier: &'static str,
}

/// The class of streams that have none of their own, the summary streams among them.
pub const FALLBACK_CLASS: &str = "fallback";

/// What a class sets by default. An unknown class has the fallback's.
///
/// The recordings of the legacy service show the same budget and tier for event and summary topics; they show no
/// retention, which is set far beyond any test that does not ask for another.
pub fn class_defaults(_class: &str) -> ClassDefaults {
    ClassDefaults { retention_events: 100_000, replay_budget_events: 10_000, qos_tier: "warm" }
}

/// The shape of a stream id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `runtime.run.<id>.events`
    RunEvents,
    /// `runtime.worker.<id>.lifecycle`
    WorkerLifecycle,
    /// `runtime.codex.worker.events`
    CodexWorkerEvents,
    /// `runtime.fleet.user.<id>.workers` and `runtime.fleet.guest.<id>.workers`
    FleetWorkers,
    /// `runtime.topic.runtime.run_summaries`
    RunSummaries,
    /// `runtime.topic.runtime.codex_worker_summaries`
    CodexWorkerSummaries,
    /// Any other: it exists only once it was created.
    Other,
}

impl Shape {
    /// The shape of an id.
    pub fn of(stream_id: &str) -> Self {
        let between = |prefix: &str, suffix: &str| {
            stream_id.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(|id| !id.is_empty())
        };
        match stream_id {
            "runtime.codex.worker.events" => Self::CodexWorkerEvents,
            "runtime.topic.runtime.run_summaries" => Self::RunSummaries,
            "runtime.topic.runtime.codex_worker_summaries" => Self::CodexWorkerSummaries,
            _ if between("runtime.run.", ".events") => Self::RunEvents,
            _ if between("runtime.worker.", ".lifecycle") => Self::WorkerLifecycle,
            _ if between("runtime.fleet.user.", ".workers") || between("runtime.fleet.guest.", ".workers") => {
                Self::FleetWorkers
            }
            _ => Self::Other,
        }
    }

    /// Whether streams of this shape exist before anything was written to them, as the legacy topics do.
    pub fn is_known(self) -> bool {
        self != Self::Other
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::RunEvents => "run_events",
            Self::WorkerLifecycle => "worker_lifecycle",
            Self::CodexWorkerEvents => "codex_worker_events",
            Self::FleetWorkers | Self::RunSummaries | Self::CodexWorkerSummaries | Self::Other => FALLBACK_CLASS,
        }
    }

    /// The table that a summary stream's snapshot is read from; `None` for an event stream.
    pub fn summary_table(self) -> Option<&'static str> {
        match self {
            Self::RunSummaries => Some("runtime.sync_run_summaries"),
            Self::CodexWorkerSummaries => Some("runtime.sync_codex_worker_summaries"),
            Self::FleetWorkers => Some("runtime.sync_fleet_workers"),
            Self::RunEvents | Self::WorkerLifecycle | Self::CodexWorkerEvents | Self::Other => None,
        }
    }
}

/// Joins two names into one key, such that no two pairs share a key, whatever characters they hold.
pub fn pair_key(first: &str, second: &str) -> String {
    format!("{}:{first}{second}", first.len())
}

#[cfg(test)]
mod tests;
