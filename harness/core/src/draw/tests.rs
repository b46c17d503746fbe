#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::gate::fit::ServerKind;

fn ours() -> BTreeMap<LaneId, Means> {
    LaneId::BOTH.map(|lane| (lane, Means::of_ours(ServerKind::BuiltIn))).into()
}

#[test]
fn the_same_inputs_draw_the_same_text() {
    let texts = || draws(Seed(7), 4, &ours()).into_iter().map(|drawn| drawn.text).collect::<Vec<_>>();
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
