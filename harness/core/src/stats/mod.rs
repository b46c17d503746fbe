//! Compares how long two lanes took, from samples that were taken by turns.
//!
//! A quantile has an interval by order statistics, which holds for every distribution. The difference of two lanes has
//! one by a paired block bootstrap: what is drawn are pairs of blocks that were measured one after the other, since
//! samples of one block resemble each other, and load comes and goes. The noise of the machine is how much a quantile
//! of one lane differs between two halves of its own blocks. Times are whole microseconds, and the arithmetic of
//! fractions is without roots and logarithms, so that every machine gets the same numbers.
#![allow(missing_docs, reason = "the names say it")]

mod budget;
mod compare;
mod rank;
#[cfg(test)]
mod tests;

pub use budget::{Budgets, Limit, Limits};
pub use compare::{Comparison, Difference, LaneTimes, Quantiles, Standing, compare, is_clear, lane_times};
pub use rank::{Interval, interval};

use std::fmt;

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    pub us: u64,
    /// The turn of the lane in which it was taken, from 1. The other lane took its turn of that number just before or
    /// just after.
    pub block: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantile {
    /// What a lane takes where little else is in its way. Load of the machine hardly moves it.
    P10,
    P50,
    P95,
    P99,
}

impl Quantile {
    pub const ALL: [Quantile; 4] = [Quantile::P10, Quantile::P50, Quantile::P95, Quantile::P99];

    pub fn as_str(self) -> &'static str {
        match self {
            Quantile::P10 => "p10",
            Quantile::P50 => "p50",
            Quantile::P95 => "p95",
            Quantile::P99 => "p99",
        }
    }

    fn index(self) -> usize {
        Quantile::ALL.iter().position(|known| *known == self).unwrap_or(0)
    }

    pub fn percent(self) -> u64 {
        match self {
            Quantile::P10 => 10,
            Quantile::P50 => 50,
            Quantile::P95 => 95,
            Quantile::P99 => 99,
        }
    }

    /// With fewer samples, nothing is said of the quantile. But for the p50, the interval then has one end only.
    pub fn least(self) -> usize {
        match self {
            Quantile::P10 => 36,
            Quantile::P50 => 20,
            Quantile::P95 => 72,
            Quantile::P99 => 368,
        }
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}
