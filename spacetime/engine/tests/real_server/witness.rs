//! A client of the official Rust SDK, as an independent witness: nothing of our lane is in it.
//!
//! Each runs in a process of its own, which is this test binary once more: the SDK has one connection id for all
//! connections of a process, so two in one process would be one connection to the module. It takes orders as lines of
//! JSON on standard input, and tells all that the SDK calls back about as lines of JSON on standard output, in the
//! order of the callbacks.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use spacetimedb_sdk::{DbContext, Event, Status, Table};

use crate::bindings::{
    ActiveConnectionTableAccess, DbConnection, EventContext, ReducerEventContext, StreamCursor, SyncEvent,
    SyncEventTableAccess, SyncStreamTableAccess, append_sync_event, resume_stream,
};
use crate::client::{Client, DATABASE};
use crate::server::Server;
use crate::witness_tests::Seen;

const ADDRESS_VARIABLE: &str = "CUTOVER_ENGINE_TEST_WITNESS_ADDRESS";
const TOKEN_VARIABLE: &str = "CUTOVER_ENGINE_TEST_WITNESS_TOKEN";

/// What each line of a witness begins with, so that the test runner's own words are told from it.
const MARK: &str = "witness: ";

/// Not a test of anything: where the environment says so, this process is the witness, until its orders end.
#[test]
fn be_a_witness_where_the_environment_says_so() {
    let Ok(address) = std::env::var(ADDRESS_VARIABLE) else {
        return;
    };
    let connection = connect(&address, std::env::var(TOKEN_VARIABLE).unwrap());
    let messages = connection.run_threaded();
    for order in std::io::stdin().lines() {
        obey(&connection, &serde_json::from_str(&order.unwrap()).unwrap());
    }
    connection.disconnect().unwrap();
    messages.join().unwrap();
}

fn connect(address: &str, token: String) -> DbConnection {
    let connection = DbConnection::builder()
        .with_uri(format!("http://{address}"))
        .with_module_name(DATABASE)
        .with_token(Some(token))
        .on_connect(|_, identity, _| tell(&json!({"connected": identity.to_hex().to_string()})))
        .on_disconnect(|_, error| tell(&json!({"disconnected": error.map(|error| error.to_string())})))
        .build()
        .unwrap();
    connection.db.sync_event().on_insert(|ctx, row| tell(&event(ctx, row)));
    connection.db.sync_event().on_delete(|_, row| tell(&json!({"removed": [row.stream_id, row.seq]})));
    let count = |ctx: &EventContext| tell(&json!({"connections": ctx.db.active_connection().count()}));
    connection.db.active_connection().on_insert(move |ctx, _| count(ctx));
    connection.db.active_connection().on_delete(move |ctx, _| count(ctx));
    connection.reducers.on_resume_stream(|ctx, _| answered(ctx));
    connection.reducers.on_append_sync_event(|ctx, _, _, _, _, _| answered(ctx));
    connection
}

fn obey(connection: &DbConnection, order: &Value) {
    let text = |place: usize| order[1][place].as_str().unwrap().to_owned();
    match order[0].as_str().unwrap() {
        "subscribe" => {
            let queries: Vec<String> = serde_json::from_value(order[1].clone()).unwrap();
            connection
                .subscription_builder()
                .on_applied(|ctx| {
                    let streams = ctx.db.sync_stream();
                    let heads = streams.iter().map(|row| json!([row.stream_id, row.head_seq]));
                    tell(&json!({"applied": heads.collect::<Vec<_>>()}));
                })
                .on_error(|_, error| tell(&json!({"failed": error.to_string()})))
                .subscribe(queries);
        }
        "resume" => {
            let resume_after = order[1][1].as_u64().unwrap();
            let cursor = StreamCursor { stream_id: text(0), resume_after };
            connection.reducers.resume_stream(vec![cursor]).unwrap();
        }
        "append" => {
            let append = connection.reducers.append_sync_event(text(0), text(1), text(2), String::new(), None);
            append.unwrap();
        }
        unknown => panic!("no such order: {unknown}"),
    }
}

