//! Who is connected.
//!
//! The server runs `client_disconnected` for the connections that a crash left open, when it opens the database again;
//! so a row never outlives its connection for longer than the server is down. A reducer call over HTTP is a connection
//! too, for as long as it takes.

use spacetimedb::{ReducerContext, Table, reducer};

use super::tables::{ActiveConnection, active_connection};

/// Writes the new connection's row.
#[reducer(client_connected)]
fn client_connected(ctx: &ReducerContext) {
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
        ctx.db.active_connection().insert(ActiveConnection { connection_id, identity: ctx.sender });
    }
}

/// Removes the row of a connection that is gone.
#[reducer(client_disconnected)]
fn client_disconnected(ctx: &ReducerContext) {
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
    }
}
