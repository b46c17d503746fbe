//! Bundles that hold, and bundles that somebody edited, cut short or left unfinished.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::super::bundle::{closing_files, is_digested, scenario_files};
use super::super::layout::FileEntry;
use super::super::{Driven, EVIDENCE_SCHEMA, LaneRun, RUN_TIMES_SCHEMA, Times, Tool};
use super::*;
use crate::check::notation::World;
use crate::gate::{Asked, Decision, suite_digest};
use crate::history::History;
use crate::ids::LaneId;

const HONEST: &str = "pub a1..3; c1 sub a; c1 a1 a2 a3; pub a4; c1 a4";
const LOSING: &str = "pub a1..3; c1 sub a; legacy: c1 a1 a2 a3; candidate: c1 a1 a2";

fn driven(notation: &str) -> Driven {
    let World {
        plan,
        legacy,
        candidate,
    } = World::read(notation).unwrap();
    let run = |mut history: History| {
        history.header.plan_digest = plan.digest();
        history.header.scenario.clone_from(&plan.scenario);
        history.header.seed = plan.seed;
        LaneRun {
            times_us: vec![0; history.records.len()],
            started_us: 0,
            history,
        }
    };
    Driven {
        legacy: run(legacy),
        candidate: run(candidate),
        elapsed_ms: 5,
        plan,
    }
}

/// A bundle as the gate writes it. The scenario's text is its plan, so that compiling is reading.
fn bundle(notation: &str, state: State) -> Files {
    let driven = driven(notation);
    let mut files = scenario_files(driven.plan.to_json().as_bytes(), &driven);
    let input = JudgeInput {
        plan: &driven.plan,
        legacy: &driven.legacy.history,
        candidate: &driven.candidate.history,
    };
    let digested = files.iter().filter(|(path, _)| is_digested(path));
    let asked = Asked {
        digest: driven.plan.scenario_digest.clone(),
        known_bad: false,
    };
    let scope = Scope {
        suite: suite_digest(),
        scenarios: BTreeMap::from([(driven.plan.scenario.clone(), asked)]),
        ..Scope::default()
    };
    let mut evidence = Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        run: "20260225T190000Z-1".to_owned(),
        tool: Tool {
            name: "cutover".to_owned(),
            version: "0.1.0".to_owned(),
            built_from: None,
        },
        checkout: None,
        command: vec!["cutover".to_owned(), "gate".to_owned()],
        reproduce: "cutover gate".to_owned(),
        seed: driven.plan.seed,
        scope: scope.clone(),
        toxiproxy: None,
        lanes: BTreeMap::new(),
        module_digest: None,
        judged: judge(&[input], &scope, &state),
        state,
        files: digested
            .map(|(path, content)| (path.clone(), FileEntry::of(content)))
            .collect(),
    };
    let times = Times {
        schema: RUN_TIMES_SCHEMA.to_owned(),
        started: "2026-02-25T19:00:00Z".to_owned(),
        ..Times::default()
    };
    files.extend(closing_files(&mut evidence, &times));
    files
}

fn compile(_: &str, bytes: &[u8], _: Build) -> Result<Plan, String> {
    Plan::from_json(std::str::from_utf8(bytes).unwrap()).map_err(|error| error.to_string())
}

fn rechecked(files: &Files) -> Rechecked {
    recheck(files, &compile).unwrap()
}

fn history_of(files: &Files, lane: LaneId) -> (String, String) {
    let path = files
        .keys()
        .find(|path| path.starts_with("histories/") && path.contains(lane.as_str()))
        .unwrap();
    (path.clone(), String::from_utf8(files[path].clone()).unwrap())
}

/// Where and what is wrong with a bundle that does not hold.
fn problems(files: &Files) -> Vec<String> {
    let rechecked = rechecked(files);
    assert_eq!(rechecked.exit_code(), 1);
    rechecked
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.file, problem.what))
        .collect()
}

#[test]
fn an_honest_bundle_holds_and_passes() {
    let rechecked = rechecked(&bundle(HONEST, State::Complete));
    assert_eq!(rechecked.problems, []);
    let decision = rechecked.computed.decision.decision;
    assert_eq!((rechecked.exit_code(), decision), (0, Decision::PassedInPart));
}

#[test]
fn a_blocked_bundle_holds_and_still_blocks() {
    let rechecked = rechecked(&bundle(LOSING, State::Complete));
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 1);
    let found: Vec<_> = rechecked.computed.scenarios[0]
        .principal()
        .map(|found| found.finding.checker.as_str())
        .collect();
    assert_eq!(found, ["lost-write"]);
}

#[test]
fn an_interrupted_bundle_holds_and_is_unknown() {
    let rechecked = rechecked(&bundle(
        HONEST,
        State::Interrupted {
            by: "SIGINT".to_owned(),
        },
    ));
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 2);
}

#[test]
fn a_decision_that_was_turned_round_does_not_follow() {
    let mut files = bundle(LOSING, State::Complete);
    let text = String::from_utf8(files[layout::EVIDENCE].clone()).unwrap();
    let turned = text
        .replace("\"allow\": false", "\"allow\": true")
        .replace("\"decision\": \"block-invalid\"", "\"decision\": \"allow\"")
        .replace("\"exit_code\": 1", "\"exit_code\": 0");
    files.insert(layout::EVIDENCE.to_owned(), turned.into_bytes());
    let problems = problems(&files);
    for path in [
        "judged.decision.allow",
        "judged.decision.decision",
        "judged.decision.exit_code",
    ] {
        let expected = format!("evidence.json: `{path}` does not follow from the histories");
        assert!(problems.contains(&expected), "{problems:#?}");
    }
}

