use super::{Shape, oldest_after_prune, oldest_after_retention, retention_floor};

#[test]
fn each_stream_of_the_contract_has_its_class() {
    for (stream_id, class) in [
        ("runtime.run.r1.events", "run_events"),
        ("runtime.worker.w1.lifecycle", "worker_lifecycle"),
        ("runtime.codex.worker.events", "codex_worker_events"),
        ("runtime.fleet.user.u1.workers", "fallback"),
        ("runtime.fleet.guest.g1.workers", "fallback"),
        ("runtime.topic.runtime.run_summaries", "fallback"),
    ] {
        assert!(Shape::of(stream_id).is_known(), "{stream_id}");
        assert_eq!(Shape::of(stream_id).class(), class, "{stream_id}");
    }
}

#[test]
fn an_id_of_no_shape_is_unknown() {
    for stream_id in ["", "nope", "runtime.run..events", "runtime.topic.nope"] {
        assert!(!Shape::of(stream_id).is_known(), "{stream_id}");
    }
}

#[test]
fn an_id_that_could_stand_for_two_topics_is_unknown() {
    for id in ["a.b", "a'b", "a\"b", "a\nb", " "] {
        let streams = [format!("runtime.run.{id}.events"), format!("runtime.fleet.user.{id}.workers")];
        assert!(streams.iter().all(|stream_id| !Shape::of(stream_id).is_known()), "{id:?}");
    }
}

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
