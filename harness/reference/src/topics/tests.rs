use super::*;

#[test]
fn the_class_follows_from_the_name() {
    assert_eq!(Class::of("run:r1:events"), Some(Class::RunEvents));
    assert_eq!(Class::of("worker:w:lifecycle"), Some(Class::WorkerLifecycle));
    assert_eq!(Class::of("fleet:user:u:workers"), Some(Class::Fallback));
    assert_eq!(Class::of("fleet:guest:g:workers"), Some(Class::Fallback));
    assert_eq!(Class::of("runtime.codex_worker_events"), Some(Class::CodexWorkerEvents));
    assert_eq!(Class::of("runtime.run_summaries"), Some(Class::Fallback));
    for unknown in [
        "run::events",
        "run:a:b:events",
        "nope",
        "fleet:other:x:workers",
        "runtime.other",
        "run:a.b:events",
        "worker:a\"b:lifecycle",
        "fleet:user:a'b:workers",
        "run:a\u{7f}:events",
        "",
    ] {
        assert_eq!(Class::of(unknown), None, "{unknown}");
    }
}

#[test]
fn a_star_in_a_grant_stands_for_one_part() {
    assert!(grant_covers("run:*:events", "run:r1:events"));
    assert!(!grant_covers("run:*:events", "run:r1:x:events"));
    assert!(!grant_covers("run:r1:events", "run:r2:events"));
    assert!(grant_covers("*", "anything"));
}

#[test]
fn only_summary_topics_have_a_snapshot() {
    assert!(snapshot_source("runtime.run_summaries").is_some());
    assert!(snapshot_source("fleet:user:u1:workers").is_some());
    assert!(snapshot_source("run:r1:events").is_none());
    assert!(snapshot_source("runtime.codex_worker_events").is_none());
}