#[test]
fn an_edited_history_is_named_even_where_its_digest_was_mended() {
    let mut files = bundle(HONEST, State::Complete);
    let (path, text) = history_of(&files, LaneId::Candidate);
    let (first, last) = text.split_once("\"at\":\"delivered\"").unwrap();
    let edited = format!(
        "{first}\"at\":\"delivered\"{}",
        last.replacen("\"seq\":", "\"seq\":1", 1)
    )
    .into_bytes();
    let entry = FileEntry::of(&edited);
    let mut evidence: Evidence = serde_json::from_slice(&files[layout::EVIDENCE]).unwrap();
    evidence.files.insert(path.clone(), entry);
    files.insert(path, edited);
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    let problems = problems(&files);
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("does not follow from the histories")),
        "{problems:#?}"
    );
    assert!(
        problems.iter().any(|problem| problem.starts_with("vectors/")),
        "{problems:#?}"
    );
}

#[test]
fn a_history_that_was_cut_short_is_named() {
    let mut files = bundle(HONEST, State::Complete);
    let (path, text) = history_of(&files, LaneId::Legacy);
    files.insert(path.clone(), text.as_bytes()[..text.len() - 10].to_vec());
    let problems = problems(&files);
    assert!(
        problems.contains(&format!("{path}: was edited or cut short: its length differs")),
        "{problems:#?}"
    );
    assert!(
        problems.iter().any(|problem| problem.contains("the last line is torn")),
        "{problems:#?}"
    );
}

#[test]
fn each_file_that_is_missing_is_named_once() {
    let whole = bundle(HONEST, State::Complete);
    for path in whole.keys().filter(|path| is_digested(path)) {
        let mut files = whole.clone();
        files.remove(path);
        let missing: Vec<_> = problems(&files)
            .into_iter()
            .filter(|problem| *problem == format!("{path}: is missing"))
            .collect();
        assert_eq!(missing.len(), 1, "{path}");
    }
}

#[test]
fn any_edit_of_any_digested_file_is_found() {
    let whole = bundle(HONEST, State::Complete);
    for path in whole.keys().filter(|path| is_digested(path)) {
        let mut files = whole.clone();
        let content = files.get_mut(path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        assert!(
            problems(&files)
                .iter()
                .any(|problem| problem.starts_with(path.as_str())),
            "{path}"
        );
    }
}

#[test]
fn a_history_that_was_added_later_is_named() {
    let mut files = bundle(HONEST, State::Complete);
    files.insert("histories/other.legacy.jsonl".to_owned(), b"{}\n".to_vec());
    assert_eq!(
        problems(&files),
        ["histories/other.legacy.jsonl: is not listed in evidence.json: it was added later"]
    );
}

#[test]
fn a_plan_that_the_scenario_does_not_give_is_named() {
    let files = bundle(HONEST, State::Complete);
    let other = |_: &str, bytes: &[u8], build: Build| {
        let mut plan = compile("", bytes, build)?;
        plan.converge_within_ms += 1;
        Ok(plan)
    };
    let rechecked = recheck(&files, &other).unwrap();
    assert_eq!(rechecked.problems.len(), 1);
    assert_eq!(
        rechecked.problems[0].what,
        "is not the plan that the scenario and the seed give"
    );
}

#[test]
fn a_document_that_was_cut_short_is_a_problem_and_a_missing_one_is_no_bundle() {
    let mut files = bundle(HONEST, State::Complete);
    let document = files.get_mut(layout::EVIDENCE).unwrap();
    document.truncate(document.len() / 2);
    let problems = problems(&files);
    assert!(
        problems.len() == 1 && problems[0].contains("the file was cut short"),
        "{problems:#?}"
    );
    files.remove(layout::EVIDENCE);
    assert_eq!(recheck(&files, &compile), Err(NoBundle::NoDocument));
}

#[test]
fn a_document_with_something_added_is_not_as_it_was_written() {
    let mut files = bundle(HONEST, State::Complete);
    let text = String::from_utf8(files[layout::EVIDENCE].clone()).unwrap();
    files.insert(
        layout::EVIDENCE.to_owned(),
        text.replacen("{\n", "{\n  \"note\": 1,\n", 1).into_bytes(),
    );
    let problems = problems(&files);
    assert!(
        problems.len() == 1 && problems[0].contains("from line 2 on"),
        "{problems:#?}"
    );
}

#[test]
fn a_document_of_another_schema_is_not_guessed_at() {
    let mut files = bundle(HONEST, State::Complete);
    let text = String::from_utf8(files[layout::EVIDENCE].clone()).unwrap();
    files.insert(
        layout::EVIDENCE.to_owned(),
        text.replace(EVIDENCE_SCHEMA, "cutover.evidence/9").into_bytes(),
    );
    let found = "cutover.evidence/9".to_owned();
    assert_eq!(recheck(&files, &compile), Err(NoBundle::Schema { found }));
}

#[test]
fn a_scenario_that_was_left_out_is_missed_by_nobody() {
    let mut files = bundle(HONEST, State::Complete);
    leave_out(&mut files, "legacy-killed");
    let rechecked = rechecked(&files);
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 0);
}

#[test]
fn a_scenario_that_was_driven_can_not_be_called_left_out() {
    let mut files = bundle(LOSING, State::Complete);
    let name = driven(LOSING).plan.scenario;
    leave_out(&mut files, &name);
    let problems = problems(&files);
    assert!(
        problems.iter().any(|problem| problem.contains("was left out")),
        "{problems:#?}"
    );
}

/// Has the document say that a scenario was left out.
fn leave_out(files: &mut Files, name: &str) {
    let mut evidence: Evidence = serde_json::from_slice(&files[layout::EVIDENCE]).unwrap();
    evidence
        .scope
        .left_out
        .insert(name.to_owned(), "its server is not ours".to_owned());
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
}
