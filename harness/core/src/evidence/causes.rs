//! Findings of all scenarios, grouped by what they have in common: one broken property of a lane is reported once,
//! however many scenarios show it.
//!
//! A cause is a lane, a checker and a reason. It lists the scenarios that show it, what only follows from it, and the
//! known-bad scenarios that could not be judged because the lane is broken in this way. Nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::{self, Finding, Verdict};
use crate::gate::{JudgedFinding, JudgedScenario};
use crate::ids::LaneId;
use crate::plan::Expectation;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Cause {
    /// The lane; `None` where it is no one lane's.
    pub lane: Option<LaneId>,
    pub checker: String,
    pub reason: String,
    pub verdict: Verdict,
    /// What the lane did, in a sentence without a period.
    pub says: String,
    pub findings: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consequences: BTreeMap<String, u64>,
    /// The scenarios that show it, the smallest first: the fewest steps, then by name.
    pub scenarios: Vec<String>,
    /// The finding of the smallest scenario that shows it best, by its place there.
    pub witness: usize,
    /// Known-bad scenarios that were not caught with exactly their findings, since this was found as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<String>,
}

type Key<'a> = (Option<LaneId>, &'a str, &'a str);

fn key(finding: &Finding) -> Key<'_> {
    (finding.lane, finding.checker, finding.reason.word)
}

struct Found<'a> {
    scenario: &'a JudgedScenario,
    place: usize,
    found: &'a JudgedFinding,
}

pub fn causes(scenarios: &[JudgedScenario]) -> Vec<Cause> {
    let mut groups = BTreeMap::<Key<'_>, Vec<Found<'_>>>::new();
    for found in scenarios.iter().flat_map(wrong).filter(|it| !is_planted(it)) {
        groups.entry(key(&found.found.finding)).or_default().push(found);
    }
    let known: BTreeSet<Key<'_>> = groups.keys().copied().collect();
    let missed = scenarios.iter().filter(|scenario| scenario.known_bad() && !scenario.outcome.is_good());
    let not_judged: Vec<(&str, BTreeSet<Key<'_>>)> = missed
        .map(|scenario| (scenario.name.as_str(), surplus(scenario)))
        .filter(|(_, surplus)| !surplus.is_empty() && surplus.is_subset(&known))
        .collect();
    let mut causes: Vec<Cause> =
        groups.into_iter().filter_map(|(key, found)| cause(key, &found, &not_judged)).collect();
    causes.sort_by(|a, b| {
        let order = |cause: &Cause| (cause.verdict, cause.scenarios.len());
        order(b).cmp(&order(a)).then_with(|| rank(a).cmp(&rank(b)))
    });
    causes
}

/// The place of the cause that the outcome of a scenario is reported under.
pub fn cause_of(scenario: &str, causes: &[Cause]) -> Option<usize> {
    causes.iter().position(|cause| cause.scenarios.iter().chain(&cause.not_judged).any(|name| name == scenario))
}

fn wrong(scenario: &JudgedScenario) -> impl Iterator<Item = Found<'_>> {
    let all = scenario.findings.iter().enumerate().map(move |(place, found)| Found { scenario, place, found });
    all.filter(|it| it.found.explained_by.is_none() && it.found.finding.verdict > Verdict::Valid)
}

/// Whether it was found in a known-bad scenario, and not on the other lane of one that was caught.
fn is_planted(it: &Found<'_>) -> bool {
    match it.scenario.expect {
        Expectation::Allow => false,
        Expectation::Block { lane, .. } => !it.scenario.outcome.is_good() || it.found.finding.lane == Some(lane),
    }
}

/// What was found in a known-bad scenario beside what it must be caught with.
fn surplus(scenario: &JudgedScenario) -> BTreeSet<Key<'_>> {
    let Expectation::Block { findings, lane } = &scenario.expect else {
        return BTreeSet::new();
    };
    wrong(scenario)
        .map(|it| &it.found.finding)
        .filter(|finding| finding.lane != Some(*lane) || !findings.iter().any(|expected| expected == finding.checker))
        .map(key)
        .collect()
}

fn cause(
    key @ (lane, checker, reason): Key<'_>,
    found: &[Found<'_>],
    not_judged: &[(&str, BTreeSet<Key<'_>>)],
) -> Option<Cause> {
    let size = |it: &Found<'_>| (it.scenario.steps, it.scenario.name.clone());
    let witness = found.iter().min_by_key(|it| (size(it), plainness(it.found)))?;
    let mut consequences = BTreeMap::<String, u64>::new();
    for it in found {
        let effects = it.scenario.findings.iter().filter(|effect| effect.explained_by == Some(it.place));
        effects.for_each(|effect| *consequences.entry(effect.finding.checker.to_owned()).or_default() += 1);
    }
    let scenarios: BTreeSet<(u64, String)> = found.iter().map(size).collect();
    let not_judged = not_judged.iter().filter(|(_, surplus)| surplus.contains(&key));
    Some(Cause {
        lane,
        checker: checker.to_owned(),
        reason: reason.to_owned(),
        verdict: found.iter().map(|it| it.found.finding.verdict).max()?,
        says: witness.found.finding.summary(),
        findings: found.len() as u64,
        consequences,
        scenarios: scenarios.into_iter().map(|(_, name)| name).collect(),
        witness: witness.place,
        not_judged: not_judged.map(|(name, _)| (*name).to_owned()).collect(),
    })
}

/// How much there is to a witness; the less, the better it shows. One without any record shows nothing.
fn plainness(found: &JudgedFinding) -> (bool, bool, u64, usize) {
    let finding = &found.finding;
    let range = match (finding.seq, finding.witness.through) {
        (Some(first), Some(last)) => last.0.saturating_sub(first.0),
        _ => 0,
    };
    (found.shown_by.is_empty(), finding.witness.expected.is_none(), range, finding.witness.records.len())
}

fn rank(cause: &Cause) -> (usize, &Option<LaneId>, &str) {
    (check::rank(&cause.checker), &cause.lane, &cause.reason)
}
