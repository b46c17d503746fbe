//! Every bound of our own, and how time is measured.
//!
//! A bound keeps a run from waiting for ever. It decides nothing about a lane: what did not come within a bound is
//! `unknown`, and the finding names the bound. A wait counts short ticks. A tick that comes late, since the machine was
//! busy or the process was stopped, counts as one tick.

#![allow(missing_docs, reason = "the names say it")]

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The state that a step of a script waits for.
pub const STEP: Bound = Bound::new("step", Duration::from_secs(30));
/// A fault that may still fire after its client came to rest. By then only heartbeats pass.
pub const REST: Bound = Bound::new("rest", Duration::from_secs(5));
/// Progress of a client behind an acknowledged head, before it asks again. Its lane was quick before.
pub const PATIENCE: Bound = Bound::new("patience", Duration::from_secs(1));
/// The same before any event has come.
pub const FIRST_PATIENCE: Bound = Bound::new("first-patience", Duration::from_secs(3));
/// The shortest time between two checks of a client that asks again.
pub const SECOND_LOOK: Bound = Bound::new("second-look", Duration::from_millis(500));
pub const HEAL: Bound = Bound::new("heal", Duration::from_secs(20));
/// The live arrival of an event that proves a stream alive, while the lane answers heartbeats quickly.
pub const PROOF: Bound = Bound::new("proof", Duration::from_secs(2));
/// An event of the outbox at the relay, after the relay was changed.
pub const RELAY: Bound = Bound::new("relay", Duration::from_secs(5));
/// Progress of a bridge while the relay answers well.
pub const OUTBOX: Bound = Bound::new("outbox", Duration::from_secs(5));
/// What a program that stands in a client's place is asked for: an answer to a ping, or the end of its connection.
pub const PROGRAM: Bound = Bound::new("program", Duration::from_secs(10));
/// The first attempt of a program to reconnect, once it has lost a good connection.
pub const AWAY: Bound = Bound::new("away", Duration::from_secs(10));
pub const DRAIN: Bound = Bound::new("drain", Duration::from_secs(20));
/// A lane's list of connections that has caught up with the connections.
pub const ROLL_CALL: Bound = Bound::new("roll-call", Duration::from_secs(5));
/// A connection to a lane, the answer to an upgrade, and the answer to a join, each.
pub const OPEN: Bound = Bound::new("open", Duration::from_secs(5));
/// The answer to a checkpoint of a client that leaves.
pub const ANSWER: Bound = Bound::new("answer", Duration::from_secs(2));
/// The answer to one attempt of the writer; of a publish, as long again for each [`SLOW_BYTES`] of its payload. Where
/// answers were slow before, four times the slowest one, up to `write-tries`.
pub const WRITE: Bound = Bound::new("write", Duration::from_secs(10));
/// The same where a fault or a toxic of the plan may take the answer away.
pub const DISTURBED_WRITE: Bound = Bound::new("disturbed-write", Duration::from_secs(3));
/// All attempts of one operation of the writer, as much longer.
pub const WRITE_TRIES: Bound = Bound::new("write-tries", Duration::from_secs(20));
/// The answer to a subscription or another request. While the lane sends, the bound restarts.
pub const OPERATION: Bound = Bound::new("operation", Duration::from_secs(10));
/// The answer to a heartbeat. While the lane sends, the bound restarts.
pub const HEARTBEAT: Bound = Bound::new("heartbeat", Duration::from_secs(2));
/// Any request of a client, with all restarts of other bounds.
pub const IN_ALL: Bound = Bound::new("in-all", Duration::from_secs(300));
pub const CLOSE: Bound = Bound::new("close", Duration::from_secs(1));
pub const START: Bound = Bound::new("start", Duration::from_secs(60));
pub const STOP: Bound = Bound::new("stop", Duration::from_secs(3));
/// The end of a server of ours that closed its output.
pub const END: Bound = Bound::new("end", Duration::from_secs(1));
/// An acknowledged event on disk.
pub const DURABLE: Bound = Bound::new("durable", Duration::from_secs(30));
/// A connection to a server, and its answer to a cheap request.
pub const MEET: Bound = Bound::new("meet", Duration::from_secs(5));
/// The publication of a module, which the server compiles.
pub const ADMIN: Bound = Bound::new("admin", Duration::from_secs(60));
pub const DELETE: Bound = Bound::new("delete", Duration::from_secs(3));
/// The end of the last connection to a database that is to be deleted.
pub const EMPTY: Bound = Bound::new("empty", Duration::from_secs(5));
/// A connection to an external Toxiproxy, and its answer to a request of ours, each.
pub const TOXIPROXY: Bound = Bound::new("toxiproxy", Duration::from_secs(3));
pub const LIVE: Bound = Bound::new("live", Duration::from_secs(2));

/// The most bytes of an assembled message, of an HTTP answer, and of a decompressed message. SpacetimeDB sends a whole
/// snapshot in one message, so that this only protects memory. No lane is expected to reach it.
pub const MESSAGE_MAX_BYTES: usize = 1 << 30;
/// The most arrivals that a session keeps for its client.
pub const ARRIVALS_MAX: usize = 1 << 23;

/// A service that takes a payload apart in slow code needs a second for so many bytes on a busy machine.
pub const SLOW_BYTES: usize = 256 * 1024;

/// How many times [`SLOW_BYTES`] a payload has, rounded up.
pub fn parts_of_payload(payload: &str) -> u32 {
    u32::try_from(payload.len() / SLOW_BYTES).unwrap_or(u32::MAX).saturating_add(1)
}

const MOST_RENEWALS: u32 = 20;
/// The longest tick. A shorter one would measure a busy machine more exactly, and cost more.
const TICK: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Its name in findings and in the documents.
    pub name: &'static str,
    pub time: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached(pub Bound);

impl Bound {
    pub const fn new(name: &'static str, time: Duration) -> Bound {
        Bound { name, time }
    }

    pub async fn within<T>(self, work: impl Future<Output = T>) -> Result<T, Reached> {
        self.begin().within(work).await
    }

    pub fn begin(self) -> Running {
        Running { bound: self, left: self.time, renewals: 0 }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Running {
    bound: Bound,
    left: Duration,
    renewals: u32,
}

impl Running {
    /// Waits within what is left of the bound.
    pub async fn within<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Reached> {
        let mut work = pin!(work);
        loop {
            let (tick, since) = (self.left.min(TICK), Instant::now());
            tokio::select! {
                biased;
                done = &mut work => {
                    self.left = self.left.saturating_sub(since.elapsed().min(tick));
                    return Ok(done);
                }
                () = sleep(tick) => self.left = self.left.saturating_sub(tick),
            }
            if self.is_reached() {
                return Err(Reached(self.bound));
            }
        }
    }

    /// Counts the time of some work against the bound. The work always finishes.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        match self.within(&mut work).await {
            Ok(done) => done,
            Err(_) => work.await,
        }
    }

    /// Restarts the bound, since there is progress; `false` where that was done too often.
    pub fn renew(&mut self) -> bool {
        self.renewals += 1;
        self.left = self.bound.time;
        self.renewals <= MOST_RENEWALS
    }

    pub fn is_reached(&self) -> bool {
        self.left.is_zero()
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bound { name, time } = self;
        match time.subsec_millis() {
            0 => write!(out, "{} s (our bound `{name}`)", time.as_secs()),
            _ => write!(out, "{} ms (our bound `{name}`)", time.as_millis()),
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not within {}", self.0)
    }
}

#[cfg(test)]
mod tests;
