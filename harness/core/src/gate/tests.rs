//! Tests of the gate.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::notation::World;
use crate::check::{CheckInput, Finding, Report};
use crate::ids::LaneId;
use crate::plan::Expectation;

const ROW: &str = "replay-determinism";

fn scenario(text: &str, expect: Expectation) -> ScenarioVerdict {
    let mut world = World::read(text).unwrap();
    world.plan.expect = expect;
    world.plan.proves = vec![ROW.to_owned()];
    ScenarioVerdict::of(&CheckInput::new(&world.plan, &world.legacy, &world.candidate))
}

fn honest(text: &str) -> ScenarioVerdict {
    scenario(text, Expectation::Allow)
}

fn known_bad(text: &str, findings: &[&str]) -> ScenarioVerdict {
    let findings = findings.iter().map(ToString::to_string).collect();
    scenario(
        text,
        Expectation::Block {
            findings,
            lane: LaneId::Legacy,
        },
    )
}

const CLEAN: &str = "pub a1; c1 sub a; c1 a1";
const LOST: &str = "pub a1; c1 sub a; candidate: c1 a1";
const LOST_ON_CANDIDATE: &str = "pub a1; c1 sub a; legacy: c1 a1";
const INTERRUPTED: &str = "pub a1; c1 sub a; c1 a1; legacy: interrupted";

fn decision(scenarios: &[ScenarioVerdict]) -> (Decision, u8) {
    let ruling = decide(scenarios, &Policy::default());
    (ruling.decision, ruling.decision.exit_code())
}

#[test]
fn clean_scenarios_are_allowed() {
    assert_eq!(decision(&[honest(CLEAN)]), (Decision::Allow, 0));
}

#[test]
fn nothing_that_ran_is_not_nothing_that_was_found() {
    let ruling = decide(&[], &Policy::default());
    assert_eq!(ruling.decision, Decision::BlockUnknown);
    assert_eq!(ruling.reasons[0].reason, "nothing-ran");
}

#[test]
fn what_is_wrong_blocks_and_outweighs_what_is_unknown() {
    assert_eq!(decision(&[honest(CLEAN), honest(LOST)]), (Decision::BlockInvalid, 1));
    assert_eq!(
        decision(&[honest(CLEAN), honest(INTERRUPTED)]),
        (Decision::BlockUnknown, 2)
    );
    assert_eq!(
        decision(&[honest(INTERRUPTED), honest(LOST)]),
        (Decision::BlockInvalid, 1)
    );
}

#[test]
fn a_known_bad_scenario_that_is_caught_does_not_block() {
    let caught = known_bad(LOST, &["lost-write"]);
    assert_eq!(caught.outcome, Outcome::Caught);
    assert_eq!(decision(&[honest(CLEAN), caught]), (Decision::Allow, 0));
}

#[test]
fn a_known_bad_scenario_that_is_not_caught_takes_the_trust_from_the_gate() {
    for missed in [
        known_bad(CLEAN, &["lost-write"]),
        known_bad(LOST, &["gap"]),
        known_bad(LOST, &["gap", "lost-write"]),
    ] {
        assert_eq!(missed.outcome, Outcome::NotCaught);
        let ruling = decide(&[honest(CLEAN), missed], &Policy::default());
        assert_eq!(ruling.decision, Decision::BlockUnknown);
        assert_eq!(ruling.reasons[0].reason, "known-bad-not-caught");
    }
}

#[test]
fn a_known_bad_scenario_without_expected_findings_is_never_caught() {
    assert_eq!(known_bad(CLEAN, &[]).outcome, Outcome::NotCaught);
}

#[test]
fn what_is_found_on_the_lane_without_the_defect_is_a_finding_like_any_other() {
    assert_eq!(
        decision(&[known_bad(LOST_ON_CANDIDATE, &["lost-write"])]),
        (Decision::BlockInvalid, 1)
    );
}

