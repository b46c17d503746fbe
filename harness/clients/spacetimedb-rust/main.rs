//! Drives the official Rust client of SpacetimeDB, `spacetimedb-sdk` 1.2.0, for `cutover` (docs/CLIENTS.md). It does not
//! reconnect, so that is done here. It is an example of the engine's crate, whose tests have the SDK and its bindings.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../../spacetime/engine/tests/real_server/bindings/mod.rs"]
#[allow(dead_code, unused_imports)]
mod bindings;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bindings::{DbConnection, StreamCursor, SyncEvent, SyncEventTableAccess, resume_stream};
use serde_json::{Value, json};
use spacetimedb_sdk::{DbContext, Event, Status, Table};

const FIRST_WAIT: Duration = Duration::from_millis(40);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

enum Told {
    Line(Value),
    /// The connection of this number ended.
    Ended(u32),
}

fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// How far each stream is applied, in memory and in a file.
struct Cursors {
    file: PathBuf,
    seqs: BTreeMap<String, u64>,
    /// Whether something came since it was last asked.
    moved: bool,
}

impl Cursors {
    fn of(dir: &str) -> Cursors {
        let file = PathBuf::from(dir).join("cursors.json");
        let text = std::fs::read(&file).unwrap_or_else(|_| b"{}".to_vec());
        Cursors { file, seqs: serde_json::from_slice(&text).unwrap(), moved: false }
    }

    fn store(&self) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&self.seqs).unwrap()).unwrap();
        std::fs::rename(&new, &self.file).unwrap();
    }

    /// Applies an event, or drops it; false where others are missing before it.
    fn take(&mut self, row: &SyncEvent) -> bool {
        let (stream, seq) = (&row.stream_id, row.seq);
        match self.seqs.get(stream) {
            Some(last) if seq <= *last => say(&json!({"type": "duplicate", "stream": stream, "seq": seq})),
            Some(last) if seq > last + 1 => return false,
            _ => {
                // The payload is passed on as it came, so that no number of it is rounded.
                let (payload, stream_text) = (&row.payload, json!(stream));
                let applied = format!(r#"{{"type":"applied","stream":{stream_text},"seq":{seq},"payload":{payload}}}"#);
                let mut out = std::io::stdout().lock();
                writeln!(out, "{applied}").and_then(|()| out.flush()).unwrap();
                drop(out);
                self.seqs.insert(stream.clone(), seq);
                self.store();
                say(&json!({"type": "checkpoint", "stream": stream, "seq": seq}));
                self.moved = true;
            }
        }
        true
    }

    fn start_anew(&mut self, stream: &str, reason: &str) {
        self.seqs.remove(stream);
        self.store();
        say(&json!({"type": "rebootstrap", "stream": stream, "reason": reason}));
    }
}

type Shared = Arc<Mutex<Cursors>>;

fn connect(open: &Value, cursors: &Shared, (number, told): (u32, &Sender<Told>)) -> Option<DbConnection> {
    let text = |name: &str| open[name].as_str().map(str::to_owned);
    let ended = told.clone();
    let connection = DbConnection::builder()
        .with_uri(text("url")?)
        .with_module_name(text("database")?)
        .with_token(text("token"))
        .on_disconnect(move |_, _| drop(ended.send(Told::Ended(number))))
        .build()
        .ok()?;
    let streams: Vec<String> = serde_json::from_value(open["streams"].clone()).ok()?;
    let live = cursors.clone();
    connection.db.sync_event().on_insert(move |ctx, row| {
        // The rows of a snapshot are taken together, by their seq.
        if !matches!(ctx.event, Event::SubscribeApplied) && !live.lock().unwrap().take(row) {
            let _ = ctx.disconnect();
        }
    });
    let (known, asked) = (cursors.clone(), streams.clone());
    connection.reducers.on_resume_stream(move |ctx, _| {
        if ctx.event.caller_connection_id != Some(ctx.connection_id()) {
            return;
        }
        match &ctx.event.status {
            Status::Committed => subscribe(ctx, &known, &asked),
            Status::Failed(words) if refused(words, &known, &asked) => subscribe(ctx, &known, &asked),
            _ => drop(ctx.disconnect()),
        }
    });
    let resume: Vec<StreamCursor> = {
        let cursors = cursors.lock().unwrap();
        let cursor = |stream: &String| {
            Some(StreamCursor { stream_id: stream.clone(), resume_after: *cursors.seqs.get(stream)? })
        };
        streams.iter().filter_map(cursor).collect()
    };
    match resume.is_empty() {
        true => subscribe(&connection, cursors, &streams),
        false => connection.reducers.resume_stream(resume).ok()?,
    }
    connection.run_threaded();
    Some(connection)
}

