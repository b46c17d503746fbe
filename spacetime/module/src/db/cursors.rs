//! The table of checkpoints: acknowledging cursors, and checking them before a resume.

use spacetimedb::{ReducerContext, SpacetimeType, Table, reducer, table};

use super::streams::sync_stream;
use super::{Answer, answer};
use crate::rules::append::check_name;
use crate::rules::checkpoint::{Ack, Checkpoint, decide_ack};
use crate::rules::refusal::Refusal;
use crate::rules::resume::{StreamView, check_resume};
use crate::rules::stream::{Shape, class_defaults, pair_key};

/// One row per client and stream.
#[table(name = sync_checkpoint, public)]
pub struct SyncCheckpoint {
    /// The client and the stream, joined.
    #[primary_key]
    pub checkpoint_key: String,
    pub client_id: String,
    pub stream_id: String,
    /// The last seq that the client applied.
    pub seq: u64,
    /// The offset up to which the client has it on disk, in its own count.
    pub durable_offset: u64,
}

/// One cursor of a resume.
#[derive(SpacetimeType)]
pub struct StreamCursor {
    pub stream_id: String,
    /// The last seq that the client has applied.
    pub resume_after: u64,
}

/// Notes how far a client has come in a stream. The same again changes nothing; a step back is a `checkpoint_conflict`.
#[reducer]
fn ack_checkpoint(ctx: &ReducerContext, client_id: String, stream_id: String, seq: u64, durable_offset: u64) -> Answer {
    answer(ack(ctx, client_id, stream_id, Checkpoint { seq, durable_offset }))
}

/// Answers whether these cursors can be resumed: nothing is written, and success means that none is stale.
#[reducer]
fn resume_stream(ctx: &ReducerContext, cursors: Vec<StreamCursor>) -> Answer {
    let cursors: Vec<_> = cursors.into_iter().map(|cursor| (cursor.stream_id, cursor.resume_after)).collect();
    answer(check_resume(&cursors, |stream_id| view(ctx, stream_id)))
}

fn ack(ctx: &ReducerContext, client_id: String, stream_id: String, asked: Checkpoint) -> Result<(), Refusal> {
    check_name("client_id", &client_id)?;
    check_name("stream_id", &stream_id)?;
    let Some(stream) = view(ctx, &stream_id) else {
        return Err(Refusal::ForbiddenTopic(vec![stream_id]));
    };
    let checkpoint_key = pair_key(&client_id, &stream_id);
    let standing = ctx.db.sync_checkpoint().checkpoint_key().find(&checkpoint_key);
    let position = standing.as_ref().map(|row| Checkpoint { seq: row.seq, durable_offset: row.durable_offset });
    if decide_ack(position, asked, stream.head_seq)? == Ack::Repeat {
        return Ok(());
    }
    let Checkpoint { seq, durable_offset } = asked;
    let row = SyncCheckpoint { checkpoint_key, client_id, stream_id, seq, durable_offset };
    if standing.is_some() {
        ctx.db.sync_checkpoint().checkpoint_key().update(row);
    } else {
        ctx.db.sync_checkpoint().insert(row);
    }
    Ok(())
}

/// A stream as the checks see it; one that its shape makes known is empty until something is written to it.
fn view(ctx: &ReducerContext, stream_id: &str) -> Option<StreamView> {
    let shape = Shape::of(stream_id);
    let summary_table = shape.summary_table();
    let standing = ctx.db.sync_stream().stream_id().find(stream_id.to_owned());
    if let Some(stream) = standing {
        return Some(StreamView {
            oldest_seq: stream.oldest_seq,
            head_seq: stream.head_seq,
            replay_budget_events: stream.replay_budget,
            qos_tier: class_defaults(&stream.class).qos_tier,
            summary_table,
        });
    }
    let defaults = class_defaults(shape.class());
    shape.is_known().then_some(StreamView {
        oldest_seq: 1,
        head_seq: 0,
        replay_budget_events: defaults.replay_budget_events,
        qos_tier: defaults.qos_tier,
        summary_table,
    })
}
