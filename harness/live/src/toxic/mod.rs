//! Byte toxics: Toxiproxy 2.x's, as stages in a row that one direction of a connection's bytes goes through.
//!
//! Nothing here owns a socket, a task or a timer. Time is passed in, so that an hour of a toxic is tested in a
//! millisecond, and so that adding, changing or removing a toxic can neither lose nor reorder a byte: all that a toxic
//! holds lies in [`Chain`] and not in a task that would have to be interrupted.
//!
//! A toxic is a file here with a [`Stage`]. To add one, write such a file, give `ByteToxic` a variant for it and [`stage`]
//! an arm.

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

/// A toxic as asked for: the proxy draws for each connection whether it applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Toxic {
    /// Its name in the ledger; within one direction of one proxy it names the toxic when toxics change.
    pub name: FaultId,
    /// Which way the bytes go that it works on.
    pub direction: Direction,
    /// The chance that a connection gets it, from 0 to 1.
    pub toxicity: f64,
    /// What it does.
    pub toxic: ByteToxic,
}

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The source ended; the other direction may go on.
    Eof,
    /// A toxic ends the connection: both sides get a FIN.
    Close,
    /// A toxic ends the connection: both sides get an RST.
    Reset,
}

/// What a [`Chain`] has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// Bytes to write, never none of them. They are to go out in a write of their own, or a slicer would be undone.
    Bytes(Bytes),
    /// Nothing before this time, which is always to come; ask again then, or when something was put in or changed.
    Until(Instant),
    /// Nothing until something is put in or changed.
    Idle,
    /// All bytes are out and the stream has ended. This stays so.
    Ended(Ending),
}

/// Whether a connection gets a toxic: a draw that depends on nothing but the arguments, so that it neither changes when
/// the toxic is updated nor when another one comes or goes. A toxicity of 0 (or no number) never applies, and 1 always.
pub fn applies(seed: u64, proxy: &str, toxic: &str, connection: u64, toxicity: f64) -> bool {
    if toxicity >= 1.0 {
        return true;
    }
    let mut hash = Sha256::new();
    hash.update(b"cutover toxicity\0");
    hash.update(seed.to_be_bytes());
    hash.update(connection.to_be_bytes());
    // With the first name's length, no two pairs of names run into the same bytes.
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

/// What a stage does next.
#[derive(Debug)]
enum Step {
    /// Hands on a chunk.
    Pass(Chunk),
    /// Hands on a chunk, if any, and then the end. The stage is not asked again, and what is before it is lost.
    Last(Option<Chunk>, Ending),
    /// Has something, but not before this time, which is to come.
    Wait(Instant),
    /// Waits for more to come in, or for a change.
    Idle,
}

/// What a stage lets go when it is removed, before what is still in its inbox.
#[derive(Debug, Default)]
struct Left {
    /// What it had taken from the inbox.
    chunk: Option<Chunk>,
    /// Where its removal ends the connection.
    ending: Option<Ending>,
}

impl Left {
    /// A chunk, if any, and the connection goes on.
    fn of(chunk: Option<Chunk>) -> Left {
        Left { chunk, ending: None }
    }
}

/// One toxic on one direction of one connection.
trait Stage: std::fmt::Debug + Send {
    /// Does what is due at `now`. Sets `struck` when the toxic does to this connection what it is there for.
    fn poll(&mut self, inbox: &mut Inbox, now: Instant, struck: &mut bool) -> Step;

    /// Takes new attributes. As in Toxiproxy, which interrupts the toxic for it, what the stage is holding back at that
    /// moment goes at once, and what is still in the inbox is treated by the new attributes.
    fn update(&mut self, toxic: &ByteToxic, now: Instant);

    /// Lets go when the toxic is removed.
    fn leave(&mut self, _struck: &mut bool) -> Left {
        Left::default()
    }

    /// What it has taken from its inbox and not handed on.
    fn held(&self) -> Option<&Chunk> {
        None
    }

    /// How many chunks its inbox takes.
    fn chunks(&self) -> usize {
        1
    }

    /// Whether it never hands on a chunk, and so must be asked even where the next stage is full.
    fn swallows(&self) -> bool {
        false
    }
}

/// The stage of a toxic that begins now.
fn stage(toxic: &ByteToxic, dice: Dice, now: Instant) -> Box<dyn Stage> {
    match *toxic {
        ByteToxic::Latency { latency, jitter } => Box::new(latency::Latency::new(latency, jitter, dice)),
        ByteToxic::Bandwidth { rate } => Box::new(bandwidth::Bandwidth::new(rate, now)),
        ByteToxic::SlowClose { delay } => Box::new(slow_close::SlowClose::new(delay)),
        ByteToxic::Timeout { timeout } => Box::new(timeout::Timeout::new(timeout, now)),
        ByteToxic::ResetPeer { timeout } => Box::new(reset_peer::ResetPeer::new(timeout)),
        ByteToxic::Slicer { average_size, size_variation, delay } => {
            Box::new(slicer::Slicer::new(average_size, size_variation, delay, dice, now))
        }
        ByteToxic::LimitData { bytes } => Box::new(limit_data::LimitData::new(bytes)),
    }
}
