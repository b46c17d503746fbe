//! How late events are, in bounded memory: counts of times in steps of a quarter of their power of two.

use serde::{Deserialize, Serialize};

/// Four steps for each power of two.
const STEPS: usize = 4 * 64;

/// Counts of times.
#[derive(Debug, Clone)]
pub struct Lags {
    counts: Vec<u64>,
    all: u64,
    most: u64,
}

/// Quantiles in microseconds. Each is at most a quarter above the true one. 0 where there are no times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many times there are.
    pub samples: u64,
    /// Half of them are at most this.
    pub p50: u64,
    /// 95 of 100 are at most this.
    pub p95: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// The longest one, exactly.
    pub most: u64,
}

impl Default for Lags {
    fn default() -> Lags {
        Lags { counts: vec![0; STEPS], all: 0, most: 0 }
    }
}

/// The step of a time: its power of two, and the two bits behind the leading one.
fn step(us: u64) -> usize {
    let power = us.max(1).ilog2();
    let behind = if power >= 2 { (us >> (power - 2)) & 3 } else { (us << (2 - power)) & 3 };
    power as usize * 4 + usize::try_from(behind).unwrap_or(0)
}

/// The largest time of a step.
fn top(step: usize) -> u64 {
    let (power, behind) = (step / 4, (step % 4) as u128);
    let next = ((4 + behind + 1) << power) / 4;
    u64::try_from(next.saturating_sub(1)).unwrap_or(u64::MAX)
}

impl Lags {
    /// Counts a time in microseconds.
    pub fn add(&mut self, us: u64) {
        self.counts[step(us).min(STEPS - 1)] += 1;
        self.all += 1;
        self.most = self.most.max(us);
    }

    /// The quantiles of the times.
    pub fn quantiles(&self) -> Quantiles {
        let of = |percent: u64| {
            let rank = (self.all * percent).div_ceil(100).max(1);
            let mut below = 0;
            let found = self.counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            found.map_or(0, |step| top(step).min(self.most))
        };
        Quantiles { samples: self.all, p50: of(50), p95: of(95), p99: of(99), most: self.most }
    }
}
