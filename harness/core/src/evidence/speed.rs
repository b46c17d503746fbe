//! How long each lane took, and whether one made the run much slower than the other. It decides nothing: a wall clock
//! measures the machine too, and so only a great difference that takes its time is reported.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Times;
use crate::history::{Completion, History, Outcome, Record};
use crate::ids::LaneId;

/// A lane that takes so many times as long is slow.
const FACTOR: u64 = 4;
/// In fewer scenarios nothing is said: one that waits for a server would decide.
const SCENARIOS_MIN: usize = 8;
/// The least of publishes in a scenario whose median counts.
const PUBLISHES_MIN: u64 = 5;
/// Where the slower lane is faster than this, the difference is of no account.
const RUN_MIN_US: u64 = 10_000_000;
const ANSWER_MIN_US: u64 = 20_000;

/// How long one lane took for a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LaneTime {
    /// From its first record to its last.
    pub run_us: u64,
    /// The publishes that were answered at the first attempt.
    pub publishes: u64,
    /// The median of the times to their answers.
    pub answer_us: u64,
    /// From the beginning of each restore to the end of its first replay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores_us: Vec<u64>,
}

pub fn lane_time(history: &History, times_us: &[u64]) -> LaneTime {
    let mut sent = HashMap::new();
    let (mut answers, mut restores_us, mut begun) = (Vec::new(), Vec::new(), None);
    for (record, at) in history.records.iter().zip(times_us) {
        match record {
            Record::Invoke { op, attempt: 1 } => drop(sent.insert(*op, *at)),
            Record::Complete { op, attempt: 1, completion: Completion::Ok { outcome: Outcome::Published { .. } } } => {
                answers.extend(sent.remove(op).map(|sent| at.saturating_sub(sent)))
            }
            Record::Restoring { .. } => begun = Some(*at),
            Record::Restored(restored) if restored.refused.is_none() => {
                restores_us.extend(begun.take().map(|begun| at.saturating_sub(begun)));
            }
            _ => {}
        }
    }
    let run_us = times_us.last().zip(times_us.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    LaneTime { run_us, publishes: answers.len() as u64, answer_us: median(&mut answers), restores_us }
}

fn median(times: &mut [u64]) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

/// How long restores took on each lane, in words.
pub fn restores(times: &Times) -> Vec<String> {
    let of_lane = |lane: LaneId| {
        let of_scenarios = times.lanes.values().filter_map(|lanes| lanes.get(&lane));
        let mut all: Vec<u64> = of_scenarios.flat_map(|time| time.restores_us.clone()).collect();
        let (count, most) = (all.len(), all.iter().max().copied()?);
        let (usual, most) = (median(&mut all) / 1000, most / 1000);
        Some(format!(
            "the {lane} lane restored {count} times, to the end of the first replay in {usual} ms (median), \
             {most} ms at most"
        ))
    };
    LaneId::BOTH.into_iter().filter_map(of_lane).collect()
}

/// A lane that was much slower than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    pub lane: LaneId,
    what: &'static str,
    us: u64,
    other_us: u64,
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slow { lane, what, us, other_us } = self;
        let times = us / (*other_us).max(1);
        let (ms, other_ms) = (us / 1000, other_us.div_ceil(1000));
        write!(f, "the {lane} lane is {times} times slower: {what} {ms} ms, on the {} lane {other_ms} ms", lane.other())
    }
}

/// What a lane was slower in by so much that it is to be reported.
pub fn slow(times: &Times) -> Vec<Slow> {
    let both: Vec<[&LaneTime; 2]> = times
        .lanes
        .values()
        .filter_map(|lanes| Some([lanes.get(&LaneId::Legacy)?, lanes.get(&LaneId::Candidate)?]))
        .collect();
    let enough: Vec<_> = both.iter().filter(|both| both.iter().all(|lane| lane.publishes >= PUBLISHES_MIN)).collect();
    let run = [0, 1].map(|lane| both.iter().map(|both| both[lane].run_us).sum());
    let answer = [0, 1].map(|lane| median(&mut enough.iter().map(|both| both[lane].answer_us).collect::<Vec<_>>()));
    let run = compared("all its scenarios took", run, RUN_MIN_US).filter(|_| both.len() >= SCENARIOS_MIN);
    let answer = compared("the median answer to a publish took", answer, ANSWER_MIN_US);
    run.into_iter().chain(answer.filter(|_| enough.len() >= SCENARIOS_MIN)).collect()
}

fn compared(what: &'static str, [legacy, candidate]: [u64; 2], least: u64) -> Option<Slow> {
    let (lane, us, other_us) = match legacy > candidate {
        true => (LaneId::Legacy, legacy, candidate),
        false => (LaneId::Candidate, candidate, legacy),
    };
    (us >= least && us / FACTOR >= other_us).then_some(Slow { lane, what, us, other_us })
}

/// The times of a scenario's lanes, as they stand in `times.json`.
pub type LaneTimes = BTreeMap<LaneId, LaneTime>;

#[cfg(test)]
mod tests;
