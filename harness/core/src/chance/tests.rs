use super::*;

#[test]
fn the_generator_is_pinned_by_its_first_values() {
    let mut chance = Chance::new(Seed(1), "golden");
    let words: Vec<u64> = (0..4).map(|_| chance.word()).collect();
    let below: Vec<u64> = (0..8).map(|_| chance.below(10)).collect();
    let mut order: Vec<u8> = (0..8).collect();
    chance.shuffle(&mut order);
    insta::assert_snapshot!(format!("{words:x?}\n{below:?}\n{order:?}"));
}

#[test]
fn seed_and_name_each_change_what_is_drawn() {
    let first = |seed, name| Chance::new(Seed(seed), name).word();
    assert_eq!(first(1, "a"), first(1, "a"));
    assert_ne!(first(1, "a"), first(2, "a"));
    assert_ne!(first(1, "a"), first(1, "b"));
}

#[test]
fn every_number_of_a_range_comes_and_no_other() {
    let mut chance = Chance::new(Seed(7), "range");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..500 {
        seen.insert(chance.between(3, 9));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(chance.below(0), 0);
}
