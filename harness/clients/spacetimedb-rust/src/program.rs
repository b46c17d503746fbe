//! What both drivers of the official Rust client share: the lines to and from `cutover` (docs/CLIENTS.md), a cursor for
//! each stream in a file, and reconnects with a back-off, which the official client leaves to its user.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::exit;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const FIRST_WAIT: Duration = Duration::from_millis(40);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_secs(86_400);

/// Writes a line. Without a reader there is no work left.
pub fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        exit(0);
    }
}

/// Says that it can't go on.
fn fail(what: &str) -> ! {
    say(json!({"type": "error", "message": what}));
    exit(1)
}

/// What `open` says.
#[derive(Clone)]
pub struct Open {
    pub url: String,
    pub database: String,
    pub token: Option<String>,
    pub streams: Vec<String>,
}

impl Open {
    fn read(line: &Value) -> Option<(Open, PathBuf)> {
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let streams = line["streams"].as_array()?.iter().filter_map(|name| Some(name.as_str()?.to_owned()));
        let open =
            Open { url: text("url")?, database: text("database")?, token: text("token"), streams: streams.collect() };
        Some((open, text("data_dir")?.into()))
    }
}

/// How far each stream is applied, in memory and in a file.
struct Cursors {
    file: PathBuf,
    seqs: BTreeMap<String, u64>,
    /// Whether an event was applied since this was last asked.
    moved: bool,
}

/// What the callbacks of the official client share.
#[derive(Clone)]
pub struct Applied(Arc<Mutex<Cursors>>);

impl Applied {
    fn in_dir(dir: PathBuf) -> Applied {
        let file = dir.join("cursors.json");
        let seqs = match std::fs::read(&file).map(|text| serde_json::from_slice(&text)) {
            Ok(Ok(seqs)) => seqs,
            Ok(Err(error)) => fail(&format!("{} can't be read: {error}", file.display())),
            Err(_) => BTreeMap::new(),
        };
        Applied(Arc::new(Mutex::new(Cursors { file, seqs, moved: false })))
    }

    fn lock(&self) -> MutexGuard<'_, Cursors> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The streams that have a cursor.
    pub fn cursors(&self, open: &Open) -> Vec<(String, u64)> {
        let cursors = self.lock();
        open.streams.iter().filter_map(|stream| Some((stream.clone(), *cursors.seqs.get(stream)?))).collect()
    }

    pub fn queries(&self, open: &Open) -> Vec<String> {
        let cursors = self.lock();
        let query = |stream: &String| {
            let after = cursors.seqs.get(stream).copied().unwrap_or(0);
            let name = stream.replace('\'', "''");
            format!("SELECT * FROM sync_event WHERE stream_id = '{name}' AND seq > {after}")
        };
        open.streams.iter().map(query).collect()
    }

    /// Applies the next event, or drops one that was applied. False where others are missing before it.
    pub fn take(&self, stream: &str, seq: u64, payload: &str) -> bool {
        self.lock().take(stream, seq, payload)
    }

    /// Whether a refusal says that cursors are stale. Those are given up.
    pub fn refused(&self, open: &Open, words: &str) -> bool {
        let refusal: Value = serde_json::from_str(words).unwrap_or_default();
        let stale = refusal["stale_topics"].as_array().map_or(&[][..], Vec::as_slice);
        let names = |stream: &String| {
            stale.is_empty() || stale.iter().any(|entry| entry["topic"] == **stream || entry["stream_id"] == **stream)
        };
        let is_stale = refusal["code"] == "stale_cursor";
        let known = self.cursors(open).into_iter().map(|(stream, _)| stream);
        for stream in known.filter(|stream| is_stale && names(stream)) {
            self.lock().start_anew(&stream);
        }
        is_stale
    }
}

impl Cursors {
    fn take(&mut self, stream: &str, seq: u64, payload: &str) -> bool {
        match self.seqs.get(stream) {
            Some(last) if seq <= *last => say(json!({"type": "duplicate", "stream": stream, "seq": seq})),
            Some(last) if seq > last + 1 => return false,
            _ => {
                // The payload goes on as it came, however deep or precise it is. JSON has breaks between tokens only.
                let (name, payload) = (json!(stream), payload.replace(['\n', '\r'], " "));
                say(format_args!(r#"{{"type":"applied","stream":{name},"seq":{seq},"payload":{payload}}}"#));
                self.seqs.insert(stream.to_owned(), seq);
                self.store();
                say(json!({"type": "checkpoint", "stream": stream, "seq": seq}));
                self.moved = true;
            }
        }
        true
    }

    fn start_anew(&mut self, stream: &str) {
        self.seqs.remove(stream);
        self.store();
        say(json!({"type": "rebootstrap", "stream": stream, "reason": "stale_cursor"}));
    }

    fn store(&self) {
        let new = self.file.with_extension("new");
        let text = json!(self.seqs).to_string();
        if let Err(error) = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.file)) {
            fail(&format!("{} can't be written: {error}", self.file.display()));
        }
    }
}

