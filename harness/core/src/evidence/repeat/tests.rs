#![allow(clippy::unwrap_used)]

use super::super::tests::blocked;
use super::*;

/// What differs of a run that says of itself that it is `says`, as run `nth` of `asked` from a seed.
fn differs(says: Option<NthRun>, nth: u32, asked: u32, seed: u64) -> Option<String> {
    let run = Evidence { repeat: says, seed: Seed(6), ..blocked() };
    repeated(Seed(seed), asked, &[]).differs(nth, &run)
}

#[test]
fn a_run_in_its_own_place_differs_in_nothing_and_one_in_another_is_told() {
    let second = Some(NthRun { nth: 2, of: 3, seed: Seed(5) });
    assert_eq!(differs(second, 2, 3, 5), None);
    let told = differs(second, 1, 2, 6).unwrap();
    assert_eq!(told, "run-1 says that it is run 2 of 3 from seed 5; here it is run 1 of 2 from seed 6");
    for (nth, asked, seed) in [(1, 3, 5), (2, 2, 5), (2, 3, 6)] {
        assert!(differs(second, nth, asked, seed).is_some(), "{nth} {asked} {seed}");
    }
}

#[test]
fn a_run_on_its_own_and_one_of_another_seed_are_none_of_several() {
    let told = differs(None, 2, 3, 5).unwrap();
    assert!(told.starts_with("run-2 does not say which run of several it is"), "{told}");
    let first = Some(NthRun { nth: 1, of: 3, seed: Seed(5) });
    let told = differs(first, 1, 3, 5).unwrap();
    assert_eq!(told, "run-1 has seed 6; run 1 of 3 from seed 5 has seed 5");
}

#[test]
fn only_a_repeated_run_has_its_place_in_its_document() {
    let place = NthRun { nth: 1, of: 2, seed: Seed(42) };
    for repeat in [None, Some(place)] {
        let run = Evidence { repeat, ..blocked() };
        let bytes = run.to_bytes();
        assert_eq!(String::from_utf8_lossy(&bytes).contains("\"repeat\": {"), repeat.is_some());
        assert_eq!(serde_json::from_slice::<Evidence>(&bytes).unwrap(), run);
    }
}

#[test]
fn the_bound_is_the_one_of_the_tables() {
    // One-sided 95 % bounds of Clopper and Pearson.
    for (found, of, share) in [(1, 1, 0.05), (1, 10, 0.005_116), (5, 10, 0.222_4), (10, 10, 0.741_1), (3, 20, 0.042_17)]
    {
        let bound = least_share(found, of);
        assert!((bound - share).abs() < 0.000_1, "{found} of {of}: {bound}");
    }
}

#[test]
fn a_fault_that_always_comes_back_needs_few_clean_runs_and_a_rare_one_many() {
    assert_eq!(clean_runs(10, 10), 3);
    assert_eq!(clean_runs(5, 10), 12);
    assert_eq!(clean_runs(1, 10), 585);
}

#[test]
fn what_was_seen_in_the_only_run_may_be_rare() {
    assert_eq!(clean_runs(1, 1), 59);
}

#[test]
fn the_more_often_it_came_back_the_fewer_clean_runs_it_takes() {
    let each: Vec<u32> = (1..=20).map(|found| clean_runs(found, 20)).collect();
    assert!(each.windows(2).all(|pair| pair[0] >= pair[1]), "{each:?}");
}

#[test]
fn what_was_never_found_needs_no_run() {
    assert_eq!(clean_runs(0, 10), 0);
}

#[test]
fn seeds_of_runs_differ_and_the_first_is_the_seed_itself() {
    assert_eq!(seed_of(Seed(42), 1), Seed(42));
    assert_eq!(seed_of(Seed(42), 3), Seed(44));
    assert_eq!(seed_of(Seed(u64::MAX), 2), Seed(0));
}
