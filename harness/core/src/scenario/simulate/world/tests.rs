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
fn a_cursor_is_stale_below_the_floor_and_beyond_the_budget_only() {
    let mut stream = StreamState { head: 10, ..StreamState::default() };
    stream.set_policy(Some(6), Some(5));
    assert_eq!(stream.floor, 4);
    assert_eq!([3, 4, 5, 10].map(|cursor| stream.is_stale(cursor)), [true, true, false, false]);
    stream.set_policy(None, Some(6));
    assert!(!stream.is_stale(4), "at the floor and at the budget");
}
