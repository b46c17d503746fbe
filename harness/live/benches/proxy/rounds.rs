//! Takes the measurements: the ways take turns, round by round, so that a machine that slows down slows them all.

use std::io;
use std::time::Duration;

use crate::client::{self, Case, Echo};
use crate::payload::LONG_BYTES;
use crate::peers::{Peer, Way};
use crate::system;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often each way has its turn.
    pub rounds: usize,
    /// How long a turn takes, about.
    pub turn: Duration,
    /// Idle connections.
    pub idle: usize,
}

/// One turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub p50_us: f64,
    pub p99_us: f64,
    /// Messages a second; of round trips, the trips.
    pub rate: f64,
    /// Processor time of the proxy for one of them.
    pub cpu_us: f64,
}

/// All turns of one way.
pub struct Taken {
    pub way: Way,
    pub version: String,
    /// Of each round, and nothing where the turn failed.
    turns: [Vec<Option<Turn>>; Case::ALL.len()],
    /// What failed.
    pub failed: Vec<String>,
}

impl Taken {
    fn values(&self, case: Case, value: fn(&Turn) -> f64) -> Vec<f64> {
        self.turns[case as usize].iter().flatten().map(value).collect()
    }

    /// Keeps what came, or why nothing did.
    fn keep<T>(&mut self, case: Case, seen: io::Result<T>) -> Option<T> {
        seen.map_err(|error| self.failed.push(format!("{}, {case:?}: {error}", self.way.name()))).ok()
    }

    /// The median over the rounds.
    pub fn median(&self, case: Case, value: fn(&Turn) -> f64) -> f64 {
        median(self.values(case, value))
    }

    /// The median over the rounds of what this way's turn and the other's of the same round give together.
    pub fn against(&self, other: &Taken, case: Case, value: fn(&Turn) -> f64, with: fn(f64, f64) -> f64) -> f64 {
        let rounds = self.turns[case as usize].iter().zip(&other.turns[case as usize]);
        let both = rounds.filter_map(|(mine, other)| Some(with(value(mine.as_ref()?), value(other.as_ref()?))));
        median(both.collect())
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
}

/// Measures all ways. A turn that fails is told, and the others go on.
pub fn take(peers: &[Peer], effort: Effort) -> Vec<Taken> {
    let mut taken: Vec<Taken> = peers
        .iter()
        .map(|peer| Taken {
            way: peer.way,
            version: peer.version.clone(),
            turns: Default::default(),
            failed: Vec::new(),
        })
        .collect();
    let mut counts = Vec::new();
    for (peer, taken) in peers.iter().zip(&mut taken) {
        counts.push(Case::ALL.map(|case| taken.keep(case, calibrate(peer, case, effort.turn))));
    }
    for round in 1..=effort.rounds {
        eprintln!("round {round} of {}", effort.rounds);
        for case in Case::ALL {
            for (at, peer) in peers.iter().enumerate() {
                let seen = counts[at][case as usize].map(|count| turn(peer, case, count));
                let seen = seen.and_then(|seen| taken[at].keep(case, seen));
                taken[at].turns[case as usize].push(seen);
            }
        }
    }
    taken
}

/// How many messages make a turn. What is counted by it warms the way up as well.
fn calibrate(peer: &Peer, case: Case, turn: Duration) -> io::Result<usize> {
    let mut count = 64;
    loop {
        let took = client::measure(peer.addr, case, count)?;
        let took = took.took.as_secs_f64();
        if took > turn.as_secs_f64() / 4.0 {
            return Ok(((count as f64 * turn.as_secs_f64() / took) as usize).max(64));
        }
        count *= 4;
    }
}

fn turn(peer: &Peer, case: Case, count: usize) -> io::Result<Turn> {
    let cpu = || peer.pid().map_or(0, system::cpu_nanos);
    let before = cpu();
    let seen = client::measure(peer.addr, case, count)?;
    let used = cpu().saturating_sub(before);
    Ok(Turn {
        p50_us: seen.p50.as_secs_f64() * 1e6,
        p99_us: seen.p99.as_secs_f64() * 1e6,
        rate: count as f64 / seen.took.as_secs_f64(),
        cpu_us: used as f64 / 1e3 / count as f64,
    })
}

/// A rate of long messages in megabytes a second.
pub fn megabytes(rate: f64) -> f64 {
    rate * LONG_BYTES as f64 / 1e6
}

/// What idle connections cost.
pub struct Idle {
    pub way: Way,
    pub connections: usize,
    /// Memory of the proxy for each.
    pub bytes_each: f64,
}

/// Opens this many connections through a way, each with a round trip, and sees that each still works when all are open.
pub fn idle(peer: &Peer, connections: usize) -> io::Result<Idle> {
    let rss = || peer.pid().map_or(0, system::rss_bytes);
    let before = rss();
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut echo = Echo::open(peer.addr)?;
        echo.round_trip()?;
        open.push(echo);
    }
    let after = rss();
    for echo in &mut open {
        echo.round_trip()?;
    }
    Ok(Idle { way: peer.way, connections, bytes_each: after.saturating_sub(before) as f64 / connections as f64 })
}
