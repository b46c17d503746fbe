//! Events: the rule of appending, the tables of events and of idempotency keys, and the reducer.

use crate::canonical::payload_hash;
use crate::refusal::Refusal;

/// The event that was written under an idempotency key before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub seq: u64,
    pub payload_hash: String,
}

/// What an append does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// Write the event as this seq.
    Write { seq: u64 },
    /// The same event is there already: change nothing.
    Repeat,
}

/// Computes a payload's hash and compares it with the one given; an empty one stands for none given.
pub fn checked_hash(payload: &str, given: &str) -> Result<String, Refusal> {
    let computed = payload_hash(payload).map_err(Refusal::InvalidPayload)?;
    if given.is_empty() || given == computed {
        return Ok(computed);
    }
    Err(Refusal::PayloadHashMismatch { given: given.to_owned(), computed })
}

/// Decides an append, the payload's hash being `hash` and the stream's head `head_seq`.
///
/// The key is checked before the expected seq: a repeat of an append that was written carries the seq that was right
/// then.
pub fn decide_append(
    head_seq: u64,
    earlier: Option<&Earlier>,
    hash: &str,
    expected_next_seq: Option<u64>,
) -> Result<Append, Refusal> {
    if let Some(earlier) = earlier {
        let same = earlier.payload_hash == hash;
        return if same { Ok(Append::Repeat) } else { Err(Refusal::IdempotencyConflict { seq: earlier.seq }) };
    }
    let actual = head_seq + 1;
    match expected_next_seq {
        Some(expected) if expected != actual => Err(Refusal::SequenceConflict { expected, actual }),
        _ => Ok(Append::Write { seq: actual }),
    }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

    use super::{Append, Earlier, checked_hash, decide_append};
    use crate::grant::{caller, open_stream};
    use crate::key::pair_key;
    use crate::refusal::{Answer, Refusal, answer, check_name};
    use crate::stream::db::{apply_retention, empty_stream, sync_stream};

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
        /// Whether readers should take this event from confirmed reads only. The server decides whether it can promise
        /// that.
        pub confirmed_read: bool,
    }

    /// One row per idempotency key ever used. It outlives the event, so that a late repeat is still a repeat after
    /// retention removed what it repeats.
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
    /// An empty `payload_hash` stands for none given. Refusals: `bad_argument`, `forbidden_topic`,
    /// `invalid_payload`, `payload_hash_mismatch`, `idempotency_conflict`, `sequence_conflict`, checked in this order.
    #[reducer]
    fn append_sync_event(
        ctx: &ReducerContext,
        stream_id: String,
        idempotency_key: String,
        payload: String,
        payload_hash: String,
        expected_next_seq: Option<u64>,
    ) -> Answer {
        let given_hash = payload_hash;
        answer(ctx, NewEvent { stream_id, idempotency_key, payload, given_hash, expected_next_seq }, append)
    }

    /// What a publisher asks to append.
    pub struct NewEvent {
        pub stream_id: String,
        pub idempotency_key: String,
        pub payload: String,
        pub given_hash: String,
        pub expected_next_seq: Option<u64>,
    }

    fn append(ctx: &ReducerContext, asked: NewEvent) -> Result<(), Refusal> {
        let NewEvent { stream_id, idempotency_key, payload, given_hash, expected_next_seq } = asked;
        check_name("stream_id", &stream_id)?;
        check_name("idempotency_key", &idempotency_key)?;
        if !caller(ctx)?.may_write(ctx, &stream_id) {
            return Err(Refusal::ForbiddenTopic(vec![stream_id]));
        }
        let payload_hash = checked_hash(&payload, &given_hash)?;

        let append_key = pair_key(&stream_id, &idempotency_key);
        let earlier = ctx.db.sync_append_key().append_key().find(&append_key);
        let earlier = earlier.map(|row| Earlier { seq: row.seq, payload_hash: row.payload_hash });
        let existing = ctx.db.sync_stream().stream_id().find(&stream_id);
        let is_new = existing.is_none();
        let mut stream = existing.unwrap_or_else(|| empty_stream(stream_id));

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
        open_stream(ctx, &stream.stream_id);
        apply_retention(ctx, &mut stream);
        if is_new {
            ctx.db.sync_stream().insert(stream);
        } else {
            ctx.db.sync_stream().stream_id().update(stream);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
