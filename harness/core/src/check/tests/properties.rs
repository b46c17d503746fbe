//! Random honest histories give no finding; one planted corruption gives at least one.

use proptest::prelude::*;

use super::corruption::{corruption, plant};
use super::model::{Model, moves};
use super::notation::World;
use super::{Verdict, reports};
use crate::ids::LaneId;

/// As many cases as `PROPTEST_CASES` says. Most corruptions can't be planted in most histories, so many are rejected.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(400);
    ProptestConfig {
        cases,
        max_global_rejects: cases.saturating_mul(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_honest_history_gives_no_finding(retain in 2..12u64, moves in moves()) {
        let text = Model::run(retain, &moves);
        super::clean(&text);
    }

    #[test]
    fn a_planted_corruption_gives_a_principal_finding(
        retain in 2..12u64,
        moves in moves(),
        what in corruption(),
        second in any::<bool>(),
        pick in 0..1000usize,
    ) {
        let text = Model::run(retain, &moves);
        let mut world = World::read(&text).unwrap();
        let lane = if second { LaneId::Candidate } else { LaneId::Legacy };
        prop_assume!(plant(&mut world, lane, what, pick));
        let found = super::explain(&reports(&world));
        let wrong = found.principal.iter().find(|finding| finding.verdict == Verdict::Invalid);
        prop_assert!(wrong.is_some_and(|finding| finding.lane == Some(lane)), "{what:?} in {lane}: {text}");
    }

    #[test]
    fn no_history_however_shuffled_makes_a_checker_panic(
        moves in moves(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
    ) {
        let mut world = World::read(&Model::run(3, &moves)).unwrap();
        let records = world.legacy.records.clone();
        world.legacy.records = order.iter().map(|index| index.get(&records).clone()).collect();
        let reports = reports(&world);
        prop_assert!(reports.iter().flat_map(|report| &report.findings).all(|one| one.reason.word != "checker-panicked"));
    }
}
