//! Tests of the gate.
#![allow(clippy::unwrap_used)]

mod left_out;

use super::fit::{Means, ServerKind, unfit};
use super::*;
use crate::check::tests::finding;
use crate::check::tests::notation::World;
use crate::check::{CheckInput, Report, check_all};
use crate::evidence::judge_reports;
use crate::hash::sha256;
use crate::ids::{LaneId, Seed};
use crate::matrix::{Part, ROWS, row};
use crate::plan::Expectation;
use crate::scenario::{Scenario, compile, stock};

const ROW: &str = "replay-determinism";

pub(super) fn input(world: &World) -> CheckInput<'_> {
    CheckInput::new(&world.plan, &world.legacy, &world.candidate)
}

fn judge(world: &World) -> JudgedScenario {
    judge_reports(&input(world), &check_all(&input(world)))
}

pub(super) fn scenario(text: &str, expect: Expectation) -> JudgedScenario {
    let mut world = World::read(text).unwrap();
    world.plan.expect = expect;
    world.plan.proves = vec![ROW.to_owned()];
    judge(&world)
}

pub(super) fn honest(text: &str) -> JudgedScenario {
    scenario(text, Expectation::Allow)
}

pub(super) fn known_bad(text: &str, findings: &[&str]) -> JudgedScenario {
    let findings = findings.iter().map(ToString::to_string).collect();
    scenario(text, Expectation::Block { findings, lane: LaneId::Legacy })
}

pub(super) const CLEAN: &str = "pub a1; c1 sub a; c1 a1";
/// Everything that replay-determinism needs.
pub(super) const FULL: &str =
    "pub a1..2; c1 sub a; c1 a1 a2; pub a3; c1 a3; c1 cut; pub a4; kill; start; c1 sub a from 3; c1 a4";
pub(super) const LOST: &str = "pub a1; c1 sub a; candidate: c1 a1";
const LOST_ON_CANDIDATE: &str = "pub a1; c1 sub a; legacy: c1 a1";
const INTERRUPTED: &str = "pub a1; c1 sub a; c1 a1; legacy: interrupted";

/// Every built-in scenario, passed or caught.
pub(super) fn suite() -> Vec<JudgedScenario> {
    let scenarios = stock().iter().map(|(path, text)| {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".toml");
        let mut verdict = match path.contains("/known-bad/") {
            true => known_bad(LOST, &["lost-write"]),
            false => honest(FULL),
        };
        name.clone_into(&mut verdict.name);
        verdict.digest = sha256(text.as_bytes());
        let read = Scenario::parse(path, text).unwrap();
        (verdict.proves, verdict.parts) = (read.proves, read.earns);
        verdict
    });
    let drawn = (1..=DRAWN).map(|index| JudgedScenario { name: drawn_name(index), ..honest(FULL) });
    scenarios.chain(drawn).collect()
}

/// A run of everything that is asked for, over lanes of our own.
pub(super) fn scope(scenarios: &[JudgedScenario]) -> Scope {
    let asked = scenarios.iter().map(|scenario| {
        let asked = Asked { digest: scenario.digest.clone(), known_bad: scenario.known_bad() };
        (scenario.name.clone(), asked)
    });
    Scope {
        suite: suite_digest(),
        known_bad: true,
        scenarios: asked.collect(),
        lanes: LaneId::BOTH.map(|lane| (lane, Means::of_ours(ServerKind::BuiltIn))).into(),
        ..Scope::default()
    }
}

/// What is decided where the whole suite and these scenarios ran.
fn decision(scenarios: &[JudgedScenario]) -> (Decision, u8) {
    let all: Vec<_> = suite().into_iter().chain(scenarios.iter().cloned()).collect();
    let ruling = decide(&all, &scope(&all));
    (ruling.decision, ruling.decision.exit_code())
}

/// The decision over these scenarios alone, and the words for its reasons.
fn decided(scenarios: &[JudgedScenario], scope: &Scope) -> (Decision, Vec<String>) {
    let ruling = decide(scenarios, scope);
    let reasons = ruling.reasons.into_iter().map(|reason| reason.reason);
    (ruling.decision, reasons.collect())
}

#[test]
fn clean_scenarios_are_allowed() {
    assert_eq!(decision(&[honest(CLEAN)]), (Decision::Allow, 0));
}

