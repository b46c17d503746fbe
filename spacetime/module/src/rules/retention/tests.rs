use super::{oldest_after_prune, oldest_after_retention, retention_floor};

#[test]
fn retention_keeps_the_newest_events() {
    assert_eq!(oldest_after_retention(1, 10, 4), 7);
    assert_eq!(oldest_after_retention(1, 4, 4), 1);
    assert_eq!(oldest_after_retention(1, 10, 10), 1);
}

#[test]
fn keeping_more_again_brings_nothing_back() {
    assert_eq!(oldest_after_retention(7, 10, 100), 7);
    assert_eq!(oldest_after_prune(7, 10, 3), 7);
}

#[test]
fn a_stream_pruned_empty_has_its_floor_at_the_head() {
    assert_eq!(oldest_after_prune(1, 10, u64::MAX), 11);
    assert_eq!(retention_floor(11), 10);
}

#[test]
fn the_floor_of_a_stream_never_pruned_is_0() {
    assert_eq!(retention_floor(1), 0);
    assert_eq!(retention_floor(0), 0);
}
