//! What the evidence, the record of the stage before and the snapshots say, each by itself. The worst word wins.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use serde::{Deserialize, Serialize};

use super::moment::in_words;
use super::{Metric, Moment, Snapshot, environment_before};
use crate::policy::{RolloutTerms, Slo, Stage};

/// The clocks of two machines may differ by so many seconds.
const SKEW_S: i64 = 60;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The next stage may begin.
    Go,
    /// The cohort stays as it is: something is not good enough, or not known.
    Hold,
    /// The users go back to the legacy lane.
    RollBack,
}

impl Word {
    /// `go`, `hold` or `roll-back`.
    pub fn as_str(self) -> &'static str {
        match self {
            Word::Go => "go",
            Word::Hold => "hold",
            Word::RollBack => "roll-back",
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A bundle of an earlier command, as it was rechecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it was read.
    pub place: String,
    /// The command that wrote it: `gate`, `deploy` and so on.
    pub command: String,
    /// What a recheck found wrong with it.
    pub broken: Option<String>,
    /// Whether it decided well; `None` is unknown.
    pub passed: Option<bool>,
    /// The decision in words.
    pub decision: String,
    /// The digest of its document.
    pub digest: String,
    /// The build that it is of, where it says so.
    pub build: Option<String>,
    /// The environment that it is of, where it says so.
    pub environment: Option<String>,
    /// When it was started, where that can be read.
    pub started: Option<Moment>,
}

/// The record of the stage before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Where it was read.
    pub place: String,
    /// What a recheck found wrong with it.
    pub broken: Option<String>,
    /// The stage that it is about.
    pub to: Stage,
    /// What it decided.
    pub word: Word,
    pub environment: String,
    pub build: String,
    /// When it was decided.
    pub at: Moment,
    /// Its digest: records are a chain.
    pub digest: String,
}

/// What a stage is decided by.
#[derive(Debug, Clone, PartialEq)]
pub struct Input<'a> {
    /// The policy's part on rollouts.
    pub terms: &'a RolloutTerms,
    /// The stage that is to begin.
    pub to: Stage,
    /// Where.
    pub environment: &'a str,
    /// What serves there: the digest of the module.
    pub build: &'a str,
    /// Now.
    pub at: Moment,
    /// The snapshots, each with its name, or what is wrong with it.
    pub snapshots: Vec<(String, Result<Snapshot, String>)>,
    /// The bundles.
    pub evidence: Vec<Evidence>,
    /// The stage before.
    pub previous: Option<Previous>,
}

/// What one look at the input found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was looked at.
    pub name: String,
    /// What to do by it.
    pub word: Word,
    /// What was seen.
    pub saw: String,
    /// How to mend it; empty where nothing is to be mended.
    pub mend: String,
}

impl Found {
    fn new(name: impl Into<String>, word: Word, saw: impl Into<String>, mend: impl Into<String>) -> Found {
        Found { name: name.into(), word, saw: saw.into(), mend: mend.into() }
    }

    fn go(name: impl Into<String>, saw: impl Into<String>) -> Found {
        Found::new(name, Word::Go, saw, "")
    }

    pub(super) fn rolled_back(why: &str) -> Found {
        Found::new(
            "operator",
            Word::RollBack,
            format!("rolled back by hand: {why}"),
            "begin with the first cohort again",
        )
    }

    pub(super) fn no_terms(policy: &str, to: Stage) -> Found {
        Found::hold("policy", format!("{policy} has no `[rollout]` with the stage {to}"), "docs/OPERATING.md shows one")
    }

    fn hold(name: impl Into<String>, saw: impl Into<String>, mend: impl Into<String>) -> Found {
        Found::new(name, Word::Hold, saw, mend)
    }
}

/// The worst word; nothing found is *hold*.
pub fn word(found: &[Found]) -> Word {
    found.iter().map(|found| found.word).max().unwrap_or(Word::Hold)
}

/// Looks at everything, and stops at nothing.
pub fn judge(input: &Input<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let before = input.terms.before(input.to);
    evidence(input, before.is_some(), &mut found);
    previous(input, before, &mut found);
    if let Some(cohort) = before {
        snapshots(input, cohort, &mut found);
    }
    found
}

