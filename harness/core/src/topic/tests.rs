#![allow(clippy::unwrap_used)]
use super::*;

const NAMED: [(&str, &str, Class); 7] = [
    ("run:r1:events", "runtime.run.r1.events", Class::RunEvents),
    ("worker:w1:lifecycle", "runtime.worker.w1.lifecycle", Class::WorkerLifecycle),
    ("fleet:user:u1:workers", "runtime.fleet.user.u1.workers", Class::Fallback),
    ("fleet:guest:g1:workers", "runtime.fleet.guest.g1.workers", Class::Fallback),
    ("runtime.codex_worker_events", "runtime.codex.worker.events", Class::CodexWorkerEvents),
    ("runtime.run_summaries", "runtime.topic.runtime.run_summaries", Class::Fallback),
    ("runtime.codex_worker_summaries", "runtime.topic.runtime.codex_worker_summaries", Class::Fallback),
];

#[test]
fn every_topic_of_the_contract_maps_there_and_back() {
    for (topic, stream_id, class) in NAMED {
        assert_eq!(stream_id_of(topic), stream_id);
        assert_eq!(topic_of(stream_id).as_deref(), Some(topic));
        assert_eq!(Class::of(topic), class, "{topic}");
    }
}

#[test]
fn a_folded_topic_is_not_guessed_back() {
    assert_eq!(stream_id_of("a:b"), "runtime.topic.a.b");
    assert_eq!(topic_of("runtime.topic.a.b"), None);
}

#[test]
fn a_scope_goes_into_the_id_and_keeps_the_class() {
    let topic = scoped("run:alpha:events", "x1").unwrap();
    assert_eq!(topic, "run:x1-alpha:events");
    assert_eq!(Class::of(&topic), Class::RunEvents);
    assert_eq!(scoped("runtime.run_summaries", "x1"), None);
}
