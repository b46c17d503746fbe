#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::check_all;
use crate::check::tests::notation::World;
use crate::evidence::judge_by;
use crate::gate::tests::{CLEAN, FULL, LOST, honest, input, known_bad, scenario, scope, suite};
use crate::gate::{Decision, ScenarioOutcome, decide};
use crate::matrix::{Part, ROWS};
use crate::policy::{Normaliser, Rows};

fn warns_of(findings: &[&str]) -> Terms {
    Terms { warn_findings: findings.iter().map(ToString::to_string).collect(), ..Terms::default() }
}

fn judged(text: &str, expect: Expectation, terms: &Terms) -> JudgedScenario {
    let mut world = World::read(text).unwrap();
    world.plan.expect = expect;
    judge_by(&input(&world), terms)
}

/// What is decided of the whole suite with some more scenarios, and what was let pass.
fn decided(more: &[JudgedScenario], terms: Terms) -> (Decision, Vec<String>) {
    let all: Vec<_> = suite().into_iter().chain(more.iter().cloned()).collect();
    let ruling = decide(&all, &Scope { enforced_rows: terms.required_in_full(), policy: terms, ..scope(&all) });
    (ruling.decision, ruling.waived)
}

#[test]
fn a_finding_that_only_warns_does_not_block_and_is_counted() {
    let found = judged(LOST, Expectation::Allow, &Terms::default()).findings;
    let found: Vec<&str> = found.iter().map(|found| found.finding.checker).collect();
    let terms = warns_of(&found);
    let waived = judged(LOST, Expectation::Allow, &terms);
    assert_eq!((waived.outcome, waived.warnings.len()), (ScenarioOutcome::Passed, found.len()));
    let (decision, said) = decided(&[waived], terms);
    assert_eq!(decision, Decision::Allow);
    assert!(said.iter().any(|said| said == "lost-write/never-delivered only warns, and does not block (findings: 1, scenarios: 1)"), "{said:?}");
}

#[test]
fn what_follows_from_a_finding_that_only_warns_has_to_be_named_too() {
    let text = "pub a1..3; c1 sub a; legacy: c1 a1 a2 a3; candidate: c1 a1 a3!";
    let found: Vec<String> = {
        let judged = judged(text, Expectation::Allow, &Terms::default());
        judged.findings.iter().map(|found| found.finding.checker.to_owned()).collect()
    };
    assert!(found.len() > 1, "{found:?}");
    let waived = judged(text, Expectation::Allow, &warns_of(&[&found[0]]));
    assert_eq!(waived.outcome, ScenarioOutcome::Failed);
}

#[test]
fn a_known_bad_scenario_must_still_be_caught() {
    let expect = || Expectation::Block { findings: vec!["lost-write".to_owned()], lane: LaneId::Legacy };
    let terms = warns_of(&["lost-write"]);
    assert_eq!(judged(LOST, expect(), &terms).outcome, ScenarioOutcome::Caught);
    assert_eq!(judged(CLEAN, expect(), &terms).outcome, ScenarioOutcome::Missed);
}

#[test]
fn findings_that_were_not_kept_block_whatever_warns() {
    let world = World::read(LOST).unwrap();
    let mut reports = check_all(&input(&world));
    let report = reports.iter_mut().find(|report| report.checker == "lost-write").unwrap();
    report.left_out = 1;
    waive(&mut reports, &Expectation::Allow, &warns_of(&["lost-write"]));
    assert!(reports.iter().any(|report| report.verdict == Verdict::Invalid));
}

#[test]
fn a_scenario_that_claims_only_rows_that_warn_does_not_block() {
    let row = "replay-determinism".to_owned();
    let terms = Terms { warn_rows: vec![row.clone()], ..Terms::default() };
    let (decision, said) = decided(&[honest(LOST)], terms.clone());
    assert_eq!(decision, Decision::Allow);
    assert!(said.iter().any(|said| said.contains("claims only rows that warn (replay-determinism)")), "{said:?}");
    assert!(said.iter().any(|said| said == "the row replay-determinism only warns: it is invalid"), "{said:?}");
    let both = JudgedScenario { proves: vec![row, "multi-device".to_owned()], ..honest(LOST) };
    assert_eq!(decided(&[both], terms.clone()).0, Decision::BlockInvalid);
    let none = JudgedScenario { proves: Vec::new(), ..honest(LOST) };
    assert_eq!(decided(&[none], terms.clone()).0, Decision::BlockInvalid);
    assert_eq!(decided(&[known_bad(CLEAN, &["gap"])], terms).0, Decision::BlockUnknown);
}

/// The suite without one part of a row on one lane.
fn without(row: &str, part: Part, lane: LaneId) -> Vec<JudgedScenario> {
    let mut all = suite();
    for scenario in all.iter_mut().filter(|scenario| scenario.proves.iter().any(|claimed| claimed == row)) {
        scenario.parts.entry(lane).or_default().remove(&part);
    }
    all
}

