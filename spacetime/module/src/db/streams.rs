//! The table of streams: creating them, setting their policy, and removing old events.

use spacetimedb::{ReducerContext, Table, reducer, table};

use super::events::sync_event;
use super::{Answer, answer};
use crate::rules::append::check_name;
use crate::rules::refusal::Refusal;
use crate::rules::retention::{check_retention, oldest_after_prune, oldest_after_retention};
use crate::rules::stream::{Shape, class_defaults};

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

/// Creates a stream. What is not given, and a blank class, comes from the stream's shape and class. Creating it again
/// with the same content changes nothing; with other content it is a `stream_conflict`.
#[reducer]
fn create_stream(
    ctx: &ReducerContext,
    stream_id: String,
    class: String,
    owner_scope: String,
    retention_events: Option<u64>,
    replay_budget_events: Option<u64>,
) -> Answer {
    let policy =
        Policy { class: some_name(class), owner_scope: Some(owner_scope), retention_events, replay_budget_events };
    answer(create(ctx, stream_id, policy))
}

/// Sets what is given of a stream's policy and leaves the rest; the stream is created where it does not exist. A smaller
/// retention removes events at once.
#[reducer]
fn set_stream_policy(
    ctx: &ReducerContext,
    stream_id: String,
    class: Option<String>,
    owner_scope: Option<String>,
    retention_events: Option<u64>,
    replay_budget_events: Option<u64>,
) -> Answer {
    answer(set_policy(ctx, stream_id, Policy { class, owner_scope, retention_events, replay_budget_events }))
}

/// Removes a stream's events up to a seq, that one included. Removing what is gone changes nothing.
#[reducer]
fn prune_stream(ctx: &ReducerContext, stream_id: String, up_to_seq: u64) -> Answer {
    answer(prune(ctx, stream_id, up_to_seq))
}

/// What may be set of a stream.
#[derive(Default)]
struct Policy {
    class: Option<String>,
    owner_scope: Option<String>,
    retention_events: Option<u64>,
    replay_budget_events: Option<u64>,
}

fn create(ctx: &ReducerContext, stream_id: String, policy: Policy) -> Result<(), Refusal> {
    check_name("stream_id", &stream_id)?;
    check_retention(policy.retention_events)?;
    let asked = new_stream(stream_id, policy);
    match ctx.db.sync_stream().stream_id().find(&asked.stream_id) {
        None => {
            ctx.db.sync_stream().insert(asked);
            Ok(())
        }
        Some(standing) if same_policy(&standing, &asked) => Ok(()),
        Some(_) => Err(Refusal::StreamConflict),
    }
}

fn set_policy(ctx: &ReducerContext, stream_id: String, policy: Policy) -> Result<(), Refusal> {
    check_name("stream_id", &stream_id)?;
    check_retention(policy.retention_events)?;
    let Some(standing) = ctx.db.sync_stream().stream_id().find(&stream_id) else {
        ctx.db.sync_stream().insert(new_stream(stream_id, policy));
        return Ok(());
    };
    let mut changed = SyncStream {
        class: policy.class.unwrap_or(standing.class),
        owner_scope: policy.owner_scope.unwrap_or(standing.owner_scope),
        retention: policy.retention_events.unwrap_or(standing.retention),
        replay_budget: policy.replay_budget_events.unwrap_or(standing.replay_budget),
        ..standing
    };
    apply_retention(ctx, &mut changed);
    ctx.db.sync_stream().stream_id().update(changed);
    Ok(())
}

fn prune(ctx: &ReducerContext, stream_id: String, up_to_seq: u64) -> Result<(), Refusal> {
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
pub(super) fn empty_stream(stream_id: String) -> SyncStream {
    new_stream(stream_id, Policy::default())
}

/// Removes the events that the stream's retention no longer keeps. The row is changed here but not written.
pub(super) fn apply_retention(ctx: &ReducerContext, stream: &mut SyncStream) {
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