#[test]
fn a_known_bad_scenario_with_something_unknown_beside_its_finding_is_not_caught() {
    let text = format!("at-least deliveries 2; {LOST}");
    assert_eq!(known_bad(&text, &["lost-write"]).outcome, Outcome::NotCaught);
}

#[test]
fn a_row_is_valid_only_where_an_honest_scenario_proved_it() {
    let of = |scenarios: &[ScenarioVerdict]| rows(scenarios).into_iter().find(|row| row.row == ROW).unwrap().verdict;
    assert_eq!(of(&[honest(CLEAN)]), Verdict::Valid);
    assert_eq!(of(&[]), Verdict::Unknown);
    assert_eq!(of(&[known_bad(LOST, &["lost-write"])]), Verdict::Unknown);
    assert_eq!(of(&[honest(CLEAN), known_bad(LOST, &["lost-write"])]), Verdict::Valid);
    assert_eq!(of(&[honest(CLEAN), honest(LOST)]), Verdict::Invalid);
    assert_eq!(
        of(&[honest(CLEAN), known_bad(CLEAN, &["lost-write"])]),
        Verdict::Unknown
    );
}

#[test]
fn rows_that_nothing_proved_block_only_where_they_are_enforced() {
    let some = Policy {
        enforce_matrix: true,
        enforced_rows: vec![ROW.to_owned()],
    };
    let all = Policy {
        enforce_matrix: true,
        enforced_rows: Vec::new(),
    };
    let wrong = Policy {
        enforce_matrix: true,
        enforced_rows: vec!["no-such-row".to_owned()],
    };
    let scenarios = [honest(CLEAN)];
    assert_eq!(decide(&scenarios, &some).decision, Decision::Allow);
    assert_eq!(decide(&scenarios, &all).decision, Decision::BlockUnknown);
    assert_eq!(decide(&scenarios, &wrong).decision, Decision::BlockUnknown);
}

#[test]
fn a_scenario_that_proves_an_unheard_of_row_is_not_allowed() {
    let mut verdict = honest(CLEAN);
    verdict.proves.push("replay-determinsim".to_owned());
    assert_eq!(decision(&[verdict]), (Decision::BlockUnknown, 2));
}

#[test]
fn a_scenario_without_reports_is_unknown() {
    let verdict = ScenarioVerdict::from_reports("none", &[], &Expectation::Allow, &[]);
    assert_eq!(verdict.verdict, Verdict::Unknown);
}

#[test]
fn findings_that_were_left_out_still_block() {
    let mut report = Report::new("gap");
    report.push(Finding::new("gap", Verdict::Invalid, "skipped"));
    report.findings.clear();
    let verdict = ScenarioVerdict::from_reports("some", &[], &Expectation::Allow, &[report]);
    assert_eq!((verdict.outcome, verdict.verdict), (Outcome::Blocked, Verdict::Invalid));
}

#[test]
fn a_warning_decides_nothing_in_an_honest_scenario_or_a_known_bad_one() {
    let warned = |text: &str, expect: Expectation| {
        let world = World::read(text).unwrap();
        let mut reports = crate::check::check_all(&CheckInput::new(&world.plan, &world.legacy, &world.candidate));
        reports[0].push(Finding::new("gap", crate::check::Verdict::Valid, "told").on(LaneId::Candidate));
        ScenarioVerdict::from_reports("some", &[], &expect, &reports)
    };
    let clean = warned(CLEAN, Expectation::Allow);
    assert_eq!((clean.outcome, clean.warnings.len()), (Outcome::Clean, 1));
    let block = Expectation::Block {
        findings: vec!["lost-write".to_owned()],
        lane: LaneId::Legacy,
    };
    let caught = warned(LOST, block);
    assert_eq!(
        (caught.outcome, caught.warnings.len(), caught.principal.len()),
        (Outcome::Caught, 1, 1)
    );
    assert_eq!(decision(&[clean, caught]).0, Decision::Allow);
}