#[test]
fn a_phase_asks_for_its_rows_in_full_and_names_what_it_does_not_ask_for() {
    let all = without("multi-device", Part::DeviceReturns, LaneId::Candidate);
    let decided = |rows: &[&str]| {
        let policy = Terms { rows: Rows::These(rows.iter().map(ToString::to_string).collect()), ..Terms::default() };
        let ruling = decide(&all, &Scope { enforced_rows: policy.required_in_full(), policy, ..scope(&all) });
        (ruling.decision, ruling.waived)
    };
    assert_eq!(decided(&["multi-device"]), (Decision::BlockUnknown, vec![]));
    let (decision, said) = decided(&["replay-determinism"]);
    assert_eq!(decision, Decision::Allow);
    let name = "the row multi-device need not be shown: it is unknown, and these lanes can show more of it";
    assert_eq!(said, [name]);
}

#[test]
fn a_row_of_the_candidate_alone_needs_nothing_of_the_legacy_lane() {
    let row = "multi-device";
    let ruling = |lane, alone: &[&str]| {
        let all = without(row, Part::DeviceReturns, lane);
        let candidate_alone = alone.iter().map(ToString::to_string).collect();
        let policy = Terms { rows: Rows::These(vec![row.to_owned()]), candidate_alone, ..Terms::default() };
        decide(&all, &Scope { enforced_rows: policy.required_in_full(), policy, ..scope(&all) }).decision
    };
    assert_eq!(ruling(LaneId::Legacy, &[]), Decision::BlockUnknown);
    assert_eq!(ruling(LaneId::Legacy, &[row]), Decision::Allow);
    assert_eq!(ruling(LaneId::Candidate, &[row]), Decision::BlockUnknown);
}

#[test]
fn a_normaliser_that_is_past_its_day_or_touched_nothing_is_a_reason_to_block() {
    let normaliser = Normaliser {
        pointer: "/at".to_owned(),
        streams: None,
        reason: "clock".to_owned(),
        owner: "me".to_owned(),
        expires: "2026-11-26".to_owned(),
    };
    let terms = |day: &str| Terms { normalise: vec![normaliser.clone()], day: day.to_owned(), ..Terms::default() };
    let mut touched = honest(FULL);
    touched.normalised.insert(LaneId::Legacy, [("/at".to_owned(), 3)].into());
    let (decision, said) = decided(std::slice::from_ref(&touched), terms("2026-11-26"));
    assert_eq!(decision, Decision::Allow);
    let what = "/at may differ until 2026-11-26 (owner: me; clock): it did in 3 payloads on the legacy lane and 0 on the \
                candidate lane";
    assert_eq!(said, [what]);
    assert_eq!(decided(&[touched], terms("2026-11-27")).0, Decision::BlockUnknown);
    assert_eq!(decided(&[], terms("2026-11-26")).0, Decision::BlockUnknown);
    // A part of a run need not touch anything.
    let all = suite();
    let part = Scope { chosen: vec!["*".to_owned()], policy: terms("2026-11-26"), ..scope(&all) };
    assert!(stale_normalisers(&all, &part).is_empty());
}

#[test]
fn no_row_of_the_matrix_is_asked_for_twice() {
    let all = suite();
    let policy = Terms { rows: Rows::All, ..Terms::default() };
    let scope = Scope { enforced_rows: policy.required_in_full(), policy, ..scope(&all) };
    assert!(ROWS.iter().all(|row| !scope.requires(row)));
    assert_eq!(scenario(CLEAN, Expectation::Allow).waived.len(), 0);
}

#[test]
fn against_baselines_only_the_candidate_has_to_show_rows_and_legacy_defects_are_left_out() {
    let all = without("multi-device", Part::DeviceReturns, LaneId::Legacy);
    let against = |scope: Scope| {
        let mut scope = Scope { baseline: Some("golden/baselines".to_owned()), ..scope };
        scope.lanes.remove(&LaneId::Legacy);
        scope
    };
    let phase = Terms { baseline: true, phase: Some(5), ..Terms::default() };
    let without_baselines = Scope { policy: phase.clone(), ..scope(&all) };
    let decided = |scope: &Scope| decide(&all, scope).decision;
    assert_eq!(decided(&scope(&all)), Decision::BlockUnknown);
    assert_eq!(decided(&against(scope(&all))), Decision::Allow);
    assert_eq!(decided(&without_baselines), Decision::BlockUnknown);
    assert_eq!(decided(&against(without_baselines)), Decision::Allow);
    let mut world = World::read(LOST).unwrap();
    world.plan.expect = Expectation::Block { findings: vec!["lost-write".to_owned()], lane: LaneId::Legacy };
    let unfit = |scope: &Scope| crate::gate::fit::unfit(&world.plan, &scope.lanes, None);
    assert_eq!(unfit(&scope(&all)), None);
    assert!(unfit(&against(scope(&all))).is_some_and(|why| why.contains("its defect is on the legacy lane")));
}