fn evidence(input: &Input<'_>, has_users: bool, found: &mut Vec<Found>) {
    for command in &input.terms.needs {
        if input.evidence.iter().all(|evidence| evidence.command != *command) {
            let mend = format!("run `cutover {command}`, and give its bundle by `--evidence DIR`");
            found.push(Found::hold(command, format!("there is no evidence of `cutover {command}`"), mend));
        }
    }
    for evidence in &input.evidence {
        let name = format!("{} in {}", evidence.command, evidence.place);
        found.push(one_evidence(input, has_users, name, evidence));
    }
}

fn one_evidence(input: &Input<'_>, has_users: bool, name: String, evidence: &Evidence) -> Found {
    let again = format!("run `cutover {}` again", evidence.command);
    if let Some(broken) = &evidence.broken {
        return Found::hold(
            name,
            format!("it does not hold: {broken}"),
            format!("{again}; `cutover recheck` says more"),
        );
    }
    match evidence.passed {
        Some(false) if has_users => {
            let mend = "take the users back to the legacy lane, and mend what it found";
            return Found::new(name, Word::RollBack, format!("it decided {}", evidence.decision), mend);
        }
        Some(true) => {}
        _ => return Found::hold(name, format!("it decided {}", evidence.decision), format!("mend it, and {again}")),
    }
    let is_gate = evidence.command == "gate";
    match evidence.environment.as_deref() {
        Some(of) if of == input.environment => {}
        // A gate writes. So one before production is of the environment before, with the same module.
        Some(of) if is_gate && environment_before(input.environment) == Some(of) => {}
        Some(of) => return Found::hold(name, format!("it is of {of}, and not of {}", input.environment), again),
        None if is_gate => {
            return Found::hold(name, "it is of no hosted environment", format!("{again} with `--env`"));
        }
        None => {}
    }
    match &evidence.build {
        Some(build) if build != input.build => {
            return Found::hold(name, format!("it is of the build {build}, and not of {}", input.build), again);
        }
        None if is_gate || evidence.command == "shadow" => {
            let mend = format!("{again} with a token that may read the module, such as that of the database's owner");
            return Found::hold(name, "it does not say which module it is of", mend);
        }
        _ => {}
    }
    let Some(started) = evidence.started else {
        return Found::hold(name, "it does not say when it was started", again);
    };
    let age = input.at.since(started);
    if age < -SKEW_S {
        return Found::hold(name, format!("it is from the future, by {}", in_words(-age)), "set the clocks right");
    }
    if beyond(age, input.terms.evidence_fresh_s) {
        let most = in_words(as_seconds(input.terms.evidence_fresh_s));
        return Found::hold(name, format!("it is {} old, and may be {most}", in_words(age)), again);
    }
    Found::go(name, format!("it decided {}, {} ago", evidence.decision, in_words(age)))
}

fn previous(input: &Input<'_>, before: Option<u8>, found: &mut Vec<Found>) {
    let name = "the stage before";
    let Some(cohort) = before else {
        return found.push(Found::go(name, format!("{} is the first stage", input.to)));
    };
    let stage = Stage::Cohort(cohort);
    let Some(previous) = &input.previous else {
        let mend = format!("give the record of the stage {stage} by `--previous DIR`");
        return found.push(Found::hold(name, "there is no record of it", mend));
    };
    let Previous { place, broken, to, word, environment, build, at, .. } = previous;
    let since = input.at.since(*at);
    let soak = as_seconds(input.terms.soak_s);
    found.push(if let Some(broken) = broken {
        Found::hold(name, format!("{place} does not hold: {broken}"), "`cutover recheck` says more")
    } else if *to != stage {
        let saw = format!("{place} is about {to}, and before {} comes {stage}", input.to);
        Found::hold(name, saw, format!("take no stage out: decide {stage} first"))
    } else if *word != Word::Go {
        let saw = format!("{place} decided {word}");
        Found::hold(name, saw, "decide that stage again; after a roll back begin with the first cohort")
    } else if environment != input.environment {
        Found::hold(name, format!("{place} is of {environment}"), format!("give the record of {}", input.environment))
    } else if build != input.build {
        let saw = format!("{place} is of the build {build}, and now {} is to be rolled out", input.build);
        Found::hold(name, saw, "a new build begins with the first cohort")
    } else if since < soak {
        let saw = format!("{stage} began {} ago, and is to be watched for {}", in_words(since), in_words(soak));
        Found::hold(name, saw, "wait, and take a new snapshot")
    } else {
        Found::go(name, format!("{stage} began {} ago", in_words(since)))
    });
}

