//! The same scenarios run several times: how often each finding comes back, and how many clean runs show that it was mended.
//!
//! Each run is a bundle of its own, under a seed of its own. This document only counts over them; its decision is the worst
//! of theirs, so that what was wrong once stays wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::causes::{Cause, untold};
use super::document::{Evidence, NthRun, pretty};
use super::layout;
use crate::gate::Decision;
use crate::ids::{LaneId, Seed};

/// The schema version of the document.
pub const REPEAT_SCHEMA: &str = "cutover.repeat/1";

/// What several runs have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// [`REPEAT_SCHEMA`].
    pub schema: String,
    /// The seed that the runs' seeds are drawn from.
    pub seed: Seed,
    /// How many runs were asked for.
    pub asked: u32,
    /// Each run, in order.
    pub runs: Vec<RepeatedRun>,
    /// Each cause, what came back most often first.
    pub causes: Vec<ComesBack>,
    /// Scenarios that were not as they should be though no cause tells of them, and in how many runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub untold: BTreeMap<String, u32>,
    /// The worst decision of all runs.
    pub decision: Decision,
    /// The exit code of `cutover gate`.
    pub exit_code: u8,
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedRun {
    /// The folder of its bundle.
    pub bundle: String,
    /// Its seed.
    pub seed: Seed,
    /// Its decision.
    pub decision: Decision,
    /// The digest of its document.
    pub digest: String,
}

/// A cause over all runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComesBack {
    /// The lane; `None` where it is no one lane's.
    pub lane: Option<LaneId>,
    /// The checker.
    pub checker: String,
    /// The finding's reason.
    pub reason: String,
    /// What the lane did.
    pub says: String,
    /// In how many runs it was found.
    pub runs: u32,
    /// In how many runs each scenario showed it.
    pub scenarios: BTreeMap<String, u32>,
    /// So many clean runs show that it was mended; see [`clean_runs`].
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

/// Counts over the documents of all runs, in order, of which so many were asked for. Fewer decide no better than unknown.
pub fn repeated(seed: Seed, asked: u32, runs: &[Evidence]) -> Repeated {
    let of = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    let mut found = BTreeMap::<(Option<LaneId>, &str, &str), Vec<&Cause>>::new();
    let mut untold_in = BTreeMap::<String, u32>::new();
    for run in runs {
        let judged = &run.judged;
        for cause in &judged.causes {
            found
                .entry((cause.lane, &cause.checker, &cause.reason))
                .or_default()
                .push(cause);
        }
        for scenario in untold(&judged.scenarios, &judged.causes) {
            *untold_in.entry(scenario.name.clone()).or_default() += 1;
        }
    }
    let mut causes: Vec<ComesBack> = found
        .into_values()
        .filter_map(|causes| comes_back(&causes, of))
        .collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.runs));
    // Of no run at all, nothing is known.
    let worst = runs.iter().map(|run| run.judged.decision.decision).max();
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
        untold: untold_in,
        decision,
        exit_code: decision.exit_code(),
    }
}

fn of_run(nth: u32, run: &Evidence) -> RepeatedRun {
    RepeatedRun {
        bundle: bundle(nth),
        seed: run.seed,
        decision: run.judged.decision.decision,
        digest: layout::digest(&run.to_bytes()),
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
    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        pretty(self)
    }

    /// What the document of a run, from 1, says otherwise than its place here.
    pub fn differs(&self, nth: u32, run: &Evidence) -> Option<String> {
        let (folder, seed) = (bundle(nth), seed_of(self.seed, nth));
        let here = NthRun {
            nth,
            of: self.asked,
            seed: self.seed,
        };
        match run.repeat {
            None => Some(format!(
                "{folder} does not say which run of several it is; here it is {here}"
            )),
            Some(says) if says != here => Some(format!("{folder} says that it is {says}; here it is {here}")),
            Some(_) if run.seed != seed => Some(format!("{folder} has seed {}; {here} has seed {seed}", run.seed)),
            Some(_) => None,
        }
    }
}

/// What is left to chance: one in twenty.
const CHANCE: f64 = 0.05;

/// How many clean runs in a row it takes until a fault that was found in `found` of `of` runs counts as mended.
///
/// The share of runs that show the fault is taken to be as low as it may be with 95 % confidence (the lower bound of Clopper
/// and Pearson); were it still there, so many clean runs would come by chance in at most one case of twenty. This assumes
/// that runs do not depend on each other and that the share stays what it is.
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

