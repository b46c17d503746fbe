//! Drives the official Rust client of SpacetimeDB, `spacetimedb-sdk` 1.2.0, for `cutover` (docs/CLIENTS.md). It is an
//! example of the engine's crate, whose tests have that client and its bindings for the module.

#[path = "../../../../spacetime/engine/tests/real_server/bindings/mod.rs"]
#[allow(dead_code, unused_imports)]
mod bindings;
mod program;

use bindings::{DbConnection, RemoteDbContext, StreamCursor, SyncEvent, SyncEventTableAccess, resume_stream};
use program::{Applied, Close, Ended, Open, say};
use serde_json::json;
use spacetimedb_sdk::{DbContext, Event, Status, Table};

fn main() {
    program::run(connect);
}

fn connect(open: &Open, applied: &Applied, ended: Ended) -> Option<Close> {
    let connection = DbConnection::builder()
        .with_uri(&open.url)
        .with_module_name(&open.database)
        .with_token(open.token.clone())
        .build()
        .ok()?;
    let live = applied.clone();
    connection.db.sync_event().on_insert(move |ctx, row| {
        // The rows of a snapshot are taken together, by their seq.
        if !matches!(ctx.event, Event::SubscribeApplied) && !live.take(&row.stream_id, row.seq, &row.payload) {
            let _ = ctx.disconnect();
        }
    });
    let (known, asked) = (applied.clone(), open.clone());
    connection.reducers.on_resume_stream(move |ctx, _| {
        if ctx.event.caller_connection_id != Some(ctx.connection_id()) {
            return;
        }
        match &ctx.event.status {
            Status::Committed => subscribe(ctx, &known, &asked),
            Status::Failed(words) if known.refused(&asked, words) => subscribe(ctx, &known, &asked),
            _ => drop(ctx.disconnect()),
        }
    });
    let cursor = |(stream_id, resume_after)| StreamCursor { stream_id, resume_after };
    let resume: Vec<StreamCursor> = applied.cursors(open).into_iter().map(cursor).collect();
    match resume.is_empty() {
        true => subscribe(&connection, applied, open),
        false => connection.reducers.resume_stream(resume).ok()?,
    }
    program::when_over(connection.run_threaded(), ended);
    Some(Box::new(move || drop(connection.disconnect())))
}

fn subscribe(ctx: &impl RemoteDbContext, applied: &Applied, open: &Open) {
    let snapshot = applied.clone();
    ctx.subscription_builder()
        .on_applied(move |ctx| {
            let mut rows: Vec<SyncEvent> = ctx.db.sync_event().iter().collect();
            rows.sort_by(|a, b| (&a.stream_id, a.seq).cmp(&(&b.stream_id, b.seq)));
            if !rows.iter().all(|row| snapshot.take(&row.stream_id, row.seq, &row.payload)) {
                let _ = ctx.disconnect();
            }
        })
        .on_error(|_, error| say(json!({"type": "error", "message": format!("refused: {error}")})))
        .subscribe(applied.queries(open));
}
