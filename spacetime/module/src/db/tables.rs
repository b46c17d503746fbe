//! The tables' rows. The order of columns is part of the wire format: a client decodes rows by it.

use spacetimedb::{ConnectionId, Identity, SpacetimeType, Timestamp, table};

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

/// One row per live connection.
#[table(name = active_connection, public)]
pub struct ActiveConnection {
    #[primary_key]
    pub connection_id: ConnectionId,
    pub identity: Identity,
}

/// One cursor of a resume.
#[derive(SpacetimeType)]
pub struct StreamCursor {
    pub stream_id: String,
    /// The last seq that the client has applied.
    pub resume_after: u64,
}
