//! Toxics in virtual time: a chain, a clock that the test moves, and what came out when.

#![allow(clippy::unwrap_used)]

mod delays;
mod endings;
mod properties;
mod rate;
mod row;

use std::time::Duration;

use bytes::Bytes;
use cutover_core::ids::FaultId;
use cutover_core::plan::{ByteToxic, Direction};
use tokio::time::Instant;

use super::{Chain, Ending, Out, Toxic};

/// A toxic that applies.
fn toxic(name: &str, toxic: ByteToxic) -> Toxic {
    Toxic { name: FaultId::new(name), direction: Direction::Downstream, toxicity: 1.0, toxic }
}

fn latency(latency: i64, jitter: i64) -> ByteToxic {
    ByteToxic::Latency { latency, jitter }
}

fn bandwidth(rate: i64) -> ByteToxic {
    ByteToxic::Bandwidth { rate }
}

fn slow_close(delay: i64) -> ByteToxic {
    ByteToxic::SlowClose { delay }
}

fn timeout(timeout: i64) -> ByteToxic {
    ByteToxic::Timeout { timeout }
}

fn reset_peer(timeout: i64) -> ByteToxic {
    ByteToxic::ResetPeer { timeout }
}

fn slicer(average_size: i64, size_variation: i64, delay: i64) -> ByteToxic {
    ByteToxic::Slicer { average_size, size_variation, delay }
}

fn limit_data(bytes: i64) -> ByteToxic {
    ByteToxic::LimitData { bytes }
}

/// Something that came out, and the millisecond in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Bytes(u64, Vec<u8>),
    Ended(u64, Ending),
}

fn bytes(at: u64, text: &str) -> Seen {
    Seen::Bytes(at, text.as_bytes().to_vec())
}

/// A chain and its clock.
struct Lab {
    chain: Chain,
    start: Instant,
    now: Instant,
}

impl Lab {
    fn new(toxics: &[(&str, ByteToxic)]) -> Lab {
        Lab::seeded(1, toxics)
    }

    fn seeded(seed: u64, toxics: &[(&str, ByteToxic)]) -> Lab {
        let start = Instant::now();
        let mut lab = Lab { chain: Chain::new(seed), start, now: start };
        lab.set(toxics);
        lab
    }

    fn set(&mut self, toxics: &[(&str, ByteToxic)]) {
        let toxics: Vec<Toxic> = toxics.iter().map(|(name, what)| toxic(name, what.clone())).collect();
        self.chain.set(&toxics, self.now);
    }

    fn push(&mut self, text: &str) {
        self.chain.push(Bytes::copy_from_slice(text.as_bytes()), self.now);
    }

    fn end(&mut self) {
        self.chain.end(self.now);
    }

    fn millis(&self) -> u64 {
        (self.now - self.start).as_millis() as u64
    }

    /// Moves the clock to this millisecond and tells what came out, each thing when it was due.
    fn run(&mut self, millis: u64) -> Vec<Seen> {
        let until = self.start + Duration::from_millis(millis);
        let mut seen = Vec::new();
        loop {
            match self.chain.poll(self.now) {
                Out::Bytes(data) => seen.push(Seen::Bytes(self.millis(), data.to_vec())),
                Out::Until(due) if due <= until => {
                    assert!(due > self.now, "the chain asks for a time that is gone");
                    self.now = due;
                }
                Out::Ended(ending) => {
                    seen.push(Seen::Ended(self.millis(), ending));
                    break;
                }
                Out::Until(_) | Out::Idle => break,
            }
        }
        self.now = self.now.max(until);
        seen
    }

    /// The toxics that struck.
    fn struck(&mut self) -> Vec<String> {
        self.chain.take_fired().iter().map(FaultId::to_string).collect()
    }
}
