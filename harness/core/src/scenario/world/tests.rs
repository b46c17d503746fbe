use super::*;

#[test]
fn a_cursor_is_stale_below_the_floor_and_beyond_the_budget_only() {
    let mut stream = StreamState { head: 10, ..StreamState::default() };
    stream.set_policy(Some(6), Some(5));
    assert_eq!(stream.floor, 4);
    assert_eq!([3, 4, 5, 10].map(|cursor| stream.is_stale(cursor)), [true, true, false, false]);
    stream.set_policy(None, Some(6));
    assert!(!stream.is_stale(4), "at the floor and at the budget");
}
