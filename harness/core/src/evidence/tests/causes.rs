//! Tests of what is told of a blocked run: how findings are grouped, and what stands on its last screen.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::super::causes::cause_of;
use super::super::*;
use super::{at_terminal, blocked, fits, known_bad, rendered, scenario, seen};
use crate::check::tests::finding;
use crate::check::{Verdict, reason};
use crate::gate::Scope;
use crate::ids::LaneId;

/// A run in which the legacy lane is broken in one way that every honest scenario shows, and some known-bad ones too.
fn broken_lane() -> Evidence {
    let skipped = |seq: u64, explained_by| {
        let found =
            finding("gap", "skipped").on(LaneId::Legacy).at_client("desk").in_stream("run:alpha:events").of_event(seq);
        JudgedFinding {
            says: found.describe(),
            finding: found,
            explained_by,
            shown_by: vec![ShownBy {
                lane: LaneId::Legacy,
                line: 28,
                record: "desk delivered run:alpha:events seq 6 (conn 1, sub 1, verdict out_of_order)".to_owned(),
            }],
        }
    };
    let effect = |cause| {
        let mut effect = skipped(5, Some(cause));
        effect.finding = finding("unseen", "delivered-on-one-lane-only").on(LaneId::Legacy);
        effect
    };
    let mut scenarios: Vec<JudgedScenario> = (0..42)
        .map(|number| {
            let name = format!("honest-{number:02}");
            let mut honest = scenario(&name, "An honest one", ScenarioOutcome::Failed, [seen(9, 1, 0, 0); 2]);
            // The smallest is neither the first nor the last by name.
            honest.steps = if number == 17 { 2 } else { 5 };
            honest.findings = vec![skipped(5, None), skipped(15, None), effect(0)];
            honest
        })
        .collect();
    let mut told = known_bad("known-bad/with-the-same", ScenarioOutcome::Missed);
    told.findings = vec![skipped(5, None)];
    let mut alone = known_bad("known-bad/with-another", ScenarioOutcome::Missed);
    let mut other = skipped(5, None);
    other.finding.reason = reason("gap", "skipped-at-start").unwrap().1;
    alone.findings = vec![skipped(5, None), other];
    scenarios.extend([told, alone]);
    Evidence { judged: decide(scenarios, &Scope::default(), &State::Complete), ..blocked() }
}

#[test]
fn one_cause_is_told_once_with_the_smallest_scenario_that_shows_it() {
    let judged = broken_lane().judged;
    let [cause] = judged.causes.as_slice() else { panic!("{:#?}", judged.causes) };
    assert_eq!((cause.lane, cause.checker.as_str(), cause.reason.as_str()), (Some(LaneId::Legacy), "gap", "skipped"));
    assert_eq!((cause.scenarios.len(), cause.findings), (42, 84));
    assert_eq!(cause.scenarios[0], "honest-17");
    assert_eq!(cause.consequences, BTreeMap::from([("unseen".to_owned(), 42)]));
}

#[test]
fn a_known_bad_scenario_is_told_under_a_cause_only_where_that_is_all_that_came_in_its_way() {
    let judged = broken_lane().judged;
    assert_eq!(judged.causes[0].not_judged, ["known-bad/with-the-same"]);
    let names = judged.scenarios.iter().map(|scenario| scenario.name.as_str());
    let names: Vec<&str> = names.filter(|name| cause_of(name, &judged.causes).is_none()).collect();
    assert_eq!(names, ["known-bad/with-another"]);
}

#[test]
fn findings_of_another_lane_or_reason_are_another_cause() {
    let mut scenarios = broken_lane().judged.scenarios;
    scenarios[0].findings[1].finding.lane = Some(LaneId::Candidate);
    scenarios[1].findings[1].finding.reason = reason("gap", "skipped-at-start").unwrap().1;
    let judged = decide(scenarios, &Scope::default(), &State::Complete);
    let told: Vec<_> =
        judged.causes.iter().map(|cause| (cause.lane, cause.reason.as_str(), cause.scenarios.len())).collect();
    assert_eq!(
        told,
        [
            (Some(LaneId::Legacy), "skipped", 42),
            (Some(LaneId::Legacy), "skipped-at-start", 1),
            (Some(LaneId::Candidate), "skipped", 1),
        ]
    );
}

#[test]
fn a_warning_is_no_cause() {
    let mut scenarios = broken_lane().judged.scenarios;
    for scenario in &mut scenarios {
        scenario.outcome = ScenarioOutcome::Passed;
        scenario.findings.iter_mut().for_each(|found| found.finding.verdict = Verdict::Valid);
    }
    let judged = decide(scenarios, &Scope::default(), &State::Complete);
    assert!(judged.causes.is_empty(), "{:#?}", judged.causes);
}

#[test]
fn the_last_screen_of_a_blocked_run_says_what_is_wrong_and_what_to_do() {
    for width in [80, 200] {
        let text = at_terminal(width, &broken_lane());
        fits(&text, width);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len() - 24..].join("\n");
        for word in [
            "The legacy lane skipped events on their way to a client",
            "one cause in 42 scenarios",
            "honest-17: legacy: event 5",
            "desk delivered run:alpha:events seq 6",
            "reproduce  cutover gate --seed 42 --scenario honest-17",
            "reports/20260225T190000Z-42/index.html",
        ] {
            assert!(last.contains(word), "{word} is not in\n{last}");
        }
        insta::assert_snapshot!(format!("a_broken_lane_at_{width}_columns"), text);
    }
}

#[test]
fn one_cause_is_told_once_in_every_format() {
    let evidence = broken_lane();
    let title = "The legacy lane skipped events on their way to a client";
    let heading = |page: String, mark: &str| page.matches(&format!("{mark}{title}")).count();
    assert_eq!(heading(rendered("markdown", &evidence), "### "), 1);
    assert_eq!(heading(rendered("index.html", &evidence), "<strong>"), 1);
    assert_eq!(heading(rendered("junit", &evidence), "<system-out>"), 1);
    let json: serde_json::Value = serde_json::from_str(&rendered("json", &evidence)).unwrap();
    assert_eq!(json["judged"]["causes"].as_array().unwrap().len(), 1);
}
