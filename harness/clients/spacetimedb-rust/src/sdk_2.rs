//! Drives the official Rust client of SpacetimeDB 2.x, `spacetimedb-sdk`, for `cutover` (docs/CLIENTS.md).

mod bindings;
mod program;

use bindings::{DbConnection, RemoteDbContext, StreamCursor, SyncEvent};
use program::{Applied, Close, Ended, Open, say};
use serde_json::json;
use spacetimedb_sdk::{DbContext, Event, Table};

fn main() {
    program::run(connect);
}

fn connect(open: &Open, applied: &Applied, ended: Ended) -> Option<Close> {
    let connection = DbConnection::builder()
        .with_uri(&open.url)
        .with_database_name(&open.database)
        .with_token(open.token.clone())
        .build()
        .ok()?;
    let live = applied.clone();
    connection.db().sync_event().on_insert(move |ctx, row| {
        // The rows of a snapshot are taken together, by their seq.
        if !matches!(ctx.event, Event::SubscribeApplied) && !live.take(&row.stream_id, row.seq, &row.payload) {
            let _ = ctx.disconnect();
        }
    });
    let cursor = |(stream_id, resume_after)| StreamCursor { stream_id, resume_after };
    let resume: Vec<StreamCursor> = applied.cursors(open).into_iter().map(cursor).collect();
    let (known, asked) = (applied.clone(), open.clone());
    match resume.is_empty() {
        true => subscribe(&connection, applied, open),
        false => connection
            .reducers()
            .resume_stream(resume, move |ctx, answer| match answer {
                Ok(Ok(())) => subscribe(ctx, &known, &asked),
                Ok(Err(words)) if known.refused(&asked, &words) => subscribe(ctx, &known, &asked),
                _ => drop(ctx.disconnect()),
            })
            .ok()?,
    }
    program::when_over(connection.run_threaded(), ended);
    Some(Box::new(move || drop(connection.disconnect())))
}

fn subscribe(ctx: &impl RemoteDbContext, applied: &Applied, open: &Open) {
    let snapshot = applied.clone();
    ctx.subscription_builder()
        .on_applied(move |ctx| {
            let mut rows: Vec<SyncEvent> = ctx.db().sync_event().iter().collect();
            rows.sort_by(|a, b| (&a.stream_id, a.seq).cmp(&(&b.stream_id, b.seq)));
            if !rows.iter().all(|row| snapshot.take(&row.stream_id, row.seq, &row.payload)) {
                let _ = ctx.disconnect();
            }
        })
        .on_error(|_, error| say(json!({"type": "error", "message": format!("refused: {error}")})))
        .subscribe(applied.queries(open));
}
