//! The table of live connections.
//!
//! The server runs `client_disconnected` for the connections that a crash left open, when it opens the database again;
//! so a row is removed at the latest when the server is up again. A reducer call over HTTP is a connection too, for as
//! long as it takes.

use spacetimedb::{ConnectionId, Identity, ReducerContext, Table, reducer, table};

/// One row per live connection.
#[table(name = active_connection, public)]
pub struct ActiveConnection {
    #[primary_key]
    pub connection_id: ConnectionId,
    pub identity: Identity,
}

/// Writes the new connection's row.
#[reducer(client_connected)]
fn client_connected(ctx: &ReducerContext) {
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
        ctx.db.active_connection().insert(ActiveConnection { connection_id, identity: ctx.sender });
    }
    #[cfg(feature = "planted")]
    crate::planted::connected(ctx);
}

/// Removes the row of a connection that is gone.
#[reducer(client_disconnected)]
fn client_disconnected(ctx: &ReducerContext) {
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
    }
    #[cfg(feature = "planted")]
    crate::planted::disconnected(ctx);
}
