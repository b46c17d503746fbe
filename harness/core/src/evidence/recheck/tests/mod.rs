//! Bundles that hold, and bundles that somebody edited, cut short, forged or left unfinished.
#![allow(clippy::unwrap_used)]

mod alone;
mod damaged;
mod forged;
mod holds;
mod policy;
mod properties;
mod scoped;

use std::collections::{BTreeMap, BTreeSet};

use super::super::bundle::{closing_files, is_digested, is_page, scenario_files};
use super::super::layout::{FileEntry, Files};
use super::super::report::print_pages;
use super::super::{Driven, EVIDENCE_SCHEMA, FireTime, LaneRun, RUN_TIMES_SCHEMA, Times, Tool, lane_time};
use super::*;
use crate::check::CheckInput;
use crate::check::tests::notation::World;
use crate::gate::{Asked, Decision, suite_digest};
use crate::hash::HashVector;
use crate::history::History;
use crate::ids::LaneId;
use crate::plan::Expectation;
use crate::policy::Policy;

const HONEST: &str = "planned cut c1; pub a1..3; c1 sub a; c1 a1 a2 a3; fires cut c1; pub a4; c1 a4";
const LOSING: &str = "pub a1..3; c1 sub a; legacy: c1 a1 a2 a3; candidate: c1 a1 a2";

/// A scenario of a bundle: its name, what happened, and the checker that must find what is planted in its candidate.
type Made<'a> = (&'a str, &'a str, Option<&'a str>);