#[test]
fn nothing_that_ran_is_not_nothing_that_was_found() {
    let (decision, reasons) = decided(&[], &scope(&[]));
    assert_eq!(decision, Decision::BlockUnknown);
    assert_eq!(reasons[0], "nothing-ran");
}

#[test]
fn what_is_wrong_blocks_and_outweighs_what_is_unknown() {
    assert_eq!(decision(&[honest(CLEAN), honest(LOST)]), (Decision::BlockInvalid, 1));
    assert_eq!(decision(&[honest(CLEAN), honest(INTERRUPTED)]), (Decision::BlockUnknown, 2));
    assert_eq!(decision(&[honest(INTERRUPTED), honest(LOST)]), (Decision::BlockInvalid, 1));
}

#[test]
fn a_known_bad_scenario_that_is_caught_does_not_block() {
    let caught = known_bad(LOST, &["lost-write"]);
    assert_eq!(caught.outcome, ScenarioOutcome::Caught);
    assert_eq!(decision(&[honest(CLEAN), caught]), (Decision::Allow, 0));
}

#[test]
fn a_known_bad_scenario_that_is_not_caught_takes_the_trust_from_the_gate() {
    for missed in
        [known_bad(CLEAN, &["lost-write"]), known_bad(LOST, &["gap"]), known_bad(LOST, &["gap", "lost-write"])]
    {
        assert_eq!(missed.outcome, ScenarioOutcome::Missed);
        let ran = [honest(CLEAN), missed];
        let (decision, reasons) = decided(&ran, &scope(&ran));
        assert_eq!(decision, Decision::BlockUnknown);
        assert_eq!(reasons[0], "known-bad-not-caught");
    }
}

#[test]
fn a_known_bad_scenario_without_expected_findings_is_never_caught() {
    assert_eq!(known_bad(CLEAN, &[]).outcome, ScenarioOutcome::Missed);
}

#[test]
fn what_is_found_on_the_lane_without_the_defect_is_a_finding_like_any_other() {
    assert_eq!(decision(&[known_bad(LOST_ON_CANDIDATE, &["lost-write"])]), (Decision::BlockInvalid, 1));
}

#[test]
fn a_defect_is_caught_beside_what_the_other_lane_shows_of_its_own_which_still_blocks() {
    let both = "pub a1; c1 sub a";
    let caught = known_bad(both, &["lost-write"]);
    assert_eq!((caught.outcome, caught.verdict), (ScenarioOutcome::Caught, Verdict::Invalid));
    let ran = [honest(CLEAN), caught];
    let (decision, reasons) = decided(&ran, &scope(&ran));
    assert_eq!((decision, reasons[0].as_str()), (Decision::BlockInvalid, "findings"));
    // The finding of the other lane alone catches nothing.
    assert_eq!(known_bad(LOST_ON_CANDIDATE, &["lost-write"]).outcome, ScenarioOutcome::Missed);
}

#[test]
fn a_known_bad_scenario_with_something_unknown_beside_its_finding_is_not_caught() {
    let text = format!("at-least deliveries 2; {LOST}");
    assert_eq!(known_bad(&text, &["lost-write"]).outcome, ScenarioOutcome::Missed);
}

#[test]
fn a_row_is_valid_only_where_an_honest_scenario_proved_it() {
    let of = |scenarios: &[JudgedScenario]| {
        let rows = rows(scenarios, &scope(scenarios));
        rows.into_iter().find(|row| row.row == ROW).unwrap().verdict
    };
    assert_eq!(of(&[honest(FULL)]), Verdict::Valid);
    assert_eq!(of(&[]), Verdict::Unknown);
    assert_eq!(of(&[known_bad(LOST, &["lost-write"])]), Verdict::Unknown);
    assert_eq!(of(&[honest(FULL), known_bad(LOST, &["lost-write"])]), Verdict::Valid);
    assert_eq!(of(&[honest(FULL), honest(LOST)]), Verdict::Invalid);
    assert_eq!(of(&[honest(FULL), known_bad(CLEAN, &["lost-write"])]), Verdict::Unknown);
}

#[test]
fn rows_that_nothing_proved_block_only_where_they_are_enforced() {
    let suite = suite();
    let with = |rows: &[&str]| {
        let scope = Scope { enforced_rows: rows.iter().map(ToString::to_string).collect(), ..scope(&suite) };
        decide(&suite, &scope).decision
    };
    assert_eq!(with(&[ROW]), Decision::Allow);
    assert_eq!(with(&ROWS.map(|row| row.name)), Decision::BlockUnknown);
    assert_eq!(with(&["no-such-row"]), Decision::BlockUnknown);
}

