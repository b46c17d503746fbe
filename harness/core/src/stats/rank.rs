//! The interval of a quantile by order statistics: the number of samples below a quantile has a binomial distribution,
//! whatever the distribution of the samples is.

use serde::{Deserialize, Serialize};

use super::Quantile;

/// What each end of an interval may miss: 2.5 %.
const TAIL: f64 = 0.025;

/// A quantile with its interval of 95 %, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Interval {
    pub us: u64,
    pub low_us: u64,
    pub high_us: u64,
}

/// The quantile of sorted times with its interval; `None` where they are too few for one.
pub fn interval(sorted: &[u64], quantile: Quantile) -> Option<Interval> {
    if sorted.len() < quantile.least() {
        return None;
    }
    let (low, high) = ranks(sorted.len(), quantile)?;
    let at = |rank: usize| sorted.get(rank.checked_sub(1)?).copied();
    Some(Interval { us: at(rank(sorted.len() as u64, quantile) as usize)?, low_us: at(low)?, high_us: at(high)? })
}

/// The rank of a quantile among so many samples, from 1.
pub(super) fn rank(count: u64, quantile: Quantile) -> u64 {
    (count * quantile.percent()).div_ceil(100).max(1)
}

/// The ranks of the ends of the interval, from 1; `None` where there are too few samples for both.
pub(super) fn ranks(count: usize, quantile: Quantile) -> Option<(usize, usize)> {
    let below = below(count, quantile.percent() as f64 / 100.0);
    // `below[k]` is the probability that at most `k` samples lie below the quantile.
    let low = below.iter().take_while(|chance| **chance <= TAIL).count();
    let high = below.iter().take_while(|chance| **chance < 1.0 - TAIL).count() + 1;
    (low >= 1 && high <= count).then_some((low, high))
}

/// The cumulative binomial distribution. Each probability follows from its neighbour by a ratio, starting at the most
/// likely one, so that nothing underflows where it matters.
fn below(count: usize, chance: f64) -> Vec<f64> {
    let odds = chance / (1.0 - chance);
    let mode = (((count + 1) as f64) * chance) as usize;
    let mode = mode.min(count);
    let mut weights = vec![0.0_f64; count + 1];
    weights[mode] = 1.0;
    for k in (0..mode).rev() {
        weights[k] = weights[k + 1] * (k + 1) as f64 / (count - k) as f64 / odds;
    }
    for k in mode + 1..=count {
        weights[k] = weights[k - 1] * (count - k + 1) as f64 / k as f64 * odds;
    }
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    for weight in &mut weights {
        sum += *weight / total;
        *weight = sum;
    }
    weights
}
