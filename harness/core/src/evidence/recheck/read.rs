//! Reads what a bundle recorded, and reports the first problem of each file.

use serde::Deserialize;

use super::bundle::{Bundle, Entry, Inventory, files_of, read};
use super::times::Fires;
use super::{Build, Compile, NoBundle, Problem};
use crate::check::CheckInput;
use crate::evidence::document::{EVIDENCE_SCHEMA, Evidence, State};
use crate::evidence::layout;
use crate::evidence::run::LaneRun;
use crate::evidence::vectors;
use crate::gate::Scope;
use crate::hash::{HashVector, sha256};
use crate::history::valid::valid;
use crate::history::{History, Record, file};
use crate::ids::{LaneId, Protocol};
use crate::plan::Plan;

pub struct Recorded {
    pub plan: Plan,
    pub legacy: History,
    pub candidate: History,
    /// What stands for the legacy lane, where the candidate was judged against a baseline.
    pub baseline: Option<HashVector>,
    /// When its faults fired, by its histories and their times; `None` where the times can't be read.
    pub fires: Option<Fires>,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: String,
}

/// The document; inside, why it can't be read though it is there.
pub fn document(
    bundle: &dyn Bundle,
    entry: Option<Entry>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Evidence>, NoBundle> {
    let entry = entry.ok_or(NoBundle::NoDocument)?;
    let bytes = match read(bundle, layout::EVIDENCE, Some(entry)) {
        Ok(bytes) => bytes,
        Err(problem) => {
            problems.push(problem);
            return Ok(None);
        }
    };
    if let Ok(SchemaOnly { schema: found }) = serde_json::from_slice(&bytes)
        && found != EVIDENCE_SCHEMA
    {
        return Err(NoBundle::Schema { found });
    }
    match serde_json::from_slice::<Evidence>(&bytes) {
        Ok(evidence) => {
            is_as_written(&bytes, &evidence, problems);
            Ok(Some(evidence))
        }
        Err(error) => {
            let cut_short = if error.is_eof() { "; the file was cut short" } else { "" };
            let what = format!("cannot be read: {error}{cut_short}");
            problems.push(Problem::new(layout::EVIDENCE, what));
            Ok(None)
        }
    }
}

/// Whether writing the document again gives the same bytes. This finds what was added or spelled otherwise.
fn is_as_written(bytes: &[u8], evidence: &Evidence, problems: &mut Vec<Problem>) {
    let expected = evidence.own_digest();
    if evidence.to_bytes() != bytes {
        problems.push(Problem::not_as_written(layout::EVIDENCE, bytes, &evidence.to_bytes()));
    } else if evidence.digest != expected {
        let what = "was edited: its digest of itself differs";
        problems.push(Problem::between(layout::EVIDENCE, what, expected, &evidence.digest));
    }
}

/// Reads one scenario; `None` where a file of it is missing or wrong. Only the first problem is reported, and not what
/// follows from it.
pub fn scenario(
    name: &str,
    inventory: &Inventory<'_>,
    evidence: &Evidence,
    compile: Compile<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Recorded> {
    let copy = layout::scenario_places(name).into_iter().find(|path| inventory.has(path));
    let whole = || files_of(name, &evidence.scope).iter().all(|path| inventory.has(path));
    if evidence.state == State::InProgress && (copy.is_none() || !whole()) {
        return None;
    }
    let source = copy.and_then(|path| Some((inventory.content(&path, problems)?, path)));
    let plan = plan(name, inventory, problems);
    let driven = evidence.scope.driven();
    let mut content = |lane: &LaneId, path: fn(&str, LaneId) -> String| {
        driven.contains(lane).then(|| inventory.content(&path(name, *lane), problems)).flatten()
    };
    let histories = LaneId::BOTH.map(|lane| content(&lane, layout::history));
    let times = LaneId::BOTH.map(|lane| content(&lane, layout::times));
    let baseline = match evidence.scope.has_baseline(name) {
        true => Some(baseline(name, inventory, problems)?),
        false => None,
    };
    let plan = plan?;
    if let Some((source, path)) = source {
        follows(&plan, &path, &source, evidence, compile).map_err(|problem| problems.push(problem)).ok()?;
    }
    let [legacy, candidate] = histories;
    let mut read = |lane, bytes: Option<Vec<u8>>| {
        if !driven.contains(&lane) {
            return Some(LaneRun::none(&plan, lane).history);
        }
        let history = read_history(&layout::history(name, lane), &plan, (lane, &evidence.scope), &bytes?);
        history.map_err(|problem| problems.push(problem)).ok()
    };
    let (legacy, candidate) = (read(LaneId::Legacy, legacy), read(LaneId::Candidate, candidate));
    let (legacy, candidate) = (legacy?, candidate?);
    let mut fires = Some(Fires::default());
    let lanes = LaneId::BOTH.into_iter().zip([&legacy, &candidate]).zip(times);
    for ((lane, history), times) in lanes.filter(|((lane, _), _)| driven.contains(lane)) {
        let added = match (&mut fires, times) {
            (Some(fires), Some(times)) => {
                fires.read(name, lane, history, &times).map_err(|problem| problems.push(problem))
            }
            _ => Err(()),
        };
        fires = fires.filter(|_| added.is_ok());
    }
    let recorded = Recorded { plan, legacy, candidate, baseline, fires };
    vectors_follow(name, &recorded, &evidence.scope, inventory, problems);
    Some(recorded)
}

impl Recorded {
    /// What its checkers look at.
    pub fn input(&self, scope: &Scope) -> CheckInput<'_> {
        let input = CheckInput::new(&self.plan, &self.legacy, &self.candidate);
        if scope.baseline.is_some() { input.alone(self.baseline.as_ref()) } else { input }
    }
}

fn baseline(name: &str, inventory: &Inventory<'_>, problems: &mut Vec<Problem>) -> Option<HashVector> {
    let path = layout::baseline(name);
    let bytes = inventory.content(&path, problems)?;
    let read = HashVector::read(&path, bytes.as_slice());
    read.map_err(|error| problems.push(Problem::new(&path, format!("cannot be read: {error}")))).ok()
}

fn plan(name: &str, inventory: &Inventory<'_>, problems: &mut Vec<Problem>) -> Option<Plan> {
    let path = layout::plan(name);
    let bytes = inventory.content(&path, problems)?;
    let text = String::from_utf8(bytes).map_err(|error| error.to_string());
    let problem = match text.and_then(|text| Plan::from_json(&text).map_err(|error| error.to_string())) {
        Ok(plan) if plan.scenario == name => return Some(plan),
        Ok(plan) => Problem::between(&path, "is of another scenario", name, plan.scenario),
        Err(error) => Problem::new(&path, format!("cannot be read: {error}")),
    };
    problems.push(problem);
    None
}

/// The scenario's copy and the seed must give the recorded plan, byte for byte. Otherwise the run was of another
/// scenario.
fn follows(plan: &Plan, copy: &str, source: &[u8], evidence: &Evidence, compile: Compile<'_>) -> Result<(), Problem> {
    let build = Build { seed: evidence.seed, no_faults: evidence.scope.no_faults };
    let again =
        compile(copy, source, build).map_err(|error| Problem::new(copy, format!("cannot be compiled: {error}")))?;
    let again = evidence.scope.policy.plan(again);
    let place = layout::scenario(&again);
    if place != copy {
        return Err(Problem::between(copy, "stands where no such scenario belongs", place, copy));
    }
    if again != *plan {
        let what = "is not the plan that the scenario and the seed give";
        return Err(Problem::between(&layout::plan(&plan.scenario), what, again.digest(), plan.digest()));
    }
    Ok(())
}

/// A lane's history, where it is of the plan and its records fit together.
fn read_history(path: &str, plan: &Plan, (lane, scope): (LaneId, &Scope), bytes: &[u8]) -> Result<History, Problem> {
    let history = file::read(bytes).map_err(|error| Problem::new(path, format!("cannot be read: {error}")))?;
    let header = &history.header;
    let sides = [
        ("is of another scenario", plan.scenario.clone(), header.scenario.clone()),
        ("is of another lane", lane.to_string(), header.lane.to_string()),
        ("is of another seed", plan.seed.to_string(), header.seed.to_string()),
        ("is of another plan", plan.digest(), header.plan_digest.clone()),
    ];
    for (what, expected, found) in sides {
        if expected != found {
            return Err(Problem::between(path, what, expected, found));
        }
    }
    valid(plan, &history).map_err(|misfit| Problem::new(path, format!("is not valid: {misfit}")))?;
    let used = scope.aa.unwrap_or(lane);
    let protocol = scope.lanes.get(&used).map_or(Protocol::usual(used), |means| means.protocol(used));
    speaks(path, protocol, &history)?;
    let again = file::to_bytes(&history);
    match again == bytes {
        true => Ok(history),
        false => Err(Problem::not_as_written(path, bytes, &again)),
    }
}

/// Each protocol has its own kinds of messages, so the deliveries of a history show its lane.
fn speaks(path: &str, protocol: Protocol, history: &History) -> Result<(), Problem> {
    let mut spoken = history.records.iter().filter_map(|record| match record {
        Record::Delivered { via, .. } => Some(via.protocol()),
        _ => None,
    });
    match spoken.find(|spoken| *spoken != protocol && protocol != Protocol::Other) {
        Some(spoken) => {
            let what = "has messages of another protocol than `scope` says";
            Err(Problem::between(path, what, format!("{protocol:?}"), format!("{spoken:?}")))
        }
        None => Ok(()),
    }
}

fn vectors_follow(
    name: &str,
    recorded: &Recorded,
    scope: &Scope,
    inventory: &Inventory<'_>,
    problems: &mut Vec<Problem>,
) {
    let computed = vectors::of(&recorded.plan, [&recorded.legacy, &recorded.candidate], &scope.policy.normalise);
    for (lane, computed) in LaneId::BOTH.into_iter().zip(computed).filter(|(lane, _)| scope.driven().contains(lane)) {
        let path = layout::vector(name, lane);
        let Some(found) = inventory.content(&path, problems) else {
            continue;
        };
        if computed != found {
            let what = "does not follow from the histories";
            let (expected, found) = (sha256(&computed), sha256(&found));
            problems.push(Problem::between(&path, what, expected, found));
        }
    }
}