#[test]
fn a_scenario_that_proves_an_unheard_of_row_is_not_allowed() {
    let mut verdict = honest(CLEAN);
    verdict.proves.push("replay-determinsim".to_owned());
    assert_eq!(decision(&[verdict]), (Decision::BlockUnknown, 2));
}

#[test]
fn a_scenario_without_reports_is_unknown() {
    let world = World::read(CLEAN).unwrap();
    let verdict = judge_reports(&input(&world), &[]);
    assert_eq!(verdict.verdict, Verdict::Unknown);
}

#[test]
fn findings_that_were_left_out_still_block() {
    let mut report = Report::new("gap");
    report.push(finding("gap", "skipped"));
    report.findings.clear();
    let world = World::read(CLEAN).unwrap();
    let verdict = judge_reports(&input(&world), &[report]);
    assert_eq!((verdict.outcome, verdict.verdict), (ScenarioOutcome::Failed, Verdict::Invalid));
}

#[test]
fn a_warning_decides_nothing_in_an_honest_scenario_or_a_known_bad_one() {
    let warned = |text: &str, expect: Expectation| {
        let mut world = World::read(text).unwrap();
        let mut reports = check_all(&input(&world));
        reports[0].push(finding("unplanned-end", "few").on(LaneId::Candidate));
        world.plan.expect = expect;
        judge_reports(&input(&world), &reports)
    };
    let clean = warned(CLEAN, Expectation::Allow);
    assert_eq!((clean.outcome, clean.warnings.len()), (ScenarioOutcome::Passed, 1));
    let block = Expectation::Block { findings: vec!["lost-write".to_owned()], lane: LaneId::Legacy };
    let caught = warned(LOST, block);
    assert_eq!((caught.outcome, caught.warnings.len(), caught.principal().count()), (ScenarioOutcome::Caught, 1, 1));
    assert_eq!(decision(&[clean, caught]).0, Decision::Allow);
}

/// Why the built-in scenario can't be driven over these lanes.
fn reason_of(name: &str, scope: &Scope) -> Option<String> {
    let (path, text) = stock().iter().find(|(path, _)| path.ends_with(&format!("/{name}.toml")))?;
    let plan = compile(&Scenario::parse(path, text).unwrap(), Seed(7));
    unfit(&plan, &scope.lanes, scope.aa)
}

#[test]
fn a_full_run_is_allowed_and_one_that_lacks_a_scenario_is_not() {
    let full = suite();
    assert_eq!(decided(&full, &scope(&full)), (Decision::Allow, vec![]));
    for (lacking, reason) in [("equal-streams", "not-run"), ("drop-event", "known-bad-not-run")] {
        let part: Vec<_> = full.iter().filter(|ran| ran.name != lacking).cloned().collect();
        assert_eq!(decided(&part, &scope(&part)), (Decision::PassedInPart, vec![reason.to_owned()]));
        assert_eq!(Decision::PassedInPart.exit_code(), 0);
    }
}

#[test]
fn a_scenario_of_another_file_is_not_the_built_in_one_of_its_name() {
    let mut edited = suite();
    edited[0].digest = sha256(b"another file");
    assert_eq!(decided(&edited, &scope(&edited)).0, Decision::PassedInPart);
    // A scenario that plants a defect shows nothing in the place of an honest one.
    let mut planted = suite();
    planted[0] = JudgedScenario {
        name: planted[0].name.clone(),
        digest: planted[0].digest.clone(),
        ..known_bad(LOST, &["lost-write"])
    };
    assert_eq!(decided(&planted, &scope(&planted)).0, Decision::PassedInPart);
}

#[test]
fn own_scenarios_beside_the_whole_suite_leave_it_full_and_have_to_pass() {
    assert_eq!(decision(&[honest(CLEAN)]), (Decision::Allow, 0));
    assert_eq!(decision(&[honest(LOST)]), (Decision::BlockInvalid, 1));
}

#[test]
fn a_scenario_that_had_to_run_and_did_not_blocks() {
    let full = suite();
    let scope = scope(&full);
    let (decision, reasons) = decided(&full[1..], &scope);
    assert_eq!((decision, reasons[0].as_str()), (Decision::BlockUnknown, "unaccounted"));
}

