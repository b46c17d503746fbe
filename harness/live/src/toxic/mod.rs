//! Byte toxics: those of Toxiproxy 2.x, as a chain of stages for one direction of a connection.
//!
//! Nothing here owns a socket, a task or a timer. Time is an argument, so that a test of an hour takes a millisecond.
//! All that a toxic holds is in [`Chain`], and not in a task that a change would interrupt, so that adding, changing or
//! removing a toxic can neither lose nor reorder a byte.
//!
//! Each toxic is a file with a [`Stage`]. To add one, write such a file, a variant of `ByteToxic`, and an arm in
//! [`stage`].

#![allow(missing_docs, reason = "the names say it")]

mod bandwidth;
mod chain;
mod chunk;
mod dice;
mod latency;
mod limit_data;
mod reset_peer;
mod slicer;
mod slow_close;
mod timeout;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use cutover_core::ids::FaultId;
use cutover_core::plan::{ByteToxic, Direction};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

pub use chain::Chain;
use chunk::{Chunk, Inbox};
use dice::Dice;

/// A requested toxic. The proxy draws for each connection whether it applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Toxic {
    /// Its name in the ledger. When toxics change, those of one direction are matched by name.
    pub name: FaultId,
    pub direction: Direction,
    /// The chance that a connection gets it, from 0 to 1.
    pub toxicity: f64,
    pub toxic: ByteToxic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The source ended; the other direction may go on.
    Eof,
    /// A toxic ends the connection: both sides get a FIN.
    Close,
    /// A toxic ends the connection: both sides get an RST.
    Reset,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// Bytes to write, at least one. They need a write of their own, so that a slicer has an effect.
    Bytes(Bytes),
    /// Nothing before this time, which is in the future. Ask again then, or after a push or a change.
    Until(Instant),
    Idle,
    /// All bytes are out and the stream has ended, for good.
    Ended(Ending),
}

/// Whether a connection gets a toxic. The draw depends only on the arguments, so that it stays the same when the toxic
/// is updated, or another one is added or removed. A toxicity of 0 (or no number) never applies, and 1 always does.
pub fn applies(seed: u64, proxy: &str, toxic: &str, connection: u64, toxicity: f64) -> bool {
    if toxicity >= 1.0 {
        return true;
    }
    let mut hash = Sha256::new();
    hash.update(b"cutover toxicity\0");
    hash.update(seed.to_be_bytes());
    hash.update(connection.to_be_bytes());
    // The length of the first name keeps two pairs of names from giving the same bytes.
    hash.update((proxy.len() as u64).to_be_bytes());
    hash.update(proxy);
    hash.update(toxic);
    let digest = hash.finalize();
    let mut drawn = [0; 8];
    drawn.copy_from_slice(&digest[..8]);
    // 53 bits are what an f64 holds exactly: a number from 0 to just below 1.
    let drawn = (u64::from_be_bytes(drawn) >> 11) as f64 / (1_u64 << 53) as f64;
    drawn < toxicity
}

#[derive(Debug)]
enum Action {
    Pass(Chunk),
    /// Passes a chunk on, if any, and then the end. The stage is not asked again, and what is before it is lost.
    Last(Option<Chunk>, Ending),
    /// Has something for this time, which is in the future.
    Wait(Instant),
    Idle,
}

#[derive(Debug, Default)]
struct Left {
    chunk: Option<Chunk>,
    ending: Option<Ending>,
}

impl Left {
    fn of(chunk: Option<Chunk>) -> Left {
        Left { chunk, ending: None }
    }
}

trait Stage: std::fmt::Debug + Send {
    /// Does what is due at `now`. Sets `fired` when the toxic has its effect on this connection.
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, fired: &mut bool) -> Action;

    /// Takes attributes, at first and when they change. What the stage holds back is released at once, as in Toxiproxy,
    /// which interrupts the toxic. The new attributes apply to what is still in the inbox.
    fn update(&mut self, toxic: &ByteToxic, now: Instant);

    fn leave(&mut self, _struck: &mut bool) -> Left {
        Left::default()
    }

    fn held(&self) -> Option<&Chunk> {
        None
    }

    fn chunks(&self) -> usize {
        1
    }

    /// Whether it never passes a chunk on, so that it is asked even where the next stage is full.
    fn swallows(&self) -> bool {
        false
    }
}

fn stage(toxic: &ByteToxic, dice: Dice, now: Instant) -> Box<dyn Stage> {
    let mut stage: Box<dyn Stage> = match toxic {
        ByteToxic::Latency { .. } => Box::new(latency::Latency::new(dice)),
        ByteToxic::Bandwidth { .. } => Box::new(bandwidth::Bandwidth::new(now)),
        ByteToxic::SlowClose { .. } => Box::new(slow_close::SlowClose::default()),
        ByteToxic::Timeout { .. } => Box::new(timeout::Timeout::new(now)),
        ByteToxic::ResetPeer { .. } => Box::new(reset_peer::ResetPeer::default()),
        ByteToxic::Slicer { .. } => Box::new(slicer::Slicer::new(dice, now)),
        ByteToxic::LimitData { .. } => Box::new(limit_data::LimitData::default()),
    };
    stage.update(toxic, now);
    stage
}
