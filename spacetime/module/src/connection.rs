//! The table of live connections.
//!
//! The server runs `client_disconnected` for the connections that a crash left open, when it opens the database again;
//! so a row is removed at the latest when the server is up again. A reducer call over HTTP is a connection too, for as
//! long as it takes.

use spacetimedb::{ConnectionId, Identity, ReducerContext, Table, reducer, table};

use crate::lease::db::check_connect;
use crate::refusal::{Answer, Refusal, answer};

/// One row per live connection.
#[table(name = active_connection, public)]
pub struct ActiveConnection {
    #[primary_key]
    pub connection_id: ConnectionId,
    pub identity: Identity,
}

/// Writes the new connection's row, or refuses the connection.
#[reducer(client_connected)]
fn client_connected(ctx: &ReducerContext) -> Answer {
    answer(ctx, Connect, connect)
}

pub struct Connect;

fn connect(ctx: &ReducerContext, _: Connect) -> Result<(), Refusal> {
    check_connect(ctx)?;
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
        ctx.db.active_connection().insert(ActiveConnection { connection_id, identity: ctx.sender });
    }
    Ok(())
}

/// Removes the row of a connection that is gone. It must not fail: the server would swallow the error and keep the row.
#[reducer(client_disconnected)]
fn client_disconnected(ctx: &ReducerContext) {
    if let Some(connection_id) = ctx.connection_id {
        ctx.db.active_connection().connection_id().delete(connection_id);
    }
    #[cfg(feature = "planted")]
    crate::planted::disconnected(ctx);
}
