//! The same scenarios run several times: how often each finding comes back, and how many clean runs show that it was
//! mended.
//!
//! Each run has its own bundle and its own seed. This document only counts over them. Its decision is the worst of
//! theirs.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::causes::{Cause, cause_of};
use super::document::{Evidence, NthRun, State, pretty};
use crate::gate::Decision;
use crate::hash::sha256;
use crate::ids::{LaneId, Seed};

pub const REPEAT_SCHEMA: &str = "cutover.repeat/1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    pub schema: String,
    pub seed: Seed,
    pub asked: u32,
    pub runs: Vec<RepeatedRun>,
    /// Each cause, the most frequent first.
    pub causes: Vec<ComesBack>,
    /// Scenarios with a bad outcome that no cause reports, and in how many runs.
    #[serde(default, rename = "untold", skip_serializing_if = "BTreeMap::is_empty")]
    pub unreported: BTreeMap<String, u32>,
    pub decision: Decision,
    pub exit_code: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedRun {
    pub bundle: String,
    pub seed: Seed,
    pub decision: Decision,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComesBack {
    /// The lane; `None` where it is no one lane's.
    pub lane: Option<LaneId>,
    pub checker: String,
    pub reason: String,
    pub says: String,
    pub runs: u32,
    pub scenarios: BTreeMap<String, u32>,
    /// How many clean runs show that it was mended; see [`clean_runs`].
    pub clean_runs: u32,
}

/// The folder of a run's bundle, from 1.
pub fn bundle(nth: u32) -> String {
    format!("run-{nth}")
}

/// The seed of a run, from 1: the first run is the one of the seed itself.
pub fn seed_of(seed: Seed, nth: u32) -> Seed {
    Seed(seed.0.wrapping_add(u64::from(nth.saturating_sub(1))))
}

/// Counts over the documents of all runs, in order. If fewer ran than were asked for, the decision is at best unknown.
pub fn repeated(seed: Seed, asked: u32, runs: &[Evidence]) -> Repeated {
    let of = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    let mut found = BTreeMap::<(Option<LaneId>, &str, &str), Vec<&Cause>>::new();
    let mut unreported = BTreeMap::<String, u32>::new();
    for run in runs {
        let judged = &run.judged;
        for cause in &judged.causes {
            found.entry((cause.lane, &cause.checker, &cause.reason)).or_default().push(cause);
        }
        let bad = judged.scenarios.iter().filter(|scenario| !scenario.outcome.is_good());
        for scenario in bad.filter(|scenario| cause_of(&scenario.name, &judged.causes).is_none()) {
            *unreported.entry(scenario.name.clone()).or_default() += 1;
        }
    }
    let mut causes: Vec<ComesBack> = found.into_values().filter_map(|causes| comes_back(&causes, of)).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.runs));
    let worst = runs.iter().map(|run| run.judged.decision.decision).max();
    let advisory = runs.iter().all(|run| run.judged.decision.advisory && run.state == State::Complete);
    let decision = match worst {
        Some(worst) if of >= asked => worst,
        fewer => fewer.unwrap_or(Decision::BlockUnknown).max(Decision::BlockUnknown),
    };
    Repeated {
        schema: REPEAT_SCHEMA.to_owned(),
        seed,
        asked,
        runs: (1..).zip(runs).map(|(nth, run)| of_run(nth, run)).collect(),
        causes,
        unreported,
        decision,
        exit_code: if of >= asked && advisory { 0 } else { decision.exit_code() },
    }
}

fn of_run(nth: u32, run: &Evidence) -> RepeatedRun {
    RepeatedRun {
        bundle: bundle(nth),
        seed: run.seed,
        decision: run.judged.decision.decision,
        digest: sha256(&run.to_bytes()),
    }
}

fn comes_back(causes: &[&Cause], of: u32) -> Option<ComesBack> {
    let first = causes.first()?;
    let runs = u32::try_from(causes.len()).unwrap_or(u32::MAX);
    let mut scenarios = BTreeMap::<String, u32>::new();
    for cause in causes {
        for name in cause.scenarios.iter().collect::<BTreeSet<_>>() {
            *scenarios.entry(name.clone()).or_default() += 1;
        }
    }
    Some(ComesBack {
        lane: first.lane,
        checker: first.checker.clone(),
        reason: first.reason.clone(),
        says: first.says.clone(),
        runs,
        scenarios,
        clean_runs: clean_runs(runs, of),
    })
}

impl Repeated {
    pub fn to_bytes(&self) -> Vec<u8> {
        pretty(self)
    }

    /// What the document of a run, counted from 1, says that does not agree with its place here.
    pub fn differs(&self, nth: u32, run: &Evidence) -> Option<String> {
        let (folder, seed) = (bundle(nth), seed_of(self.seed, nth));
        let here = NthRun { nth, of: self.asked, seed: self.seed };
        match run.repeat {
            None => Some(format!("{folder} does not say which run of several it is; here it is {here}")),
            Some(says) if says != here => Some(format!("{folder} says that it is {says}; here it is {here}")),
            Some(_) if run.seed != seed => Some(format!("{folder} has seed {}; {here} has seed {seed}", run.seed)),
            Some(_) => None,
        }
    }
}

const CHANCE: f64 = 0.05;

/// How many clean runs in a row it takes until a fault that was found in `found` of `of` runs counts as mended.
///
/// The share of runs that show the fault is taken as its lower bound at 95 % confidence (Clopper and Pearson). If the
/// fault were still there, so many clean runs would follow by chance in at most one case of twenty. This assumes that
/// the runs are independent and that the share does not change.
pub fn clean_runs(found: u32, of: u32) -> u32 {
    let share = least_share(found.min(of), of);
    if share <= 0.0 {
        return 0;
    }
    let mut missed = 1.0;
    let mut runs = 0;
    while missed > CHANCE && runs < u32::MAX {
        missed *= 1.0 - share;
        runs += 1;
    }
    runs
}

/// The share at which `found` or more of `of` runs show the fault in one case of twenty; 0 where none was found.
fn least_share(found: u32, of: u32) -> f64 {
    if found == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let share = f64::midpoint(low, high);
        if at_least(found, of, share) > CHANCE {
            high = share;
        } else {
            low = share;
        }
    }
    low
}

/// The probability that a fault with this share shows in `found` or more of `of` runs.
fn at_least(found: u32, of: u32, share: f64) -> f64 {
    let mut chance = (1.0 - share).powf(f64::from(of));
    let mut fewer = 0.0;
    for count in 0..found {
        fewer += chance;
        chance *= f64::from(of - count) / f64::from(count + 1) * share / (1.0 - share);
    }
    1.0 - fewer
}

#[cfg(test)]
mod tests;
