//! What a kill that falls at once needs to show anything.

use super::{explained, reports, short};
use crate::check::Verdict;
use crate::check::tests::notation::World;
use crate::history::{KillWait, Process, Record, Spoken};
use crate::ids::LaneId;
use crate::plan::{ServerAction, Step};

const KILLED: &str = "pub a1..2; c1 sub a; c1 a1 a2; kill; start; c1 cut; c1 sub a from 2; c2 sub a; c2 a1 a2";

/// A plan that kills the candidate at once, and what its history says of the kill and of the reads before it.
fn killed(waited_for: KillWait, confirmed: Option<bool>) -> Vec<String> {
    let mut world = World::read(KILLED).unwrap();
    world.plan.cases[0].steps.push(Step::Server { lane: Some(LaneId::Candidate), action: ServerAction::KillAtOnce });
    for record in &mut world.candidate.records {
        match record {
            Record::Process { process: Process::Killed { waited_for: waited } } => *waited = waited_for,
            Record::Opened { spoken, .. } => {
                *spoken = Some(Spoken { protocol: "v2".to_owned(), compression: None, confirmed, once: false });
            }
            _ => {}
        }
    }
    let found = reports(&world);
    let findings = found.iter().flat_map(|report| &report.findings);
    let findings: Vec<_> = findings.filter(|finding| finding.checker == "observed-then-lost").collect();
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Unknown));
    findings.into_iter().map(short).collect()
}

#[test]
fn a_kill_at_once_after_confirmed_reads_shows_that_what_was_seen_is_there() {
    assert!(killed(KillWait::Nothing, Some(true)).is_empty());
    // The legacy lane's protocol knows no other reads.
    assert!(killed(KillWait::Nothing, None).is_empty());
}

#[test]
fn a_kill_after_reads_that_are_not_confirmed_shows_nothing() {
    assert_eq!(killed(KillWait::Nothing, Some(false)), ["candidate observed-then-lost/reads-not-confirmed"]);
}

#[test]
fn a_kill_that_waited_is_no_kill_at_once() {
    assert_eq!(killed(KillWait::Durable, Some(true)), ["candidate observed-then-lost/kill-not-at-once"]);
}

#[test]
fn a_kill_that_waits_asks_for_no_confirmed_reads() {
    assert!(explained(KILLED).principal.is_empty());
}
