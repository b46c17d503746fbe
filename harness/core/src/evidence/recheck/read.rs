//! Reads what a bundle holds, and says of each file what is wrong with it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Build, Compile, NoBundle, Problem};
use crate::evidence::document::{EVIDENCE_SCHEMA, Evidence};
use crate::evidence::layout::{self, Files};
use crate::evidence::vectors;
use crate::history::{History, file};
use crate::ids::LaneId;
use crate::plan::Plan;

/// A scenario as the bundle recorded it.
pub struct Recorded {
    pub plan: Plan,
    pub legacy: History,
    pub candidate: History,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: String,
}

/// The document; inside, why it can't be read though it is there.
pub fn document(bytes: &[u8]) -> Result<Result<Evidence, Problem>, NoBundle> {
    if let Ok(SchemaOnly { schema: found }) = serde_json::from_slice(bytes)
        && found != EVIDENCE_SCHEMA
    {
        return Err(NoBundle::Schema { found });
    }
    Ok(serde_json::from_slice(bytes).map_err(|error| {
        let cut_short = if error.is_eof() { "; the file was cut short" } else { "" };
        Problem::new(layout::EVIDENCE, format!("cannot be read: {error}{cut_short}"))
    }))
}

/// Whether writing the document again gives the same bytes. Else somebody added to it, or spelled it otherwise, where
/// nothing else would notice.
pub fn is_written_by_this_tool(bytes: &[u8], evidence: &Evidence, problems: &mut Vec<Problem>) {
    let again = evidence.to_bytes();
    if again != bytes {
        let line = again
            .split(|b| *b == b'\n')
            .zip(bytes.split(|b| *b == b'\n'))
            .take_while(|(a, b)| a == b)
            .count()
            + 1;
        let what =
            format!("is not as this tool writes it, from line {line} on: it was edited, or another version wrote it");
        problems.push(Problem::new(layout::EVIDENCE, what));
    }
}

/// Every scenario that the bundle has a plan of or was judged by, in order of names; those that can't be read are left out
/// and named as problems.
pub fn scenarios(
    files: &Files,
    evidence: &Evidence,
    compile: Compile<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Recorded> {
    let judged = evidence.judged.scenarios.iter().map(|scenario| scenario.name.as_str());
    let names: BTreeSet<&str> = judged.collect();
    names
        .into_iter()
        .filter_map(|name| scenario(name, files, evidence, compile, problems))
        .collect()
}

fn scenario(
    name: &str,
    files: &Files,
    evidence: &Evidence,
    compile: Compile<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Recorded> {
    let plan = plan(name, files, problems);
    let [legacy, candidate] = LaneId::BOTH.map(|lane| history(name, lane, evidence.scope.aa, files, problems));
    let plan = plan?;
    compiles_anew(name, &plan, files, evidence, compile, problems);
    for (lane, history) in LaneId::BOTH.into_iter().zip([&legacy, &candidate]) {
        if let Some(history) = history {
            belongs_to(&plan, lane, history, problems);
        }
    }
    let recorded = Recorded {
        plan,
        legacy: legacy?,
        candidate: candidate?,
    };
    vectors_follow(name, &recorded, files, problems);
    Some(recorded)
}

/// A file's bytes. One that is missing but listed is named by the comparison of digests; one that is not even listed, here.
fn content<'a>(path: &str, files: &'a Files, problems: &mut Vec<Problem>) -> Option<&'a [u8]> {
    let content = files.get(path).map(Vec::as_slice);
    let named = problems.iter().any(|problem| problem.file == path);
    if content.is_none() && !named {
        problems.push(Problem::new(path, "is missing"));
    }
    content
}

fn plan(name: &str, files: &Files, problems: &mut Vec<Problem>) -> Option<Plan> {
    let path = layout::plan(name);
    let bytes = content(&path, files, problems)?;
    let read = std::str::from_utf8(bytes).map_err(|error| error.to_string());
    let plan = match read.and_then(|text| Plan::from_json(text).map_err(|error| error.to_string())) {
        Ok(plan) => plan,
        Err(error) => {
            problems.push(Problem::new(&path, format!("cannot be read: {error}")));
            return None;
        }
    };
    if plan.scenario != name {
        problems.push(Problem::between(&path, "is of another scenario", name, plan.scenario));
        return None;
    }
    Some(plan)
}

fn history(
    name: &str,
    lane: LaneId,
    aa: Option<LaneId>,
    files: &Files,
    problems: &mut Vec<Problem>,
) -> Option<History> {
    let path = layout::history(name, lane);
    let bytes = content(&path, files, problems)?;
    match file::read(bytes) {
        // Where a lane ran against itself, both histories are its own.
        Ok(history) if history.header.lane == lane || Some(history.header.lane) == aa => Some(history),
        Ok(history) => {
            let found = history.header.lane.as_str();
            problems.push(Problem::between(&path, "is of the other lane", lane.as_str(), found));
            None
        }
        Err(error) => {
            problems.push(Problem::new(&path, format!("cannot be read: {error}")));
            None
        }
    }
}

/// The scenario's copy and the seed must give the recorded plan: else the run was of something else than it says.
fn compiles_anew(
    name: &str,
    plan: &Plan,
    files: &Files,
    evidence: &Evidence,
    compile: Compile<'_>,
    problems: &mut Vec<Problem>,
) {
    let (source_path, path) = (layout::scenario(plan), layout::plan(name));
    let Some(source) = content(&source_path, files, problems) else {
        return;
    };
    let build = Build {
        seed: evidence.seed,
        no_faults: evidence.scope.no_faults,
    };
    match compile(&source_path, source, build) {
        Err(error) => problems.push(Problem::new(&source_path, format!("cannot be compiled: {error}"))),
        Ok(again) => {
            if again != *plan {
                let what = "is not the plan that the scenario and the seed give";
                problems.push(Problem::between(&path, what, again.digest(), plan.digest()));
            }
        }
    }
}

fn belongs_to(plan: &Plan, lane: LaneId, history: &History, problems: &mut Vec<Problem>) {
    let path = layout::history(&plan.scenario, lane);
    let header = &history.header;
    let sides = [
        ("is of another scenario", plan.scenario.clone(), header.scenario.clone()),
        ("is of another seed", plan.seed.to_string(), header.seed.to_string()),
        ("is of another plan", plan.digest(), header.plan_digest.clone()),
    ];
    for (what, expected, found) in sides {
        if expected != found {
            problems.push(Problem::between(&path, what, expected, found));
        }
    }
}

fn vectors_follow(name: &str, recorded: &Recorded, files: &Files, problems: &mut Vec<Problem>) {
    let computed = vectors::of(&recorded.plan, [&recorded.legacy, &recorded.candidate]);
    for (lane, computed) in LaneId::BOTH.into_iter().zip(computed) {
        let path = layout::vector(name, lane);
        let Some(found) = content(&path, files, problems) else {
            continue;
        };
        if computed != found {
            let what = "does not follow from the histories";
            problems.push(Problem::between(
                &path,
                what,
                layout::digest(&computed),
                layout::digest(found),
            ));
        }
    }
}
