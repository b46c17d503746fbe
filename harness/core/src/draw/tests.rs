#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::gate::fit::{ServerKind, unfit};
use crate::scenario::compile;

fn ours() -> BTreeMap<LaneId, Means> {
    LaneId::BOTH.map(|lane| (lane, Means::of_ours(ServerKind::BuiltIn))).into()
}

#[test]
fn the_same_inputs_draw_the_same_text() {
    let texts = || draws(Seed(7), 4, &ours(), None).into_iter().map(|drawn| drawn.text).collect::<Vec<_>>();
    assert_eq!(texts(), texts());
}

#[test]
fn most_sketches_are_possible() {
    let mut coverage = Coverage::of_stock();
    let mut refused = 0;
    for index in 1..=60 {
        let drawn = draw(Seed(1), index, &coverage, &ours());
        refused += drawn.refused;
        coverage.note_text(&drawn.text);
    }
    let possible = 60 * RIVALS;
    assert!(possible * 100 > 80 * (possible + refused), "{refused} refused beside {possible}");
}

/// A new step, fault, toxic or family of payloads has to be drawn as well.
#[test]
fn nothing_that_the_reader_knows_is_forgotten() {
    let mut coverage = Coverage::default();
    for index in 1..=400 {
        if coverage.groups().iter().all(|group| group.missing.is_empty()) {
            return;
        }
        coverage.note_text(&draw(Seed(3), index, &coverage, &ours()).text);
    }
    let missing: Vec<_> = coverage.groups().into_iter().flat_map(|group| group.missing).collect();
    assert_eq!(missing, Vec::<String>::new(), "never drawn: give it a move in draw/moves.rs, or a line in its list");
}

#[test]
fn coverage_does_not_depend_on_the_order_of_its_parts() {
    let texts = draws(Seed(5), 3, &ours(), None).into_iter().map(|drawn| drawn.text);
    let parts: Vec<Coverage> = texts
        .map(|text| {
            let mut coverage = Coverage::default();
            coverage.note_text(&text);
            coverage
        })
        .collect();
    let merged = |order: [usize; 3]| {
        let mut all = Coverage::default();
        order.into_iter().for_each(|part| all.merge(&parts[part]));
        all
    };
    assert_eq!(merged([0, 1, 2]), merged([2, 0, 1]));
}

#[test]
fn lanes_can_be_put_through_what_is_drawn_for_them() {
    let outside = Means {
        sets_policies: false,
        shared: true,
        scoped: true,
        keeps_watermarks: true,
        hides_keys: true,
        ..Means::of_ours(ServerKind::Outside)
    };
    let lanes: BTreeMap<LaneId, Means> =
        [(LaneId::Legacy, Means::of_ours(ServerKind::BuiltIn)), (LaneId::Candidate, outside)].into();
    for drawn in draws(Seed(9), 30, &lanes, None) {
        let plan = compile(&drawn.scenario, Seed(9));
        assert_eq!(unfit(&plan, &lanes, None), None, "{}", drawn.text);
    }
}