enum Told {
    Line(Value),
    /// The connection of this number ended.
    Ended(u32),
}

/// To be called once, when the connection has ended.
pub type Ended = Box<dyn FnOnce() + Send>;
/// Closes a connection.
pub type Close = Box<dyn Fn()>;

/// Tells when the thread of a connection is over. The official client's own callback is not called if that thread
/// panics, as that of 1.2.0 does where the server ends the connection just before a subscription is sent.
pub fn when_over(connection: JoinHandle<()>, ended: Ended) {
    std::thread::spawn(move || {
        let _ = connection.join();
        ended();
    });
}

/// Follows what `cutover` says. `connect` makes a connection that takes events from then on; `None` where it can't.
pub fn run(connect: impl Fn(&Open, &Applied, Ended) -> Option<Close>) {
    let (told, orders) = channel();
    let lines = told.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let Ok(line) = serde_json::from_str(&line) else { fail("it was told something else than JSON") };
            let _ = lines.send(Told::Line(line));
        }
        exit(0);
    });
    let mut driver = Driver {
        connect,
        told,
        orders,
        open: None,
        connection: None,
        closes: false,
        number: 0,
        wait: FIRST_WAIT,
        retry_at: Instant::now(),
    };
    while driver.step().is_some() {}
}

struct Driver<C> {
    connect: C,
    told: Sender<Told>,
    orders: Receiver<Told>,
    /// What is followed, while it is to be followed.
    open: Option<(Open, Applied)>,
    connection: Option<Close>,
    /// Whether it was told to close, and its connection has not ended yet.
    closes: bool,
    number: u32,
    wait: Duration,
    retry_at: Instant,
}

impl<C: Fn(&Open, &Applied, Ended) -> Option<Close>> Driver<C> {
    fn step(&mut self) -> Option<()> {
        let pause = match (&self.open, &self.connection) {
            (Some(_), None) => self.retry_at.saturating_duration_since(Instant::now()),
            _ => NEVER,
        };
        match self.orders.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => self.connect(),
            Err(RecvTimeoutError::Disconnected) => return None,
            Ok(Told::Ended(of)) if of == self.number && self.connection.is_some() => self.ended(),
            Ok(Told::Ended(_)) => {}
            Ok(Told::Line(line)) => match line["type"].as_str() {
                Some("open") => self.opens(&line),
                Some("ping") => say(json!({"type": "pong", "id": line["id"]})),
                Some("close") => self.close(),
                _ => {}
            },
        }
        Some(())
    }

    fn opens(&mut self, line: &Value) {
        let Some((open, dir)) = Open::read(line) else { fail("`open` lacks a member") };
        let applied = self.open.take().map_or_else(|| Applied::in_dir(dir), |(_, applied)| applied);
        (self.open, self.wait, self.retry_at) = (Some((open, applied)), FIRST_WAIT, Instant::now());
    }

    fn connect(&mut self) {
        let (Some((open, applied)), None) = (&self.open, &self.connection) else { return };
        self.number += 1;
        let (told, number) = (self.told.clone(), self.number);
        let ended = Box::new(move || drop(told.send(Told::Ended(number))));
        self.connection = (self.connect)(open, applied, ended);
        if self.connection.is_none() {
            self.wait_longer();
        }
    }

    fn ended(&mut self) {
        self.connection = None;
        if std::mem::take(&mut self.closes) {
            return say(json!({"type": "closed"}));
        }
        if let Some((_, applied)) = &self.open
            && std::mem::take(&mut applied.lock().moved)
        {
            self.wait = FIRST_WAIT;
        }
        self.wait_longer();
    }

    fn wait_longer(&mut self) {
        self.retry_at = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    fn close(&mut self) {
        self.open = None;
        match &self.connection {
            Some(close) => {
                self.closes = true;
                // Where its thread panicked, the official client panics here, too. Its end is told all the same.
                let _ = catch_unwind(AssertUnwindSafe(close));
            }
            None => say(json!({"type": "closed"})),
        }
    }
}