const TWO: [Made<'_>; 3] = [("equal", HONEST, None), ("losing", LOSING, None), ("planted", LOSING, Some("lost-write"))];
const ALLOWED: [Made<'_>; 2] = [("equal", HONEST, None), ("planted", LOSING, Some("lost-write"))];

fn driven((name, notation, planted): Made<'_>) -> Driven {
    let World { mut plan, legacy, candidate } = World::read(notation).unwrap();
    plan.scenario = name.to_owned();
    if let Some(checker) = planted {
        plan.expect = Expectation::Block { findings: vec![checker.to_owned()], lane: LaneId::Candidate };
    }
    let run = |mut history: History| {
        history.header.plan_digest = plan.digest();
        history.header.scenario.clone_from(&plan.scenario);
        history.header.seed = plan.seed;
        LaneRun { times_us: (1..=history.records.len() as u64).collect(), started_us: 0, history }
    };
    Driven { legacy: run(legacy), candidate: run(candidate), elapsed_ms: 5, plan }
}

/// A bundle as the gate writes it. The scenario's text is its plan, so that compiling is reading.
fn bundle(made: &[Made<'_>], state: State) -> Files {
    bundle_by(made, state, None)
}

/// The same by a policy.
fn bundle_by(made: &[Made<'_>], state: State, policy: Option<&str>) -> Files {
    let mut files = Files::new();
    let mut judged = Vec::new();
    let mut evidence = evidence(state);
    if let Some(text) = policy {
        let terms = Policy::parse("policy.toml", text).unwrap().terms(None, false, "2026-02-25").unwrap();
        evidence.scope.enforced_rows = terms.required_in_full();
        evidence.scope.policy = terms;
        files.insert(layout::POLICY.to_owned(), text.as_bytes().to_vec());
    }
    let terms = evidence.scope.policy.clone();
    let mut times = Times {
        schema: RUN_TIMES_SCHEMA.to_owned(),
        started: "2026-02-25T19:00:00Z".to_owned(),
        elapsed_ms: Some(7),
        ..Times::default()
    };
    for made in made {
        let driven = driven(*made);
        files.extend(scenario_files(driven.plan.to_json().as_bytes(), &driven, &evidence.scope));
        let input = CheckInput::new(&driven.plan, &driven.legacy.history, &driven.candidate.history);
        judged.push(judge_by(&input, &terms));
        let asked = Asked { digest: driven.plan.scenario_digest.clone(), known_bad: made.2.is_some() };
        evidence.scope.scenarios.insert(made.0.to_owned(), asked);
        times.scenarios_ms.insert(made.0.to_owned(), driven.elapsed_ms);
        let time_of = |lane| (lane, lane_time(&driven.lane(lane).history, &driven.lane(lane).times_us));
        times.lanes.insert(made.0.to_owned(), LaneId::BOTH.into_iter().map(time_of).collect());
        let at = |after_us| format!("at {after_us}");
        let of_lane = |lane| {
            let run = driven.lane(lane);
            fires(lane, &run.history, &run.times_us, at).collect::<Vec<FireTime>>()
        };
        let fires: Vec<_> = LaneId::BOTH.into_iter().flat_map(of_lane).collect();
        if !fires.is_empty() {
            times.fires.insert(made.0.to_owned(), fires);
        }
    }
    evidence.judged = decide(judged, &evidence.scope, &evidence.state);
    let digested = files.iter().filter(|(path, _)| is_digested(path));
    evidence.files = digested.map(|(path, content)| (path.clone(), FileEntry::of(content))).collect();
    files.extend(closing_files(&mut evidence, &times));
    files
}

/// The scope of a run of scenarios that are not the built-in ones.
fn scope() -> Scope {
    Scope { suite: suite_digest(), known_bad: true, instead: Some("mine".to_owned()), ..Scope::default() }
}

fn evidence(state: State) -> Evidence {
    Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        run: "20260225T190000Z-1".to_owned(),
        tool: Tool { name: "cutover".to_owned(), version: "0.1.0".to_owned(), built_from: None },
        checkout: None,
        command: vec!["cutover".to_owned(), "gate".to_owned()],
        reproduce: "cutover gate".to_owned(),
        seed: crate::ids::Seed(1),
        repeat: None,
        scope: scope(),
        toxiproxy: None,
        lanes: BTreeMap::new(),
        module_digest: None,
        environment: None,
        calibration: None,
        judged: decide(Vec::new(), &scope(), &state),
        state,
        files: BTreeMap::new(),
        digest: String::new(),
    }
}

fn compile(path: &str, bytes: &[u8], _: Build) -> Result<Plan, String> {
    let plan = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let plan = Plan::from_json(plan).map_err(|error| error.to_string())?;
    match path.ends_with(&format!("/{}.toml", plan.scenario)) {
        true => Ok(plan),
        false => Err("the scenario must bear the name of its file".to_owned()),
    }
}

fn rechecked(files: &Files) -> Rechecked {
    recheck(files, &compile).unwrap()
}

fn document(files: &Files) -> Evidence {
    serde_json::from_slice(&files[layout::EVIDENCE]).unwrap()
}

/// Where and what is wrong with a bundle that does not hold.
fn problems(files: &Files) -> Vec<String> {
    let rechecked = rechecked(files);
    assert!(!rechecked.holds());
    assert_eq!(rechecked.exit_code(), 1);
    let told = rechecked.problems.iter();
    told.map(|problem| format!("{}: {}", problem.file, problem.what)).collect()
}

/// Edits a text file.
fn edit(files: &mut Files, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(from), "{path} has no {from}");
    files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
}

impl Bundle for Files {
    fn entries(&self) -> BTreeMap<String, Entry> {
        let mut entries = BTreeMap::new();
        for (path, content) in self {
            let folders = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
            entries.extend(folders.map(|folder| (folder, Entry::Folder)));
            entries.insert(path.clone(), Entry::File(content.len() as u64));
        }
        entries
    }

    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, String> {
        self.get(path).cloned().ok_or_else(|| "it is not there".to_owned())
    }
}

/// What somebody does who edits a bundle with care: the document says what they like, every digest is right again, and
/// so are the pages.
fn forge(files: &mut Files, lie: impl FnOnce(&mut Evidence)) {
    let mut evidence = document(files);
    let digested = files.iter().filter(|(path, _)| is_digested(path) && !is_page(path));
    evidence.files = digested.map(|(path, content)| (path.clone(), FileEntry::of(content))).collect();
    lie(&mut evidence);
    let mut times: Times = serde_json::from_slice(&files[layout::TIMES]).unwrap();
    let names: BTreeSet<_> = evidence.judged.scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    times.scenarios_ms.retain(|name, _| names.contains(name));
    times.lanes.retain(|name, _| names.contains(name));
    times.fires.retain(|name, _| names.contains(name));
    files.extend(print_pages(&evidence, &times));
    files.extend(closing_files(&mut evidence, &times));
}
