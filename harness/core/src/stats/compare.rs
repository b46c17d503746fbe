//! Compares the samples of both lanes quantile by quantile.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rank::{Interval, interval, rank};
use super::{Limit, Limits, Quantile, Sample};
use crate::chance::Chance;
use crate::ids::{LaneId, Seed};

/// Each quantile of each measure is compared in both directions.
const COMPARISONS: usize = 16;
/// A lane is found slower only where every drawing says so. So one comparison is wrong in 1 of 16,000, and all
/// together in 1 of 1,000.
const DRAWINGS: usize = 1_000 * COMPARISONS;
/// How often the blocks of one lane are split for its noise.
const SPLITS: usize = 200;
/// Fewer pairs of blocks say too little of how much blocks differ.
const BLOCKS_MIN: usize = 8;

/// The name under which the generator draws.
const NAME: &str = "stats";

const N: usize = Quantile::ALL.len();

pub type Quantiles<T> = BTreeMap<Quantile, T>;

/// What was measured on both lanes, and how they compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub lanes: BTreeMap<LaneId, LaneTimes>,
    /// Each quantile of which both lanes have enough samples.
    pub differences: Quantiles<Difference>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneTimes {
    pub samples: u64,
    pub quantiles: Quantiles<Interval>,
}

/// By how much the candidate is slower than the legacy lane, in microseconds. Where it is faster, this is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub us: i64,
    /// The interval of 95 %, by a bootstrap.
    pub low_us: i64,
    pub high_us: i64,
    /// By how much a lane differs from itself.
    pub noise_us: u64,
    /// What the slower lane may take beyond the other one.
    pub allowed_us: u64,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Within,
    /// Slower than the budget allows by more than the noise.
    Slower(LaneId),
    /// Too much noise to know.
    Noisy,
}

/// Compares the lanes. What is drawn follows from the seed.
pub fn compare([legacy, candidate]: [&[Sample]; 2], limits: &Limits, seed: Seed) -> Comparison {
    let chance = &mut Chance::new(seed, NAME);
    let pairs = Pairs::of([legacy, candidate]);
    let enough: Vec<Quantile> = Quantile::ALL.into_iter().filter(|of| pairs.is_enough_for(*of)).collect();
    let lanes_noise = pairs.noise(chance);
    let noise = most(lanes_noise);
    let is_quiet = |lane: &[u64; N]| {
        Quantile::ALL.into_iter().all(|of| limits.of(of).noise_ms.is_none_or(|most| lane[of.index()] <= most * 1000))
    };
    let quiet = lanes_noise.each_ref().map(is_quiet);
    let drawn = if enough.is_empty() { Vec::new() } else { pairs.draw(chance) };
    let differences = enough.into_iter().filter_map(|of| {
        let sorted = sorted(&drawn, of);
        let at = |permille: usize| sorted.get(sorted.len() * permille / 1000).copied();
        let (us, noise_us) = (pairs.difference(of)?, noise[of.index()]);
        let allowed_us = pairs.allowed(of, limits.of(of));
        let standing = standing((us, &sorted), allowed_us, noise_us, limits.of(of), quiet);
        Some((of, Difference { us, low_us: at(25)?, high_us: at(975)?, noise_us, allowed_us, standing }))
    });
    Comparison { differences: differences.collect(), ..lane_times([legacy, candidate]) }
}

/// The quantiles of each lane, without a comparison.
pub fn lane_times(lanes: [&[Sample]; 2]) -> Comparison {
    let times = lanes.map(|samples| {
        let mut sorted: Vec<u64> = samples.iter().map(|sample| sample.us).collect();
        sorted.sort_unstable();
        let quantiles = Quantile::ALL.into_iter().filter_map(|of| Some((of, interval(&sorted, of)?)));
        LaneTimes { samples: sorted.len() as u64, quantiles: quantiles.collect() }
    });
    Comparison { lanes: LaneId::BOTH.into_iter().zip(times).collect(), differences: Quantiles::new() }
}