#[test]
fn a_run_of_another_suite_can_not_be_told_to_be_full() {
    let full = suite();
    let other = Scope { suite: sha256(b"another suite"), ..scope(&full) };
    assert_eq!(decided(&full, &other), (Decision::PassedInPart, vec!["other-suite".to_owned()]));
}

#[test]
fn a_lane_against_itself_and_a_run_without_faults_have_decisions_of_their_own() {
    let full = suite();
    let aa = Scope { aa: Some(LaneId::Legacy), ..scope(&full) };
    assert_eq!(decided(&full, &aa), (Decision::NoDifference, vec!["against-itself".to_owned()]));
    let part = Scope { aa: Some(LaneId::Legacy), ..scope(&full[..3]) };
    assert_eq!(decided(&full[..3], &part).0, Decision::NoDifference);
    let plain = Scope { no_faults: true, ..scope(&full) };
    assert_eq!(decided(&full, &plain), (Decision::ValidWithoutFaults, vec!["no-faults".to_owned()]));
    for scope in [aa, part, plain] {
        assert_eq!(decide(&[honest(LOST)], &scope).decision, Decision::BlockInvalid);
    }
}

/// The row after a run of these scenarios.
fn row_after(scenarios: &[JudgedScenario]) -> RowVerdict {
    let rows = rows(scenarios, &scope(scenarios));
    rows.into_iter().find(|row| row.row == ROW).unwrap()
}

#[test]
fn a_row_is_shown_once_every_part_was_seen_on_each_lane() {
    let follows = "c1 sub a; pub a1; c1 a1";
    let leaves = "pub a1; c1 sub a; c1 a1; c1 cut; pub a2; c1 sub a from 1; c1 a2";
    let killed = "pub a1; kill; start; c1 sub a; c1 a1";
    let some = row_after(&[honest(follows), honest(leaves)]);
    assert_eq!(some.verdict, Verdict::Unknown);
    for lane in LaneId::BOTH {
        assert_eq!(some.missing[&lane], [Part::ReplayAcrossKill].into());
    }
    let all = row_after(&[honest(follows), honest(leaves), honest(killed)]);
    assert_eq!((all.verdict, all.missing.len()), (Verdict::Valid, 0));
    let on_one_lane = killed.replace("kill; start", "legacy: kill; legacy: start");
    let half = row_after(&[honest(follows), honest(leaves), honest(&on_one_lane)]);
    assert_eq!(half.verdict, Verdict::Unknown);
    assert_eq!(half.missing, [(LaneId::Candidate, [Part::ReplayAcrossKill].into())].into());
}

#[test]
fn a_lane_against_itself_shows_no_row() {
    let full = suite();
    let aa = Scope { aa: Some(LaneId::Legacy), ..scope(&full) };
    assert!(rows(&full, &aa).iter().all(|row| row.verdict == Verdict::Unknown));
}

#[test]
fn a_claim_that_a_lane_did_not_earn_is_unknown() {
    let claim = |row: &str| {
        let mut world = World::read(CLEAN).unwrap();
        world.plan.proves = vec![row.to_owned()];
        judge(&world)
    };
    assert_eq!(claim(ROW).verdict, Verdict::Valid);
    for row in ROWS.iter().filter(|row| row.name != ROW && !row.parts.is_empty()) {
        let verdict = claim(row.name);
        assert_eq!(verdict.verdict, Verdict::Unknown, "{}", row.name);
        let reasons: Vec<_> = verdict.principal().map(|found| found.finding.reason.word).collect();
        assert_eq!(reasons, ["unearned-claim", "unearned-claim"], "{}", row.name);
    }
}

/// What both lanes see of a run.
fn seen(text: &str) -> Vec<Part> {
    let world = World::read(text).unwrap();
    let [legacy, candidate] = [&world.legacy, &world.candidate].map(|lane| crate::check::earned(&world.plan, lane));
    legacy.intersection(&candidate).copied().collect()
}