/// The share at which `found` or more of `of` would be seen in one case of twenty; 0 where none was found.
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

/// The chance that a share shows in `found` or more of `of` runs.
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::blocked;
    use super::*;

    /// What differs of a run that says of itself that it is `says`, as run `nth` of `asked` from a seed.
    fn differs(says: Option<NthRun>, nth: u32, asked: u32, seed: u64) -> Option<String> {
        let run = Evidence {
            repeat: says,
            seed: Seed(6),
            ..blocked()
        };
        repeated(Seed(seed), asked, &[]).differs(nth, &run)
    }

    #[test]
    fn a_run_in_its_own_place_differs_in_nothing_and_one_in_another_is_told() {
        let second = Some(NthRun {
            nth: 2,
            of: 3,
            seed: Seed(5),
        });
        assert_eq!(differs(second, 2, 3, 5), None);
        let told = differs(second, 1, 2, 6).unwrap();
        assert_eq!(
            told,
            "run-1 says that it is run 2 of 3 from seed 5; here it is run 1 of 2 from seed 6"
        );
        for (nth, asked, seed) in [(1, 3, 5), (2, 2, 5), (2, 3, 6)] {
            assert!(differs(second, nth, asked, seed).is_some(), "{nth} {asked} {seed}");
        }
    }

    #[test]
    fn a_run_on_its_own_and_one_of_another_seed_are_none_of_several() {
        let told = differs(None, 2, 3, 5).unwrap();
        assert!(
            told.starts_with("run-2 does not say which run of several it is"),
            "{told}"
        );
        let first = Some(NthRun {
            nth: 1,
            of: 3,
            seed: Seed(5),
        });
        let told = differs(first, 1, 3, 5).unwrap();
        assert_eq!(told, "run-1 has seed 6; run 1 of 3 from seed 5 has seed 5");
    }

    #[test]
    fn only_a_repeated_run_has_its_place_in_its_document() {
        let place = NthRun {
            nth: 1,
            of: 2,
            seed: Seed(42),
        };
        for repeat in [None, Some(place)] {
            let run = Evidence { repeat, ..blocked() };
            let bytes = run.to_bytes();
            assert_eq!(
                String::from_utf8_lossy(&bytes).contains("\"repeat\": {"),
                repeat.is_some()
            );
            assert_eq!(serde_json::from_slice::<Evidence>(&bytes).unwrap(), run);
        }
    }

    #[test]
    fn the_bound_is_the_one_of_the_tables() {
        // One-sided 95 % bounds of Clopper and Pearson.
        for (found, of, share) in [
            (1, 1, 0.05),
            (1, 10, 0.005_116),
            (5, 10, 0.222_4),
            (10, 10, 0.741_1),
            (3, 20, 0.042_17),
        ] {
            let bound = least_share(found, of);
            assert!((bound - share).abs() < 0.000_1, "{found} of {of}: {bound}");
        }
    }

    #[test]
    fn a_fault_that_always_comes_back_needs_few_clean_runs_and_a_rare_one_many() {
        assert_eq!(clean_runs(10, 10), 3);
        assert_eq!(clean_runs(5, 10), 12);
        assert_eq!(clean_runs(1, 10), 585);
    }

    #[test]
    fn what_was_seen_in_the_only_run_may_be_rare() {
        assert_eq!(clean_runs(1, 1), 59);
    }

    #[test]
    fn the_more_often_it_came_back_the_fewer_clean_runs_it_takes() {
        let each: Vec<u32> = (1..=20).map(|found| clean_runs(found, 20)).collect();
        assert!(each.windows(2).all(|pair| pair[0] >= pair[1]), "{each:?}");
    }

    #[test]
    fn what_was_never_found_needs_no_run() {
        assert_eq!(clean_runs(0, 10), 0);
    }

    #[test]
    fn seeds_of_runs_differ_and_the_first_is_the_seed_itself() {
        assert_eq!(seed_of(Seed(42), 1), Seed(42));
        assert_eq!(seed_of(Seed(42), 3), Seed(44));
        assert_eq!(seed_of(Seed(u64::MAX), 2), Seed(0));
    }
}