/// Whether samples beyond the `planned` ones are not needed: there are enough, none of what must be known is noisy, and
/// a lane that seems to be slower is certainly so.
pub fn is_clear(lanes: [&[Sample]; 2], limits: &Limits, seed: Seed, planned: usize) -> bool {
    let pairs = Pairs::of(lanes);
    let noise = most(pairs.noise(&mut Chance::new(seed, NAME)));
    let seems_slower = |of: Quantile| pairs.may_be_slower(of, limits.of(of));
    let is_quiet = |of: Quantile| limits.of(of).noise_ms.is_none() || noise[of.index()] <= limits.of(of).ms * 1000 / 2;
    let owed = || Quantile::ALL.into_iter().filter(|of| of.least() <= planned);
    owed().all(|of| pairs.is_enough_for(of) && is_quiet(of)) && {
        let open: Vec<Quantile> = owed().filter(|of| seems_slower(*of)).collect();
        // The drawings cost more than all else.
        open.is_empty() || {
            let found = compare(lanes, limits, seed).differences;
            open.iter().all(|of| found.get(of).is_some_and(|of| matches!(of.standing, Standing::Slower(_))))
        }
    }
}

/// Where the faster lane differs too much from itself, the machine was too busy to call the other one slower. Where
/// only the slower lane does, it is the lane.
fn standing(
    (us, sorted): (i64, &[i64]),
    allowed_us: u64,
    noise_us: u64,
    limit: Limit,
    [legacy_is_quiet, candidate_is_quiet]: [bool; 2],
) -> Standing {
    let allowed = i64::try_from(allowed_us).unwrap_or(i64::MAX);
    let noise = i64::try_from(noise_us).unwrap_or(i64::MAX);
    let beyond = us.saturating_abs() > allowed.saturating_add(noise);
    let (least, most) = (sorted.first().copied().unwrap_or(0), sorted.last().copied().unwrap_or(0));
    let slower = |lane, other_is_quiet| if other_is_quiet { Standing::Slower(lane) } else { Standing::Noisy };
    if beyond && least > allowed {
        slower(LaneId::Candidate, legacy_is_quiet)
    } else if beyond && most < -allowed {
        slower(LaneId::Legacy, candidate_is_quiet)
    } else if limit.noise_ms.is_some_and(|most| noise_us > most * 1000) {
        Standing::Noisy
    } else {
        Standing::Within
    }
}

fn sorted(drawn: &[[i64; N]], of: Quantile) -> Vec<i64> {
    let mut sorted: Vec<i64> = drawn.iter().map(|differences| differences[of.index()]).collect();
    sorted.sort_unstable();
    sorted
}

/// The samples of the blocks that both lanes have, each lane's sorted by time. Blocks are numbered anew, from 0.
pub(super) struct Pairs {
    lanes: [Vec<(u64, usize)>; 2],
    blocks: usize,
}

impl Pairs {
    pub(super) fn of(lanes: [&[Sample]; 2]) -> Pairs {
        let [legacy, candidate] = lanes.map(|lane| lane.iter().map(|sample| sample.block).collect::<BTreeSet<u32>>());
        let both: Vec<u32> = legacy.intersection(&candidate).copied().collect();
        let lane = |samples: &[Sample]| {
            let place = |sample: &Sample| Some((sample.us, both.binary_search(&sample.block).ok()?));
            let mut lane: Vec<(u64, usize)> = samples.iter().filter_map(place).collect();
            lane.sort_unstable();
            lane
        };
        Pairs { lanes: lanes.map(lane), blocks: both.len() }
    }

    fn is_enough_for(&self, quantile: Quantile) -> bool {
        self.blocks >= BLOCKS_MIN && self.lanes.iter().all(|lane| lane.len() >= quantile.least())
    }