#[test]
fn each_part_is_seen_where_it_happens_and_not_where_it_almost_does() {
    for (part, text, almost) in [
        (Part::FollowedLive, "c1 sub a; pub a1; c1 a1", CLEAN),
        (Part::LateBootstrap, CLEAN, "c1 sub a; pub a1; c1 a1"),
        (
            Part::ReplayAfterReconnect,
            "pub a1; c1 sub a; c1 a1; c1 cut; pub a2; c1 sub a from 1; c1 a2",
            "pub a1; c1 sub a; c1 a1; c1 cut; c1 sub a from 1; pub a2; c1 a2",
        ),
        (Part::ReplayAcrossKill, "pub a1; kill; start; c1 sub a; c1 a1", "kill; start; pub a1; c1 sub a; c1 a1"),
        (
            Part::RepeatedFrame,
            "planned twice c1; c1 sub a; pub a1; c1 a1 a1; fires twice c1",
            "planned twice c1; c1 sub a; pub a1; c1 a1; fires twice c1",
        ),
        (Part::RepeatedPublish, "pub a1; c1 sub a; c1 a1; again a1", "pub a1; c1 sub a; c1 a1; again a1 = 2"),
        (
            Part::OverlappingReplay,
            "pub a1..2; c1 sub a; c1 a1 a2; c1 cut; c1 sub a from 2; c1 a1 a2",
            "pub a1..2; c1 sub a; c1 a1 a2; c1 cut; c1 sub a from 2",
        ),
        (
            Part::FloorBreach,
            "pub a1..3; c1 ask a from 1; c1 refused a floor cursor=1 floor=2 head=3; c1 rewind a; c1 sub a; c1 a3",
            "pub a1..3; c1 ask a from 1; c1 refused a floor cursor=1 floor=2 head=3; c1 rewind a; c1 sub a",
        ),
        (
            Part::BudgetExceeded,
            "pub a1..3; c1 ask a from 1; c1 refused a budget cursor=1 head=3 lag=2 budget=1; c1 rewind a; c1 sub a; c1 a1",
            "pub a1..3; c1 ask a from 1; c1 refused a floor cursor=1 floor=2 head=3; c1 rewind a; c1 sub a; c1 a3",
        ),
        (
            Part::CarriedOver,
            "pub a1..2; c1 cursor a 1; c1 sub a from 1; c1 a2",
            "pub a1..3; c1 cursor a 1; c1 sub a from 1; c1 a3",
        ),
        (
            Part::DeviceReturns,
            "c1 sub a; c2 sub a; pub a1; c1 a1; c2 a1; c2 leave; pub a2; c1 a2; c2 sub a from 1; c2 a2",
            "c1 sub a; c2 sub a; pub a1; c1 a1; c2 a1; c2 leave; c2 sub a from 1; pub a2; c1 a2; c2 a2",
        ),
        (Part::DevicesEqual, "pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1", "pub a1; c1 sub a; c1 a1"),
    ] {
        assert!(seen(text).contains(&part), "{part:?} in {text}: {:?}", seen(text));
        assert!(!seen(almost).contains(&part), "{part:?} in {almost}");
    }
}

#[test]
fn a_whole_run_has_to_show_each_part_that_its_lanes_can_show() {
    let mut full = suite();
    let row = row("multi-device").unwrap();
    for scenario in full.iter_mut().filter(|scenario| scenario.proves.iter().any(|claimed| claimed == row.name)) {
        scenario.parts.entry(LaneId::Candidate).or_default().remove(&Part::DeviceReturns);
    }
    let whole = scope(&full);
    assert_eq!(decided(&full, &whole), (Decision::BlockUnknown, vec!["row-not-proven".to_owned()]));
    // A part of a run, and a lane without the means, do not have to.
    let chosen = Scope { chosen: vec!["*".to_owned()], ..whole.clone() };
    assert!(whole.requires(row) && !chosen.requires(row));
    let counts = |counts_connections| Means { counts_connections, ..Means::of_ours(ServerKind::BuiltIn) };
    let presence = crate::matrix::row("presence-handshake").unwrap();
    let mut without = whole.clone();
    without.lanes.insert(LaneId::Legacy, counts(false));
    assert!(without.can_show(presence, LaneId::Legacy).is_empty());
    assert!(without.requires(presence) && !without.can_show(presence, LaneId::Candidate).is_empty());
}

#[test]
fn a_row_whose_scenarios_were_left_out_says_so() {
    let mut scope = Scope::default();
    assert!(scope.left_out_of("durability-gated-delivery").is_empty());
    scope.left_out.insert("killed-at-once".to_owned(), "no promise".to_owned());
    assert_eq!(scope.left_out_of("durability-gated-delivery"), ["killed-at-once"]);
    assert!(scope.left_out_of("multi-device").is_empty());
}