/// Whether a refusal says that cursors are stale. Those are given up.
fn refused(words: &str, cursors: &Shared, streams: &[String]) -> bool {
    let refusal: Value = serde_json::from_str(words).unwrap_or_default();
    let named = |stream: &String| {
        let stale = refusal["stale_topics"].as_array().map_or(&[][..], Vec::as_slice);
        stale.iter().any(|entry| entry["topic"] == **stream || entry["stream_id"] == **stream)
    };
    let is_stale = refusal["code"] == "stale_cursor";
    let mut cursors = cursors.lock().unwrap();
    for stream in streams.iter().filter(|stream| is_stale && named(stream)) {
        cursors.start_anew(stream, "stale_cursor");
    }
    is_stale
}

fn subscribe<C>(ctx: &C, cursors: &Shared, streams: &[String])
where
    C: DbContext<SubscriptionBuilder = spacetimedb_sdk::SubscriptionBuilder<bindings::RemoteModule>>,
{
    let query = |stream: &String| {
        let after = cursors.lock().unwrap().seqs.get(stream).copied().unwrap_or(0);
        let name = stream.replace('\'', "''");
        format!("SELECT * FROM sync_event WHERE stream_id = '{name}' AND seq > {after}")
    };
    let queries: Vec<String> = streams.iter().map(query).collect();
    let snapshot = cursors.clone();
    ctx.subscription_builder()
        .on_applied(move |ctx| {
            let mut rows: Vec<SyncEvent> = ctx.db.sync_event().iter().collect();
            rows.sort_by(|a, b| (&a.stream_id, a.seq).cmp(&(&b.stream_id, b.seq)));
            let mut cursors = snapshot.lock().unwrap();
            if !rows.iter().all(|row| cursors.take(row)) {
                let _ = ctx.disconnect();
            }
        })
        .on_error(|_, error| say(&json!({"type": "error", "message": format!("refused: {error}")})))
        .subscribe(queries);
}

fn main() {
    let (told, orders) = channel();
    let lines = told.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let _ = lines.send(Told::Line(serde_json::from_str(&line.unwrap()).unwrap()));
        }
        std::process::exit(0);
    });
    run(&told, &orders);
}

fn run(told: &Sender<Told>, orders: &Receiver<Told>) {
    let mut open: Option<(Value, Shared)> = None;
    let mut connection: Option<DbConnection> = None;
    let (mut number, mut wait, mut retry_at) = (0, FIRST_WAIT, Instant::now());
    loop {
        if let (Some((line, cursors)), None) = (&open, &connection)
            && Instant::now() >= retry_at
        {
            number += 1;
            connection = connect(line, cursors, (number, told));
            if connection.is_none() {
                retry_at = Instant::now() + wait;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        let pause = match (&open, &connection) {
            (Some(_), None) => retry_at.saturating_duration_since(Instant::now()),
            _ => Duration::from_secs(3600),
        };
        match orders.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(Told::Ended(of)) if of == number && connection.is_some() => {
                connection = None;
                if let Some((_, cursors)) = &open
                    && std::mem::take(&mut cursors.lock().unwrap().moved)
                {
                    wait = FIRST_WAIT;
                }
                retry_at = Instant::now() + wait;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            Ok(Told::Ended(_)) => {}
            Ok(Told::Line(line)) => match line["type"].as_str() {
                Some("open") => {
                    let dir = line["data_dir"].as_str().unwrap_or(".").to_owned();
                    let cursors = Arc::new(Mutex::new(Cursors::of(&dir)));
                    (open, wait, retry_at) = (Some((line, cursors)), FIRST_WAIT, Instant::now());
                }
                Some("ping") => say(&json!({"type": "pong", "id": line["id"]})),
                Some("close") => {
                    open = None;
                    if let Some(connection) = connection.take() {
                        let _ = connection.disconnect();
                        while !matches!(orders.recv(), Ok(Told::Ended(of)) if of == number) {}
                    }
                    say(&json!({"type": "closed"}));
                }
                _ => {}
            },
        }
    }
}
