//! Tests of the checker.

#![allow(clippy::unwrap_used)]

use crate::check::index::Index;
use crate::check::run::check_one;
use crate::check::tests::notation::World;
use crate::check::{Finding, earned};
use crate::history::Record;
use crate::ids::{ClientId, OpId};
use crate::matrix::Part;
use crate::plan::Step;

const OP: OpId = OpId(900);

/// A run in which the legacy lane counts its clients, where this many are to be connected.
fn world(present: &[&str], record: Record) -> World {
    let mut world = World::read("pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1").unwrap();
    let present = present.iter().map(|name| ClientId::new(*name)).collect();
    world.plan.cases[0].steps.push(Step::Count { op: OP, present, within_ms: 100 });
    let at = world.legacy.records.len() - 1;
    world.legacy.records.insert(at, record);
    world
}

fn counted(listed: u64, missing: &[&str], left: &[&str]) -> Record {
    let named = |names: &[&str]| names.iter().map(|name| ClientId::new(*name)).collect();
    Record::Connections { op: Some(OP), listed, missing: named(missing), left: named(left) }
}

fn found(world: &World) -> Vec<String> {
    let report = check_one(&super::CHECKER, &Index::build(&world.plan, &world.legacy, &world.candidate));
    report.findings.iter().map(Finding::describe).collect()
}

#[test]
fn a_right_count_is_right_and_shows_that_clients_are_counted() {
    let world = world(&["c1", "c2"], counted(2, &[], &[]));
    assert!(found(&world).is_empty());
    assert!(earned(&world.plan, &world.legacy).contains(&Part::CountedTogether));
    assert!(!earned(&world.plan, &world.candidate).contains(&Part::CountedTogether));
}

#[test]
fn each_wrong_count_is_found_and_shows_nothing() {
    for (record, says) in [
        (counted(1, &["c2"], &[]), "legacy: the lane does not count the open connection of client c2"),
        (counted(2, &[], &["c1"]), "legacy: the lane still counts a connection of client c1 that ended"),
        (
            counted(1, &[], &[]),
            "legacy: the lane counts another number of connections than are open (expected 2; got 1)",
        ),
    ] {
        let world = world(&["c1", "c2"], record);
        assert_eq!(found(&world), [says]);
        assert!(!earned(&world.plan, &world.legacy).contains(&Part::CountedTogether));
    }
}

#[test]
fn a_lane_that_does_not_list_its_connections_is_not_judged() {
    assert!(found(&world(&["c1", "c2"], Record::NotCounted { op: OP })).is_empty());
}