fn event(ctx: &EventContext, row: &SyncEvent) -> Value {
    let of_snapshot = matches!(ctx.event, Event::SubscribeApplied);
    json!({
        "event": [row.stream_id, row.seq, row.payload_hash, row.payload],
        "of_snapshot": of_snapshot,
        "confirmed_read": row.confirmed_read,
    })
}

/// Tells how a call of our own ended; others' calls are called back about as well.
fn answered(ctx: &ReducerEventContext) {
    if ctx.event.caller_connection_id != Some(ctx.connection_id()) {
        return;
    }
    tell(&match &ctx.event.status {
        Status::Committed => json!({"answer": null}),
        Status::Failed(words) => json!({"answer": words}),
        Status::OutOfEnergy => json!({"failed": "out of energy"}),
    });
}

fn tell(what: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{what}").and_then(|()| out.flush()).unwrap();
}

/// A witness's process, killed when the test is done with it.
pub struct Witness {
    process: Child,
    orders: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
    events: Vec<Seen>,
    connections: Vec<u64>,
}

impl Witness {
    /// Starts a witness and waits until the SDK says that it is connected.
    pub fn connect(server: &Server, client: &Client) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["witness::be_a_witness_where_the_environment_says_so", "--exact", "--nocapture"])
            .env(ADDRESS_VARIABLE, &server.address)
            .env(TOKEN_VARIABLE, &client.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut witness = Self { process, orders, lines, events: Vec::new(), connections: Vec::new() };
        witness.hear("connected");
        witness
    }

    /// Subscribes, and answers with the streams' heads that the SDK then holds, in the order of their ids.
    pub fn subscribe(&mut self, queries: &[String]) -> Vec<(String, u64)> {
        self.order(&json!(["subscribe", queries]));
        let mut heads: Vec<(String, u64)> = serde_json::from_value(self.hear("applied")).unwrap();
        heads.sort_unstable();
        heads
    }

    /// Calls `resume_stream`; answers with the refusal's words where it was refused.
    pub fn resume(&mut self, stream_id: &str, cursor: u64) -> Result<(), String> {
        self.order(&json!(["resume", [stream_id, cursor]]));
        self.answer()
    }

    /// Calls `append_sync_event`; answers with the refusal's words where it was refused.
    pub fn append(&mut self, stream_id: &str, key: &str, payload: &str) -> Result<(), String> {
        self.order(&json!(["append", [stream_id, key, payload]]));
        self.answer()
    }

    /// All events that came since this was asked last, in the order in which they came.
    pub fn events(&mut self, stream_id: &str) -> Vec<Seen> {
        // The server answers a call behind all that was committed before it.
        self.resume(stream_id, u64::MAX).unwrap();
        std::mem::take(&mut self.events)
    }

    /// Waits until `active_connection` has come to so many rows.
    pub fn wait_for_connections(&mut self, expect: u64) {
        while self.connections.last() != Some(&expect) {
            self.listen();
        }
    }

    /// Has the SDK disconnect and waits until it says that it did.
    pub fn leave(mut self) {
        drop(self.orders.take());
        let without_error = self.hear("disconnected");
        assert_eq!(without_error, Value::Null);
        assert!(self.process.wait().unwrap().success());
    }

    /// Kills the process, so that nobody says goodbye.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn order(&mut self, order: &Value) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    fn answer(&mut self) -> Result<(), String> {
        match self.hear("answer") {
            Value::String(words) => Err(words),
            _ => Ok(()),
        }
    }

    /// Waits for a line of this kind.
    fn hear(&mut self, kind: &str) -> Value {
        loop {
            let mut told = self.listen();
            if let Some(what) = told.get_mut(kind) {
                return what.take();
            }
        }
    }

    /// Reads the next line, and keeps what it says of events and connections.
    fn listen(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the witness ended");
            let Some((_, told)) = line.split_once(MARK) else {
                continue;
            };
            let told: Value = serde_json::from_str(told).unwrap();
            assert!(told.get("failed").is_none() && told.get("removed").is_none(), "{told}");
            if let Some(event) = told.get("event") {
                assert_eq!(told["confirmed_read"], true);
                self.events.push(Seen::read(event, told["of_snapshot"] == true));
            }
            self.connections.extend(told.get("connections").and_then(Value::as_u64));
            return told;
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