fn snapshots(input: &Input<'_>, cohort: u8, found: &mut Vec<Found>) {
    if input.snapshots.is_empty() {
        let mend = format!("give a snapshot of the cohort of {cohort} % by `--slo FILE`");
        found.push(Found::hold("snapshot", "there is none", mend));
    }
    for (name, snapshot) in &input.snapshots {
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(wrong) => {
                found.push(Found::hold(name, wrong, "docs/OPERATING.md shows a snapshot"));
                continue;
            }
        };
        match misfit(input, cohort, snapshot) {
            // Of something else: its numbers say nothing here.
            Some((saw, mend)) => found.push(Found::hold(name, saw, mend)),
            None => {
                let window = in_words(snapshot.to.since(snapshot.from));
                let age = in_words(input.at.since(snapshot.to).max(0));
                found.push(Found::go(name, format!("{window} of the cohort of {cohort} %, ended {age} ago")));
                found.extend(input.terms.slos.iter().map(|(metric, slo)| {
                    let measured = snapshot.metrics.get(metric);
                    let name = format!("{metric} in {name}");
                    measured.map_or_else(
                        || Found::hold(&name, "it was not measured", "let the monitoring write it into the snapshot"),
                        |measured| level(&name, slo, measured),
                    )
                }));
            }
        }
    }
}

/// Why a snapshot is not one of this cohort as it is now, and how to mend that.
fn misfit(input: &Input<'_>, cohort: u8, snapshot: &Snapshot) -> Option<(String, String)> {
    let again = "take a snapshot of this cohort".to_owned();
    let Snapshot { environment, cohort: of, build, from, to, .. } = snapshot;
    let (long, age, soak) = (to.since(*from), input.at.since(*to), as_seconds(input.terms.soak_s));
    let begun = input.previous.as_ref().filter(|previous| previous.word == Word::Go).map(|previous| previous.at);
    if environment != input.environment {
        Some((format!("it is of {environment}, and not of {}", input.environment), again))
    } else if *of != cohort {
        Some((format!("it is of the cohort of {of} %, and not of {cohort} %"), again))
    } else if build != input.build {
        Some((format!("it is of the build {build}, and not of {}", input.build), again))
    } else if age < -SKEW_S {
        Some((format!("it ends in the future, by {}", in_words(-age)), "set the clocks right".to_owned()))
    } else if beyond(age, input.terms.fresh_s) {
        let most = in_words(as_seconds(input.terms.fresh_s));
        Some((format!("it ended {} ago, and may be {most} old", in_words(age)), again))
    } else if long < soak {
        Some((format!("it is of {}, and must be of {}", in_words(long), in_words(soak)), again))
    } else if begun.is_some_and(|begun| from.since(begun) < -SKEW_S) {
        Some(("it begins before the cohort did, so it is also of the time before".to_owned(), again))
    } else {
        None
    }
}

fn level(name: &str, slo: &Slo, measured: &Metric) -> Found {
    let look = "look for why, and take another snapshot";
    let Some(value) = measured.value else {
        return Found::hold(name, "it has no number", "a metric without data is no success; mend what measures it");
    };
    let samples = measured.samples.unwrap_or(0);
    if samples < slo.least_samples {
        let saw = format!("{value} of {samples} samples, and {} are needed", slo.least_samples);
        return Found::hold(name, saw, "wait for more, or take a longer snapshot");
    }
    let outside = |above: Option<f64>, below: Option<f64>| {
        let high = above.filter(|most| value > *most).map(|most| format!("{value} is above {most}"));
        high.or_else(|| below.filter(|least| value < *least).map(|least| format!("{value} is below {least}")))
    };
    if let Some(saw) = outside(slo.roll_back_above, slo.roll_back_below) {
        return Found::new(name, Word::RollBack, saw, "take the users back to the legacy lane");
    }
    if let Some(saw) = outside(slo.hold_above, slo.hold_below) {
        return Found::hold(name, saw, look);
    }
    let Some(percent) = slo.hold_above_percent_of_legacy else {
        return Found::go(name, format!("{value} of {samples} samples"));
    };
    match measured.beside {
        None => Found::hold(name, "there is no number of the legacy lane beside it", "let the snapshot have `beside`"),
        Some(beside) if value > beside * percent / 100.0 => {
            Found::hold(name, format!("{value} is above {percent} % of {beside} on the legacy lane"), look)
        }
        Some(beside) => Found::go(name, format!("{value} of {samples} samples, and {beside} on the legacy lane")),
    }
}

fn as_seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn beyond(age: i64, most: u64) -> bool {
    age > as_seconds(most)
}
