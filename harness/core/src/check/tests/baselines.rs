//! The candidate alone, against what the legacy lane once did.

use super::*;
use crate::evidence::LaneRun;
use crate::hash::vector::Entry;
use crate::hash::{HashVector, PayloadHash};
use crate::history::Verdict as Applied;
use crate::ids::LaneId;

/// What the legacy lane's clients applied.
fn recorded(text: &str) -> HashVector {
    let mut vector = HashVector::new();
    for record in World::read(text).unwrap().legacy.records {
        if let Record::Delivered { client, stream, seq, hash: Some(hash), verdict: Applied::Applied, .. } = record {
            vector.insert(&stream, &client, seq, Entry::bare(hash));
        }
    }
    vector
}

/// Every finding on a candidate that runs alone.
fn alone(text: &str, baseline: Option<&HashVector>) -> Vec<String> {
    let world = World::read(text).unwrap();
    let none = LaneRun::none(&world.plan, LaneId::Legacy).history;
    let reports = check_all(&CheckInput::new(&world.plan, &none, &world.candidate).alone(baseline));
    reports.iter().flat_map(|report| &report.findings).map(short).collect()
}

const ALL_CAME: &str = "pub a1..3; c1 sub a; c1 a1..3";

#[test]
fn a_candidate_that_does_as_was_recorded_gives_no_finding_and_needs_no_legacy_lane() {
    assert_eq!(alone(ALL_CAME, Some(&recorded(ALL_CAME))), [""; 0]);
    assert_eq!(alone(ALL_CAME, None), [""; 0]);
    // Its client was cut off, which was not planned: a warning.
    assert_eq!(alone(HONEST, Some(&recorded(HONEST))), ["candidate unplanned-end/few"]);
}

#[test]
fn an_event_that_was_recorded_and_did_not_come_is_a_finding_beside_what_the_lane_does_wrong_by_itself() {
    let found = alone("pub a1..3; c1 sub a; c1 a1..2", Some(&recorded(ALL_CAME)));
    assert!(found.contains(&"candidate unseen/not-as-recorded c1 a3".to_owned()), "{found:?}");
    assert!(found.iter().any(|found| found.starts_with("candidate lost-write/")), "{found:?}");
}

#[test]
fn an_event_that_was_recorded_and_is_not_owed_is_no_finding() {
    let pruned = "retain a 2; pub a1..4; c1 sub a; c1 a3..4";
    assert_eq!(alone(pruned, Some(&recorded("retain a 2; c1 sub a; pub a1..4; c1 a1..4"))), [""; 0]);
}

#[test]
fn an_event_that_was_not_recorded_is_a_warning() {
    let found = alone(ALL_CAME, Some(&recorded("pub a1..3; c1 sub a; c1 a1..2")));
    assert_eq!(found, ["candidate unseen/not-in-the-baseline c1 a3"]);
    assert!(finding("unseen", "not-in-the-baseline").is_warning());
}

#[test]
fn another_payload_than_was_recorded_is_a_finding_although_it_was_published() {
    let mut vector = HashVector::new();
    for (stream, client, seq, entry) in recorded(ALL_CAME).iter() {
        let entry = if seq.0 == 2 { Entry::bare(PayloadHash::from_bytes([1; 32])) } else { entry.clone() };
        vector.insert(stream, client, seq, entry);
    }
    assert_eq!(alone(ALL_CAME, Some(&vector)), ["candidate unseen/another-payload-recorded c1 a2"]);
}

#[test]
fn what_a_lane_does_wrong_by_itself_is_found_without_a_baseline_too() {
    let found = alone("pub a1..2; c1 sub a; c1 a1=* a2", None);
    assert!(found.iter().any(|found| found.starts_with("candidate hash-mismatch/")), "{found:?}");
}
