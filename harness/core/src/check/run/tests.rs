#![allow(clippy::unwrap_used)]
use super::*;
use crate::check::tests::notation::World;
use crate::history::Record;

const LOSING: &str = "pub a1..3; c1 sub a; legacy: c1 a1 a2 a3; candidate: c1 a1 a2";

fn found(world: &World) -> Vec<(&'static str, Verdict)> {
    let reports = judge_all(&CheckInput::new(&world.plan, &world.legacy, &world.candidate));
    let findings = reports.iter().flat_map(|report| &report.findings);
    findings.map(|finding| (finding.reason.word, finding.verdict)).collect()
}

#[test]
fn a_history_that_fits_is_judged_by_every_checker() {
    let world = World::read(LOSING).unwrap();
    assert!(found(&world).contains(&("never-delivered", Verdict::Invalid)));
}

#[test]
fn a_history_that_does_not_fit_is_unknown_and_blames_no_lane() {
    let mut world = World::read(LOSING).unwrap();
    world.candidate.records.retain(|record| !matches!(record, Record::Opened { .. }));
    assert_eq!(found(&world), [("does-not-fit", Verdict::Unknown)]);
}
