use super::*;

#[test]
fn an_even_share_gives_what_is_left_over_to_the_first() {
    assert_eq!(shares(7, 3, Spread::Even), [3, 2, 2]);
}

#[test]
fn a_skewed_share_leaves_nobody_out_and_adds_up() {
    assert_eq!(shares(5, 5, Spread::Skewed), [1, 1, 1, 1, 1]);
    let shares = shares(60, 5, Spread::Skewed);
    assert_eq!(shares.iter().sum::<u64>(), 60);
    assert!(shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    assert!(shares[0] > 3 * shares[4], "{shares:?}");
}

#[test]
fn the_documentation_names_every_word() {
    for word in SPREADS.iter().map(|(word, _)| word).chain(PACES.iter().map(|(word, _)| word)) {
        assert!(KIND.what.contains(&format!("`{word}`")), "{word}");
    }
}
