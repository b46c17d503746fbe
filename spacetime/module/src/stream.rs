//! Streams: which ids are known by their shape, the class of each and its defaults, which events a stream keeps, the
//! table of streams and its reducers.

use crate::refusal::Refusal;

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
        // With a dot or a quote in an id, two topics could map to one stream.
        let is_mapped = |c: char| !matches!(c, '.' | '"' | '\'') && !c.is_control();
        let is_id = |id: &str| !id.trim().is_empty() && id.chars().all(is_mapped);
        let between = |prefix: &str, suffix: &str| {
            stream_id.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(is_id)
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

/// The oldest event once retention was applied: the successor of the newest one that is removed.
///
/// `oldest_seq` never falls. Where no event is left it is `head_seq + 1`, so that the retention floor is the head.
pub fn oldest_after_retention(oldest_seq: u64, head_seq: u64, retention_events: u64) -> u64 {
    oldest_seq.max(head_seq.saturating_sub(retention_events) + 1)
}

/// Refuses a retention of no events: a stream is emptied by a prune.
pub fn check_retention(retention_events: Option<u64>) -> Result<(), Refusal> {
    match retention_events {
        Some(0) => Err(Refusal::BadArgument { argument: "retention_events", message: "it is at least 1" }),
        _ => Ok(()),
    }
}

/// The oldest event once all up to `up_to_seq` are removed.
pub fn oldest_after_prune(oldest_seq: u64, head_seq: u64, up_to_seq: u64) -> u64 {
    oldest_seq.max(up_to_seq.min(head_seq) + 1)
}

/// The lowest cursor that can still be resumed: one below the oldest event.
pub fn retention_floor(oldest_seq: u64) -> u64 {
    oldest_seq.saturating_sub(1)
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, reducer, table};

    use super::{Shape, check_retention, class_defaults, oldest_after_prune, oldest_after_retention};
    use crate::event::db::sync_event;
    use crate::grant::{caller, open_stream};
    use crate::refusal::{Answer, Refusal, answer, check_name};

    /// One row per logical stream.
    #[table(name = sync_stream, public)]
    pub struct SyncStream {
        #[primary_key]
        pub stream_id: String,
        pub class: String,
        pub owner_scope: String,
        /// The oldest event held, or `head_seq + 1` where none is.
        pub oldest_seq: u64,
        /// The newest event, 0 where there never was one.
        pub head_seq: u64,
        /// How many events behind the head a cursor may be and still be resumed.
        pub replay_budget: u64,
        /// How many of the newest events are kept.
        pub retention: u64,
    }

    /// Creates a stream. What is not given, and a blank class, comes from the stream's shape and class. Creating it
    /// again with the same content changes nothing; with other content it is a `stream_conflict`.
    #[reducer]
    fn create_stream(
        ctx: &ReducerContext,
        stream_id: String,
        class: String,
        owner_scope: String,
        retention_events: Option<u64>,
        replay_budget_events: Option<u64>,
    ) -> Answer {
        let (class, owner_scope) = (some_name(class), Some(owner_scope));
        answer(
            ctx,
            NewStream { stream_id, policy: Policy { class, owner_scope, retention_events, replay_budget_events } },
            create,
        )
    }

    /// Sets what is given of a stream's policy and leaves the rest; the stream is created where it does not exist. A
    /// smaller retention removes events at once.
    #[reducer]
    fn set_stream_policy(
        ctx: &ReducerContext,
        stream_id: String,
        class: Option<String>,
        owner_scope: Option<String>,
        retention_events: Option<u64>,
        replay_budget_events: Option<u64>,
    ) -> Answer {
        let policy = Policy { class, owner_scope, retention_events, replay_budget_events };
        answer(ctx, NewPolicy { stream_id, policy }, set_policy)
    }

    /// Removes a stream's events up to a seq, that one included. Removing what is gone changes nothing.
    #[reducer]
    fn prune_stream(ctx: &ReducerContext, stream_id: String, up_to_seq: u64) -> Answer {
        answer(ctx, Prune { stream_id, up_to_seq }, prune)
    }

    /// What may be set of a stream.
    #[derive(Default)]
    pub struct Policy {
        pub class: Option<String>,
        pub owner_scope: Option<String>,
        pub retention_events: Option<u64>,
        pub replay_budget_events: Option<u64>,
    }

    pub struct NewStream {
        pub stream_id: String,
        pub policy: Policy,
    }

    pub struct NewPolicy {
        pub stream_id: String,
        pub policy: Policy,
    }

    pub struct Prune {
        pub stream_id: String,
        pub up_to_seq: u64,
    }

    fn create(ctx: &ReducerContext, NewStream { stream_id, policy }: NewStream) -> Result<(), Refusal> {
        caller(ctx)?.check_free()?;
        check_name("stream_id", &stream_id)?;
        check_retention(policy.retention_events)?;
        open_stream(ctx, &stream_id);
        let asked = new_stream(stream_id, policy);
        match ctx.db.sync_stream().stream_id().find(&asked.stream_id) {
            None => {
                ctx.db.sync_stream().insert(asked);
                Ok(())
            }
            Some(existing) if same_policy(&existing, &asked) => Ok(()),
            Some(_) => Err(Refusal::StreamConflict),
        }
    }

    fn set_policy(ctx: &ReducerContext, NewPolicy { stream_id, policy }: NewPolicy) -> Result<(), Refusal> {
        caller(ctx)?.check_free()?;
        check_name("stream_id", &stream_id)?;
        check_retention(policy.retention_events)?;
        open_stream(ctx, &stream_id);
        let Some(existing) = ctx.db.sync_stream().stream_id().find(&stream_id) else {
            ctx.db.sync_stream().insert(new_stream(stream_id, policy));
            return Ok(());
        };
        let mut changed = SyncStream {
            class: policy.class.unwrap_or(existing.class),
            owner_scope: policy.owner_scope.unwrap_or(existing.owner_scope),
            retention: policy.retention_events.unwrap_or(existing.retention),
            replay_budget: policy.replay_budget_events.unwrap_or(existing.replay_budget),
            ..existing
        };
        apply_retention(ctx, &mut changed);
        ctx.db.sync_stream().stream_id().update(changed);
        Ok(())
    }

    fn prune(ctx: &ReducerContext, Prune { stream_id, up_to_seq }: Prune) -> Result<(), Refusal> {
        caller(ctx)?.check_free()?;
        let Some(mut stream) = ctx.db.sync_stream().stream_id().find(&stream_id) else {
            return Err(Refusal::ForbiddenTopic(vec![stream_id]));
        };
        let oldest_seq = oldest_after_prune(stream.oldest_seq, stream.head_seq, up_to_seq);
        if oldest_seq > stream.oldest_seq {
            remove_events_below(ctx, &mut stream, oldest_seq);
            ctx.db.sync_stream().stream_id().update(stream);
        }
        Ok(())
    }

    /// The row of a stream that has no events yet.
    pub fn empty_stream(stream_id: String) -> SyncStream {
        new_stream(stream_id, Policy::default())
    }

    /// Removes the events that the stream's retention no longer keeps. The row is changed here but not written.
    pub fn apply_retention(ctx: &ReducerContext, stream: &mut SyncStream) {
        let oldest_seq = oldest_after_retention(stream.oldest_seq, stream.head_seq, stream.retention);
        if oldest_seq > stream.oldest_seq {
            remove_events_below(ctx, stream, oldest_seq);
        }
    }

    fn remove_events_below(ctx: &ReducerContext, stream: &mut SyncStream, oldest_seq: u64) {
        let gone = stream.oldest_seq..=oldest_seq - 1;
        ctx.db.sync_event().by_stream_and_seq().delete((stream.stream_id.as_str(), gone));
        stream.oldest_seq = oldest_seq;
    }

    fn new_stream(stream_id: String, policy: Policy) -> SyncStream {
        let class = policy.class.unwrap_or_else(|| Shape::of(&stream_id).class().to_owned());
        let defaults = class_defaults(&class);
        SyncStream {
            stream_id,
            class,
            owner_scope: policy.owner_scope.unwrap_or_default(),
            oldest_seq: 1,
            head_seq: 0,
            replay_budget: policy.replay_budget_events.unwrap_or(defaults.replay_budget_events),
            retention: policy.retention_events.unwrap_or(defaults.retention_events),
        }
    }

    fn same_policy(left: &SyncStream, right: &SyncStream) -> bool {
        left.class == right.class
            && left.owner_scope == right.owner_scope
            && left.replay_budget == right.replay_budget
            && left.retention == right.retention
    }

    fn some_name(name: String) -> Option<String> {
        if name.trim().is_empty() { None } else { Some(name) }
    }
}

#[cfg(test)]
mod tests;
