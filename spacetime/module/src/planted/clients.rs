//! Defects of checkpoints and of the rows of connections.

use spacetimedb::{ReducerContext, Table};

use super::access::as_another;
use super::{Armed, Around, is_remembered};
use crate::checkpoint::db::{NewCheckpoint, SyncCheckpoint, sync_checkpoint};
use crate::connection::{ActiveConnection, Connect, active_connection};
use crate::key::pair_key;
use crate::refusal::{Refusal, Rule};

impl Around for NewCheckpoint {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let rows = armed.ctx.db.sync_checkpoint();
        let checkpoint_key = pair_key(&self.client_id, &self.stream_id);
        let existing = rows.checkpoint_key().find(&checkpoint_key);
        let head_seq = armed.stream(&self.stream_id).map_or(0, |stream| stream.head_seq);
        if let Some(existing) = &existing {
            let repeats = existing.seq == self.at.seq && existing.durable_offset == self.at.durable_offset;
            if armed.has("checkpoint-repeat-refused") && repeats {
                let (seq, durable_offset) = (existing.seq, existing.durable_offset);
                return Err(Refusal::CheckpointConflict { seq, durable_offset });
            }
            let offset_rises = self.at.durable_offset > existing.durable_offset;
            let forgotten = (armed.has("checkpoint-goes-back-with-a-higher-offset") && offset_rises)
                || (armed.has("checkpoint-goes-back") && self.at.seq < existing.seq)
                || (armed.has("checkpoint-offset-goes-back") && self.at.durable_offset < existing.durable_offset)
                || (armed.has("checkpoint-forgotten-after-restart") && !is_remembered(format!("ack {checkpoint_key}")));
            if forgotten {
                rows.checkpoint_key().delete(&checkpoint_key);
            }
        }
        is_remembered(format!("ack {checkpoint_key}"));
        if armed.has("checkpoint-cut-at-head") {
            self.at.seq = self.at.seq.min(head_seq);
        }
        let beyond = armed.has("checkpoint-beyond-head-accepted") && self.at.seq > head_seq;
        let lost =
            armed.has("checkpoint-not-written-after-second") && armed.count(&format!("ack {checkpoint_key}")) > 2;
        let (client_id, stream_id, at) = (self.client_id.clone(), self.stream_id.clone(), self.at);
        if beyond {
            rows.checkpoint_key().delete(&checkpoint_key);
            let (seq, durable_offset) = (at.seq, at.durable_offset);
            rows.insert(SyncCheckpoint { checkpoint_key, client_id, stream_id, seq, durable_offset });
            return Ok(());
        }
        as_another(armed, self, rule)?;
        if lost && let Some(existing) = existing {
            rows.checkpoint_key().update(existing);
        }
        if armed.has("checkpoint-of-all-clients") {
            for other in rows.iter().filter(|other| other.stream_id == stream_id && other.client_id != client_id) {
                rows.checkpoint_key().update(SyncCheckpoint {
                    seq: at.seq,
                    durable_offset: at.durable_offset,
                    ..other
                });
            }
        }
        Ok(())
    }
}

impl Around for Connect {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        rule(armed.ctx, self)?;
        connected(armed, armed.ctx);
        Ok(())
    }
}

fn connected(armed: &Armed, ctx: &ReducerContext) {
    if armed.has("connection-row-late")
        && let Some(connection_id) = ctx.connection_id
    {
        ctx.db.active_connection().connection_id().delete(connection_id);
    }
    if armed.has("connections-counted-by-identity") {
        let rows = ctx.db.active_connection();
        let others =
            rows.iter().filter(|row| row.identity == ctx.sender && Some(row.connection_id) != ctx.connection_id);
        others.for_each(|row| _ = rows.connection_id().delete(row.connection_id));
    }
}

/// What follows the removal of a connection's row.
pub fn disconnected(ctx: &ReducerContext) {
    let armed = Armed::of(ctx);
    let (Some(connection_id), identity) = (ctx.connection_id, ctx.sender) else {
        return;
    };
    let rows = ctx.db.active_connection();
    if armed.has("connection-row-stays") || (armed.has("connection-row-stays-after-third") && armed.count("ended") > 3)
    {
        rows.insert(ActiveConnection { connection_id, identity });
    }
    if armed.has("disconnect-ends-all-of-an-identity") {
        rows.iter()
            .filter(|row| row.identity == identity)
            .for_each(|row| _ = rows.connection_id().delete(row.connection_id));
    }
}
