//! Every bound of our own, in one place, and how time is measured.
//!
//! A bound keeps a run from waiting for ever. It does not decide about a lane: what did not come within a bound is
//! `unknown`, and the finding names the bound. It is measured in time that this process had: a wait counts short ticks,
//! and a tick that comes late, since the machine was busy or the process was stopped, counts as one tick.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A script's step waits so long for the state that it waits for.
pub const STEP: Bound = Bound::new("step", Duration::from_secs(30));
/// A fault that has not fired so long after its client came to rest will not: only heartbeats pass by then.
pub const REST: Bound = Bound::new("rest", Duration::from_secs(5));
/// A client that stands behind an acknowledged head waits so long without progress before it asks again, where its lane
/// was seen to be quick.
pub const PATIENCE: Bound = Bound::new("patience", Duration::from_secs(1));
/// The same where no event was seen to come yet, so that nothing is known of the lane.
pub const FIRST_PATIENCE: Bound = Bound::new("first-patience", Duration::from_secs(3));
/// Between the two looks of a client that asks again lies at least this.
pub const SECOND_LOOK: Bound = Bound::new("second-look", Duration::from_millis(500));
/// After the faults are off, a client has so long for a round trip on a good connection.
pub const HEAL: Bound = Bound::new("heal", Duration::from_secs(20));
/// An event that proves a stream alive comes live, as long as the lane answers heartbeats quickly.
pub const PROOF: Bound = Bound::new("proof", Duration::from_secs(2));
/// At the end of a run, a client has so long for its last round trip.
pub const DRAIN: Bound = Bound::new("drain", Duration::from_secs(20));
/// A lane takes a connection, answers an upgrade, and answers a join, each.
pub const OPEN: Bound = Bound::new("open", Duration::from_secs(5));
/// A lane answers a checkpoint that a client tells before it leaves.
pub const ANSWER: Bound = Bound::new("answer", Duration::from_secs(2));
/// A lane answers one attempt of the writer.
pub const WRITE: Bound = Bound::new("write", Duration::from_secs(3));
/// All attempts of one operation of the writer.
pub const WRITE_TRIES: Bound = Bound::new("write-tries", Duration::from_secs(20));
/// A lane answers a subscription or another request. As long as it sends, the bound begins anew.
pub const OPERATION: Bound = Bound::new("operation", Duration::from_secs(10));
/// A lane answers a heartbeat. As long as it sends, the bound begins anew.
pub const HEARTBEAT: Bound = Bound::new("heartbeat", Duration::from_secs(2));
/// Whatever a client asks of a session, however often another bound began anew.
pub const IN_ALL: Bound = Bound::new("in-all", Duration::from_secs(300));
/// A session closes in good order.
pub const CLOSE: Bound = Bound::new("close", Duration::from_secs(1));
/// A server of ours serves after its start.
pub const START: Bound = Bound::new("start", Duration::from_secs(60));
/// A server of ours ends in good order.
pub const STOP: Bound = Bound::new("stop", Duration::from_secs(3));
/// A server of ours that closed its output ends.
pub const END: Bound = Bound::new("end", Duration::from_secs(1));
/// What a server acknowledged is on disk.
pub const DURABLE: Bound = Bound::new("durable", Duration::from_secs(30));
/// A server takes a connection and answers what costs it little.
pub const MEET: Bound = Bound::new("meet", Duration::from_secs(5));
/// A server publishes a module, which it compiles.
pub const ADMIN: Bound = Bound::new("admin", Duration::from_secs(60));
/// A server deletes a database.
pub const DELETE: Bound = Bound::new("delete", Duration::from_secs(3));
/// A database that is to be deleted loses its last connection.
pub const EMPTY: Bound = Bound::new("empty", Duration::from_secs(5));
/// The event of a trial arrives live.
pub const LIVE: Bound = Bound::new("live", Duration::from_secs(2));

/// A message that is put together whole has at most so many bytes, and so has an HTTP answer, and what a compressed
/// message comes to. A SpacetimeDB sends a whole snapshot in one message, whatever its size, so that this is memory's
/// bound, and not one that a lane is expected to reach.
pub const MESSAGE_MAX_BYTES: usize = 1 << 30;
/// Arrivals that a session keeps for its client.
pub const ARRIVALS_MAX: usize = 1 << 23;

/// How often a bound may begin anew.
const MOST_RENEWALS: u32 = 20;
/// The longest tick. A shorter one would follow a busy machine more closely, and cost more.
const TICK: Duration = Duration::from_millis(20);

/// The longest wait for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What it is called in findings and in the documents.
    pub name: &'static str,
    /// How much of the time that this process has.
    pub time: Duration,
}

/// A bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached(pub Bound);

impl Bound {
    /// A bound of this name.
    pub const fn new(name: &'static str, time: Duration) -> Bound {
        Bound { name, time }
    }

    /// Waits within the bound.
    ///
    /// # Errors
    /// Where the bound is reached first.
    pub async fn within<T>(self, work: impl Future<Output = T>) -> Result<T, Reached> {
        self.begin().within(work).await
    }

    /// Begins a bound for several waits together.
    pub fn begin(self) -> Running {
        Running { bound: self, left: self.time, renewals: 0 }
    }
}

/// A bound that is running.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    bound: Bound,
    left: Duration,
    renewals: u32,
}

impl Running {
    /// Waits within what is left of the bound.
    ///
    /// # Errors
    /// Where the bound is reached first.
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

    /// Counts the time of some work against the bound, and lets the work end.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        match self.within(&mut work).await {
            Ok(done) => done,
            Err(_) => work.await,
        }
    }

    /// Begins the bound anew, since what it waits for goes on; false where that was done too often.
    pub fn renew(&mut self) -> bool {
        self.renewals += 1;
        self.left = self.bound.time;
        self.renewals <= MOST_RENEWALS
    }

    /// Whether nothing is left.
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
