//! By how much a lane may be slower than the other.

use serde::{Deserialize, Serialize};

use super::Quantile;

/// What may be of one quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// A lane may be slower by so many milliseconds.
    pub ms: u64,
    /// And by so much of the other lane's time.
    pub percent: u64,
    /// More noise than this leaves it unknown; `None` is a quantile of which nothing has to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Limits {
    pub p10: Limit,
    pub p50: Limit,
    pub p95: Limit,
    pub p99: Limit,
}

/// By how much a lane may be slower than the other, in what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// From the intended moment of a publish until a client applied the event.
    pub latency: Limits,
    /// From the end of a client's connection until it follows its streams again.
    pub recovery: Limits,
    /// Whether the legacy lane may be slower by any time.
    pub legacy_may_be_slower: bool,
}

impl Default for Budgets {
    /// Coarse enough for a busy machine and for servers that differ, and fine enough for a lane slowed by 20 ms.
    fn default() -> Budgets {
        let limit = |ms, percent, noise_ms| Limit { ms, percent, noise_ms };
        Budgets {
            latency: Limits {
                p10: limit(10, 50, Some(10)),
                p50: limit(10, 50, Some(100)),
                p95: limit(20, 100, None),
                p99: limit(40, 100, None),
            },
            recovery: Limits {
                p10: limit(25, 200, Some(25)),
                p50: limit(25, 200, Some(100)),
                p95: limit(100, 300, None),
                p99: limit(200, 300, None),
            },
            legacy_may_be_slower: false,
        }
    }
}

impl Limits {
    #[allow(missing_docs, reason = "the name says it")]
    pub fn of(&self, quantile: Quantile) -> Limit {
        match quantile {
            Quantile::P10 => self.p10,
            Quantile::P50 => self.p50,
            Quantile::P95 => self.p95,
            Quantile::P99 => self.p99,
        }
    }

    pub(crate) fn of_mut(&mut self, quantile: Quantile) -> &mut Limit {
        match quantile {
            Quantile::P10 => &mut self.p10,
            Quantile::P50 => &mut self.p50,
            Quantile::P95 => &mut self.p95,
            Quantile::P99 => &mut self.p99,
        }
    }
}

impl Limit {
    /// What may be beside a lane that takes so long, in microseconds.
    pub(super) fn beside(self, other_us: u64) -> u64 {
        (self.ms * 1000).max(other_us.saturating_mul(self.percent) / 100)
    }
}
