//! The scope of a run: what had to run, over which lanes, and whether that was everything.
//!
//! Only a full run may say *allow*. Whether a run was full is computed from what was judged, by names and file digests
//! against the built-in suite; no option and no field says so.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::fit::{Means, cannot_show, unfit};
use super::{JudgedScenario, RowVerdict};
use crate::hash::sha256;
use crate::ids::{LaneId, Seed};
use crate::matrix::{self, Part, Row};
use crate::policy::{Rows, Terms};
use crate::scenario::{Scenario, compile, pattern, stock};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// `sha256:` over the built-in scenarios of the tool that ran: [`suite_digest`].
    pub suite: String,
    /// The globs by which scenarios were chosen; none chose all.
    pub chosen: Vec<String>,
    pub known_bad: bool,
    /// The directory whose scenarios took the place of the built-in ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Every scenario that had to run or to be left out with a reason, by name.
    pub scenarios: BTreeMap<String, Asked>,
    /// The rows of the matrix that had to be shown in full: those of the policy.
    pub enforced_rows: Vec<String>,
    #[serde(default, skip_serializing_if = "Terms::is_none")]
    pub policy: Terms,
    /// The lane that ran against itself, where the run was of that kind.
    pub aa: Option<LaneId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_faults: bool,
    /// How many scenarios were drawn from the seed. Those that were chosen of them are among `scenarios`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drawn: u32,
    /// The baselines that stand for the legacy lane, which does not run: where they are, and of what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// What could be done to each lane. Empty until the lanes were chosen.
    pub lanes: BTreeMap<LaneId, Means>,
    /// Scenarios that these lanes can't be put through, each with the reason. They were not driven, and prove nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How many scenarios a full run draws from its seed.
pub const DRAWN: u32 = 12;

/// The name of a drawn scenario, by its index from 1.
pub fn drawn_name(index: u32) -> String {
    format!("drawn-{index:02}")
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub digest: String,
    pub known_bad: bool,
}

struct BuiltIn {
    name: &'static str,
    path: &'static str,
    text: &'static str,
    asked: Asked,
    /// The rows that it claims, and the parts that it can let each lane see.
    proves: Vec<String>,
    earns: BTreeMap<LaneId, BTreeSet<Part>>,
}

static SUITE: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let built_in = stock().iter().map(|(path, text)| {
        let file = path.rsplit('/').next().unwrap_or(path);
        // The tests of the suite read every one of them.
        let read = Scenario::parse(path, text).ok();
        let (proves, earns) = read.map(|read| (read.proves, read.earns)).unwrap_or_default();
        BuiltIn {
            proves,
            earns,
            name: file.strip_suffix(".toml").unwrap_or(file),
            path,
            text,
            asked: Asked { digest: sha256(text.as_bytes()), known_bad: path.contains("/known-bad/") },
        }
    });
    built_in.collect()
});

/// The built-in honest scenarios that claim a row.
fn claiming(row: &str) -> impl Iterator<Item = &'static BuiltIn> {
    let honest = SUITE.iter().filter(|scenario| !scenario.asked.known_bad);
    honest.filter(move |scenario| scenario.proves.iter().any(|claimed| claimed == row))
}

/// `sha256:` over names and file digests of the built-in suite.
pub fn suite_digest() -> String {
    let lines = SUITE.iter().map(|scenario| format!("{} {}\n", scenario.path, scenario.asked.digest));
    sha256(lines.collect::<String>().as_bytes())
}

/// What of the built-in suite a run did not show, although its lanes could have been put through it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// The bundle's suite is not this tool's, so that nothing can be said of it.
    pub other_suite: bool,
    /// Honest scenarios that neither ran as built in nor had to be left out.
    pub honest: Vec<String>,
    pub known_bad: Vec<String>,
}

impl Shortfall {
    /// How many scenarios of a kind a full run has.
    pub fn of(known_bad: bool) -> usize {
        let drawn = if known_bad { 0 } else { DRAWN as usize };
        SUITE.iter().filter(|scenario| scenario.asked.known_bad == known_bad).count() + drawn
    }
}

