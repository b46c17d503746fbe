//! Checkpoints: the rule of acknowledging a cursor, the table and the reducer.

use crate::refusal::Refusal;

/// How far a client has come in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last seq that the client applied.
    pub seq: u64,
    /// The offset up to which the client has it on disk, in the client's own count.
    pub durable_offset: u64,
}

/// What an acknowledgement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    Write,
    /// The same checkpoint is there already: change nothing.
    Repeat,
}

/// Decides an acknowledgement. Seq and offset never move back, the same seq keeps its offset, and no seq is beyond the
/// head.
pub fn decide_ack(existing: Option<Checkpoint>, asked: Checkpoint, head_seq: u64) -> Result<Ack, Refusal> {
    if existing == Some(asked) {
        return Ok(Ack::Repeat);
    }
    if let Some(existing) = existing
        && (asked.seq <= existing.seq || asked.durable_offset < existing.durable_offset)
    {
        return Err(Refusal::CheckpointConflict { seq: existing.seq, durable_offset: existing.durable_offset });
    }
    if asked.seq > head_seq { Err(Refusal::CheckpointBeyondHead { head_seq }) } else { Ok(Ack::Write) }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, reducer, table};

    use super::{Ack, Checkpoint, decide_ack};
    use crate::grant::caller;
    use crate::key::pair_key;
    use crate::refusal::{Answer, Refusal, answer, check_name};
    use crate::resume::db::view;

    /// One row per client and stream.
    #[table(name = sync_checkpoint, public)]
    pub struct SyncCheckpoint {
        /// The client and the stream, joined.
        #[primary_key]
        pub checkpoint_key: String,
        pub client_id: String,
        #[index(btree)]
        pub stream_id: String,
        /// The last seq that the client applied.
        pub seq: u64,
        /// The offset up to which the client has it on disk, in its own count.
        pub durable_offset: u64,
    }

    /// Notes how far a client has come in a stream. The same again changes nothing; a step back is a
    /// `checkpoint_conflict`.
    #[reducer]
    fn ack_checkpoint(
        ctx: &ReducerContext,
        client_id: String,
        stream_id: String,
        seq: u64,
        durable_offset: u64,
    ) -> Answer {
        answer(ctx, NewCheckpoint { client_id, stream_id, at: Checkpoint { seq, durable_offset } }, ack)
    }

    pub struct NewCheckpoint {
        pub client_id: String,
        pub stream_id: String,
        pub at: Checkpoint,
    }

    fn ack(ctx: &ReducerContext, asked: NewCheckpoint) -> Result<(), Refusal> {
        let NewCheckpoint { client_id, stream_id, at: asked } = asked;
        check_name("client_id", &client_id)?;
        check_name("stream_id", &stream_id)?;
        let caller = caller(ctx)?;
        caller.check_client(&client_id)?;
        if !caller.may_read(ctx, &stream_id) {
            return Err(Refusal::ForbiddenTopic(vec![stream_id]));
        }
        let Some(stream) = view(ctx, &stream_id) else {
            return Err(Refusal::ForbiddenTopic(vec![stream_id]));
        };
        let checkpoint_key = pair_key(&client_id, &stream_id);
        let existing = ctx.db.sync_checkpoint().checkpoint_key().find(&checkpoint_key);
        let position = existing.as_ref().map(|row| Checkpoint { seq: row.seq, durable_offset: row.durable_offset });
        if decide_ack(position, asked, stream.head_seq)? == Ack::Repeat {
            return Ok(());
        }
        let Checkpoint { seq, durable_offset } = asked;
        let row = SyncCheckpoint { checkpoint_key, client_id, stream_id, seq, durable_offset };
        if existing.is_some() {
            ctx.db.sync_checkpoint().checkpoint_key().update(row);
        } else {
            ctx.db.sync_checkpoint().insert(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
