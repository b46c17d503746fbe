//! The tables of events and of idempotency keys, and appending to them.

use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

use super::streams::{apply_retention, empty_stream, sync_stream};
use super::{Answer, answer};
use crate::rules::append::{Append, Earlier, check_name, checked_hash, decide_append};
use crate::rules::refusal::Refusal;
use crate::rules::stream::pair_key;

/// One row per event; append only, but for what retention removes.
#[table(name = sync_event, public, index(name = by_stream_and_seq, btree(columns = [stream_id, seq])))]
pub struct SyncEvent {
    #[index(btree)]
    pub stream_id: String,
    pub seq: u64,
    pub idempotency_key: String,
    pub payload_hash: String,
    /// The publisher's JSON text as it came, so that no number in it is rounded.
    pub payload: String,
    pub committed_at: Timestamp,
    /// Whether readers should take this event from confirmed reads only. The server decides whether it can promise that.
    pub confirmed_read: bool,
}

/// One row per idempotency key ever used. It outlives the event, so that a late repeat is still a repeat after retention
/// removed what it repeats.
#[table(name = sync_append_key)]
pub struct SyncAppendKey {
    /// The stream and the key, joined.
    #[primary_key]
    pub append_key: String,
    pub seq: u64,
    pub payload_hash: String,
}

/// Appends an event; the stream is created where it does not exist.
///
/// An empty `payload_hash` stands for none given. Refusals: `bad_argument`, `invalid_payload`, `payload_hash_mismatch`,
/// `idempotency_conflict`, `sequence_conflict`, checked in this order.
#[reducer]
fn append_sync_event(
    ctx: &ReducerContext,
    stream_id: String,
    idempotency_key: String,
    payload: String,
    payload_hash: String,
    expected_next_seq: Option<u64>,
) -> Answer {
    answer(append(ctx, stream_id, idempotency_key, payload, &payload_hash, expected_next_seq))
}

fn append(
    ctx: &ReducerContext,
    stream_id: String,
    idempotency_key: String,
    payload: String,
    given_hash: &str,
    expected_next_seq: Option<u64>,
) -> Result<(), Refusal> {
    check_name("stream_id", &stream_id)?;
    check_name("idempotency_key", &idempotency_key)?;
    let payload_hash = checked_hash(&payload, given_hash)?;

    let append_key = pair_key(&stream_id, &idempotency_key);
    let earlier = ctx.db.sync_append_key().append_key().find(&append_key);
    let earlier = earlier.map(|row| Earlier { seq: row.seq, payload_hash: row.payload_hash });
    let standing = ctx.db.sync_stream().stream_id().find(&stream_id);
    let is_new = standing.is_none();
    let mut stream = standing.unwrap_or_else(|| empty_stream(stream_id));

    let seq = match decide_append(stream.head_seq, earlier.as_ref(), &payload_hash, expected_next_seq)? {
        Append::Repeat => return Ok(()),
        Append::Write { seq } => seq,
    };
    ctx.db.sync_append_key().insert(SyncAppendKey { append_key, seq, payload_hash: payload_hash.clone() });
    ctx.db.sync_event().insert(SyncEvent {
        stream_id: stream.stream_id.clone(),
        seq,
        idempotency_key,
        payload_hash,
        payload,
        committed_at: ctx.timestamp,
        confirmed_read: true,
    });
    stream.head_seq = seq;
    apply_retention(ctx, &mut stream);
    if is_new {
        ctx.db.sync_stream().insert(stream);
    } else {
        ctx.db.sync_stream().stream_id().update(stream);
    }
    Ok(())
}