impl Scope {
    /// The built-in honest scenarios that were left out and claim a row of the matrix.
    pub fn left_out_of(&self, row: &str) -> Vec<&'static str> {
        let claiming = claiming(row).filter(|scenario| self.left_out.contains_key(scenario.name));
        claiming.map(|scenario| scenario.name).collect()
    }

    /// The lanes that have to show a row.
    pub fn lanes_of(&self, row: &str) -> &'static [LaneId] {
        match self.baseline.is_some() || self.policy.candidate_alone.iter().any(|alone| alone == row) {
            true => &[LaneId::Candidate],
            false => &LaneId::BOTH,
        }
    }

    /// Whether the run could have shown all that its lanes can show: it chose nothing, and each lane ran against the
    /// other.
    pub(super) fn is_whole(&self) -> bool {
        let chose = !self.chosen.is_empty() || self.instead.is_some() || self.no_faults;
        !chose && self.aa.is_none() && self.suite == suite_digest()
    }

    /// The parts of a row that a lane can show: a built-in scenario that these lanes can be put through lets it see
    /// them.
    pub fn can_show(&self, row: &Row, lane: LaneId) -> BTreeSet<Part> {
        let Some(means) = self.lanes.get(&lane) else { return BTreeSet::new() };
        let driven = claiming(row.name).filter(|scenario| !self.left_out.contains_key(scenario.name));
        let earned = driven.filter_map(|scenario| scenario.earns.get(&lane)).flatten().copied();
        let owed = |part: &Part| row.parts.contains(part) && part.is_owed_by(lane);
        earned.filter(|part| owed(part) && cannot_show(*part, lane, means).is_none()).collect()
    }

    /// Whether a run has to show of a row what its lanes can show of it.
    pub fn requires(&self, row: &Row) -> bool {
        let asked = self.policy.rows == Rows::CanShow && !self.policy.warns_of_row(row.name);
        asked && self.is_whole() && self.lanes_of(row.name).iter().any(|lane| !self.can_show(row, *lane).is_empty())
    }

    /// Whether a row that is required lacks a part that its lane can show.
    pub fn lacks(&self, verdict: &RowVerdict) -> bool {
        matrix::row(&verdict.row).is_some_and(|row| self.requires(row)) && self.shows_less(verdict)
    }

    /// Whether a whole run lacks a part of a row that its lane can show.
    pub(super) fn shows_less(&self, verdict: &RowVerdict) -> bool {
        let Some(row) = matrix::row(&verdict.row).filter(|_| self.is_whole()) else { return false };
        verdict.missing.iter().any(|(lane, missing)| !missing.is_disjoint(&self.can_show(row, *lane)))
    }

    /// The lanes that are driven.
    pub fn driven(&self) -> &'static [LaneId] {
        if self.baseline.is_some() { &[LaneId::Candidate] } else { &LaneId::BOTH }
    }

    /// Whether a scenario is compared with a baseline. Those that plant a defect and those that a run draws have none.
    pub fn has_baseline(&self, name: &str) -> bool {
        let drawn = || (1..=self.drawn).any(|index| drawn_name(index) == name);
        self.baseline.is_some() && self.scenarios.get(name).is_some_and(|asked| !asked.known_bad) && !drawn()
    }

    /// What the judged scenarios lack of the whole built-in suite.
    pub fn shortfall(&self, judged: &[JudgedScenario]) -> Shortfall {
        if self.suite != suite_digest() {
            return Shortfall { other_suite: true, ..Shortfall::default() };
        }
        let ran: BTreeSet<(&str, &str, bool)> = judged
            .iter()
            .map(|scenario| (scenario.name.as_str(), scenario.digest.as_str(), scenario.known_bad()))
            .collect();
        let short = SUITE.iter().filter(|scenario| {
            let asked = &scenario.asked;
            !ran.contains(&(scenario.name, asked.digest.as_str(), asked.known_bad)) && !self.had_to_leave_out(scenario)
        });
        let mut shortfall = Shortfall::default();
        for scenario in short {
            let list = match scenario.asked.known_bad {
                false => &mut shortfall.honest,
                true => &mut shortfall.known_bad,
            };
            list.push(scenario.name.to_owned());
        }
        let has_run = |name: &String| ran.iter().any(|(ran, _, known_bad)| ran == name && !known_bad);
        // Recheck draws them again, and so knows whether a reason follows.
        let accounted = |name: &String| has_run(name) || self.left_out.contains_key(name);
        shortfall.honest.extend((1..=DRAWN).map(drawn_name).filter(|name| !accounted(name)));
        shortfall
    }

    /// Built-in scenarios that are said to be left out for a reason that does not follow.
    pub fn unfounded(&self) -> Vec<&'static str> {
        let left_out = SUITE.iter().filter(|scenario| {
            let asked = self.scenarios.get(scenario.name) == Some(&scenario.asked);
            asked && self.left_out.contains_key(scenario.name)
        });
        let unfounded = left_out.filter(|scenario| !self.had_to_leave_out(scenario));
        unfounded.map(|scenario| scenario.name).collect()
    }

    /// Scenarios that had to be asked for by the choice among the built-in ones and were not, or the other way round.
    pub fn misasked(&self) -> Vec<String> {
        if self.suite != suite_digest() || self.instead.is_some() {
            return Vec::new();
        }
        let chosen = |name: &str| self.chosen.is_empty() || self.chosen.iter().any(|glob| pattern::matches(glob, name));
        let expected: BTreeMap<&str, &Asked> = SUITE
            .iter()
            .filter(|scenario| chosen(scenario.name) && (self.known_bad || !scenario.asked.known_bad))
            .map(|scenario| (scenario.name, &scenario.asked))
            .collect();
        let missing = expected.iter().filter(|(name, asked)| self.scenarios.get(**name) != Some(**asked));
        let missing = missing.map(|(name, _)| (*name).to_owned());
        // Whether their texts are what the seed gives is for the recheck to say.
        let drawn: BTreeSet<String> = (1..=self.drawn).map(drawn_name).filter(|name| chosen(name)).collect();
        let undrawn = drawn.iter().filter(|name| !self.scenarios.contains_key(*name)).cloned();
        // What was added is the run's own affair, but only where something was.
        let surplus = self.scenarios.keys().filter(|name| {
            self.also.is_empty() && !expected.contains_key(name.as_str()) && !drawn.contains(name.as_str())
        });
        missing.chain(undrawn).chain(surplus.cloned()).collect()
    }

    /// Whether the reason that is recorded for leaving a built-in scenario out follows from its plan and these lanes.
    fn had_to_leave_out(&self, scenario: &BuiltIn) -> bool {
        let Some(reason) = self.left_out.get(scenario.name) else {
            return false;
        };
        // No chance decides whether lanes can be put through a scenario, so any seed will do.
        let plan = Scenario::parse(scenario.path, scenario.text).map(|parsed| compile(&parsed, Seed(0)));
        plan.is_ok_and(|plan| unfit(&plan, &self.lanes, self.aa).as_ref() == Some(reason))
    }

    /// Scenarios that had to run, were not left out, and are not among the judged ones with the same file.
    pub fn unaccounted(&self, judged: &[JudgedScenario]) -> Vec<String> {
        let ran: BTreeMap<&str, (&str, bool)> = judged
            .iter()
            .map(|scenario| (scenario.name.as_str(), (scenario.digest.as_str(), scenario.known_bad())))
            .collect();
        let missing = self.scenarios.iter().filter(|(name, asked)| {
            ran.get(name.as_str()) != Some(&(asked.digest.as_str(), asked.known_bad))
                && !self.left_out.contains_key(*name)
        });
        missing.map(|(name, _)| name.clone()).collect()
    }
}
