use super::{Shape, pair_key};

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
fn pairs_that_only_look_alike_have_different_keys() {
    assert_ne!(pair_key("a", "bc"), pair_key("ab", "c"));
    assert_ne!(pair_key("1:a", "b"), pair_key("1", ":ab"));
}
