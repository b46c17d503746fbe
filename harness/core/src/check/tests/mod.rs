//! Tests of the checkers, on histories in the notation of [`notation`].

#![allow(clippy::unwrap_used)]

mod access;
mod adversary;
mod baselines;
mod boundaries;
mod connections;
mod corruption;
mod explanations;
mod fires;
mod kills;
mod model;
pub(crate) mod notation;
mod pages;
mod payloads;
mod properties;
mod wrongs;

use super::explain::{Explained, explain};
use super::index::Index;
use super::run::check_one;
use super::{ALL, CheckInput, Checker, Finding, Report, Verdict, check_all};
use crate::hash::payload_hash;
use crate::history::Record;
use crate::plan::Step;
use notation::World;

/// Reports on a world.
fn reports(world: &World) -> Vec<Report> {
    check_all(&CheckInput::new(&world.plan, &world.legacy, &world.candidate))
}

/// The worst verdict of the principal findings.
fn worst(found: &Explained) -> Verdict {
    found.principal.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Valid)
}

/// A finding without place or witness, by the words of a file.
pub(crate) fn finding(checker: &str, word: &str) -> Finding {
    let (checker, reason) = super::reason(checker, word).unwrap();
    Finding::new(checker, reason)
}

/// Principal findings and consequences of a world.
fn explained(text: &str) -> Explained {
    explain(&reports(&World::read(text).unwrap()))
}

/// A finding as `lane checker/reason client stream seq..last`.
fn short(finding: &Finding) -> String {
    let mut words = vec![
        finding.lane.map_or("-".to_owned(), |lane| lane.to_string()),
        format!("{}/{}", finding.checker, finding.reason),
    ];
    words.extend(finding.client.as_ref().map(ToString::to_string));
    if let Some(stream) = &finding.stream {
        let last = finding.witness.through.map(|last| format!("..{last}")).unwrap_or_default();
        words.push(format!("{stream}{}{last}", finding.seq.map(|seq| seq.to_string()).unwrap_or_default()));
    }
    words.join(" ")
}

/// Asserts on what one checker finds, principal or not.
pub(crate) fn check(checker: &str, text: &str, expected: &[&str]) {
    let world = World::read(text).unwrap();
    let report = reports(&world).into_iter().find(|report| report.checker == checker).unwrap();
    let found: Vec<String> = report.findings.iter().map(short).collect();
    let expected: Vec<String> = expected.iter().map(|line| line.replacen(' ', &format!(" {checker}/"), 1)).collect();
    assert_eq!(found, expected, "{text}");
}

/// Asserts that nothing at all is found.
fn clean(text: &str) {
    let found = explained(text);
    let lines: Vec<String> = found.principal.iter().map(Finding::describe).collect();
    assert!(lines.is_empty(), "{text}\n{lines:#?}");
}

/// Asserts on the principal findings.
pub(crate) fn principal(text: &str, expected: &[&str]) {
    let found: Vec<String> = explained(text).principal.iter().map(short).collect();
    assert_eq!(found, expected, "{text}");
}

const HONEST: &str = "pub a1..3; c1 sub a; c1 a1..3; c1 cut; c1 sub a from 3; pub a4; c1 a4; again a2";

#[test]
fn an_honest_run_gives_no_finding() {
    clean(HONEST);
}

#[test]
fn a_lane_held_against_itself_gives_no_finding() {
    let world = World::read(HONEST).unwrap();
    let input = CheckInput::new(&world.plan, &world.legacy, &world.legacy);
    assert!(check_all(&input).iter().all(|report| report.verdict == Verdict::Valid));
}

#[test]
fn a_checker_that_panics_is_unknown_and_stops_no_other() {
    let panics = Checker { check: |_, _| std::panic::panic_any("on purpose"), ..*ALL[0] };
    let world = World::read(HONEST).unwrap();
    let report = check_one(&panics, &Index::build(&world.plan, &world.legacy, &world.candidate));
    assert_eq!(report.verdict, Verdict::Unknown);
    assert_eq!(report.findings[0].reason.word, "checker-panicked");
    assert!(report.findings[0].describe().contains("on purpose"));
}

#[test]
fn findings_survive_being_written_and_read() {
    let found = explained("pub a1..2; c1 sub a; c1 a1; legacy: c1 a2=*; candidate: c1 a2");
    let text = serde_json::to_string(&found.principal).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Finding>>(&text).unwrap(), found.principal);
}

#[test]
fn a_finding_of_a_checker_or_a_reason_that_does_not_exist_is_not_read() {
    let text = serde_json::to_string(&finding("gap", "skipped")).unwrap();
    for (known, other) in [("\"gap\"", "\"snapshot-delta\""), ("\"skipped\"", "\"dead-tail\"")] {
        let error = serde_json::from_str::<Finding>(&text.replace(known, other)).unwrap_err().to_string();
        assert!(error.contains("no checker `") && error.contains("has a reason `"), "{error}");
    }
}

/// Checks a large world, within a bound that only a quadratic step misses: it takes some hundreds of milliseconds.
fn checked_at_once(world: &World) -> Explained {
    // How long this thread had a processor; 0 where the system does not tell.
    let had = || -> u64 {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
    };
    assert!(world.legacy.records.len() > 100_000);
    let before = had();
    let explained = explain(&reports(world));
    let took = std::time::Duration::from_nanos(had() - before);
    assert!(took.as_secs() < 8, "took {took:?}");
    explained
}

#[test]
fn a_hundred_thousand_deliveries_are_checked_at_once() {
    let events = 5_000;
    let clients = 10;
    let mut text = format!("pub a1..{events}");
    for client in 0..clients {
        text.push_str(&format!("; c{client} sub a; c{client} a1..{events}"));
    }
    let found = checked_at_once(&World::read(&text).unwrap());
    assert_eq!(worst(&found), Verdict::Valid);
}

#[test]
fn sixty_thousand_skips_are_checked_at_once() {
    let events = 120_000;
    let every_other: String = (1..events).step_by(2).map(|seq| format!(" a{seq}")).collect();
    let found = checked_at_once(&World::read(&format!("pub a1..{events}; c1 sub a; c1{every_other}")).unwrap());
    let effects = found.consequences.iter().map(|effect| &effect.finding);
    let mut all = found.principal.iter().chain(effects);
    assert!(all.any(|finding| finding.checker == "gap"), "{:?}", found.checkers());
    assert_eq!(worst(&found), Verdict::Invalid);
}

#[test]
fn fifty_thousand_equal_payloads_are_checked_at_once() {
    let events = 50_000;
    let mut world = World::read(&format!("pub a1..{events}; c1 sub a; c1 a1..{events}")).unwrap();
    let same = ("{}".to_owned(), payload_hash(b"{}").unwrap());
    for step in world.plan.cases.iter_mut().flat_map(|case| &mut case.steps) {
        if let Step::Publish { payload, hash, .. } = step {
            (*payload, *hash) = same.clone();
        }
    }
    for record in world.legacy.records.iter_mut().chain(&mut world.candidate.records) {
        if let Record::Delivered { hash, .. } = record {
            *hash = Some(same.1);
        }
    }
    let found = checked_at_once(&world);
    assert_eq!(worst(&found), Verdict::Valid, "{:?}", found.principal.first());
}