    /// Whether the quantiles alone differ by more than is allowed.
    pub(super) fn may_be_slower(&self, of: Quantile, limit: Limit) -> bool {
        self.is_enough_for(of) && self.difference(of).is_some_and(|us| us.unsigned_abs() > self.allowed(of, limit))
    }

    fn whole(&self) -> Vec<u64> {
        vec![1; self.blocks]
    }

    /// By how much the candidate is slower than the legacy lane.
    fn difference(&self, of: Quantile) -> Option<i64> {
        let whole = self.whole();
        let [legacy, candidate] = [quantiles(&self.lanes[0], &whole)?, quantiles(&self.lanes[1], &whole)?];
        Some(less(candidate[of.index()], legacy[of.index()]))
    }

    /// What the slower lane may take beyond the other one.
    fn allowed(&self, of: Quantile, limit: Limit) -> u64 {
        let whole = self.whole();
        let of_lane = |lane: &Vec<(u64, usize)>| quantiles(lane, &whole).map_or(0, |found| found[of.index()]);
        limit.beside(self.lanes.iter().map(of_lane).min().unwrap_or(0))
    }

    /// The differences of the quantiles in each drawing of pairs of blocks.
    fn draw(&self, chance: &mut Chance) -> Vec<[i64; N]> {
        let mut drawn = Vec::with_capacity(DRAWINGS);
        let mut weights = vec![0; self.blocks];
        for _ in 0..DRAWINGS {
            weights.fill(0);
            (0..self.blocks).for_each(|_| weights[chance.index(self.blocks)] += 1);
            let both = quantiles(&self.lanes[0], &weights).zip(quantiles(&self.lanes[1], &weights));
            drawn.extend(both.map(|(legacy, candidate)| std::array::from_fn(|of| less(candidate[of], legacy[of]))));
        }
        drawn
    }

    /// For each lane and quantile, the difference that 95 % of the splits of the lane's own blocks do not exceed.
    fn noise(&self, chance: &mut Chance) -> [[u64; N]; 2] {
        let mut differences: [[Vec<u64>; N]; 2] = Default::default();
        let mut order: Vec<usize> = (0..self.blocks).collect();
        for _ in 0..SPLITS {
            chance.shuffle(&mut order);
            let mut half = vec![0; self.blocks];
            order.iter().take(self.blocks / 2).for_each(|block| half[*block] = 1);
            let other: Vec<u64> = half.iter().map(|weight| 1 - weight).collect();
            for (lane, differences) in self.lanes.iter().zip(&mut differences) {
                let Some((one, other)) = quantiles(lane, &half).zip(quantiles(lane, &other)) else { continue };
                for (of, differences) in differences.iter_mut().enumerate() {
                    differences.push(one[of].abs_diff(other[of]));
                }
            }
        }
        differences.map(|lane| {
            lane.map(|mut differences| {
                differences.sort_unstable();
                differences.get(differences.len() * 95 / 100).copied().unwrap_or(0)
            })
        })
    }
}

/// The noise of the lane where it is more.
fn most([legacy, candidate]: [[u64; N]; 2]) -> [u64; N] {
    std::array::from_fn(|of| legacy[of].max(candidate[of]))
}

fn less(one: u64, other: u64) -> i64 {
    let of = |us| i64::try_from(us).unwrap_or(i64::MAX);
    of(one).saturating_sub(of(other))
}

/// The quantiles of sorted samples, each of which counts as often as its block weighs.
fn quantiles(sorted: &[(u64, usize)], weights: &[u64]) -> Option<[u64; N]> {
    let total: u64 = sorted.iter().map(|(_, block)| weights[*block]).sum();
    let ranks = Quantile::ALL.map(|of| rank(total, of));
    let (mut found, mut next, mut count) = ([0; N], 0, 0);
    for (us, block) in sorted {
        count += weights[*block];
        while next < N && count >= ranks[next] {
            found[next] = *us;
            next += 1;
        }
        if next == N {
            return Some(found);
        }
    }
    None
}
