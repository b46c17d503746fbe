#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::value::RawValue;

use super::*;
use crate::{canonical::canonical_sha256, defects::Defects};

fn config(dir: &Path, defects: &str) -> Arc<Config> {
    let mut config = Config::new(([127, 0, 0, 1], 0).into(), dir.to_owned());
    config.defects = Defects::parse(defects).unwrap();
    Arc::new(config)
}

fn event(topic: &str, key: &str, payload: &str) -> Publish {
    Publish {
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload: RawValue::from_string(payload.to_owned()).unwrap(),
        hash: canonical_sha256(payload).unwrap(),
        expected_next_seq: None,
    }
}

async fn fill(store: &Store, topic: &str, count: u64) {
    for n in 1..=count {
        let published = store.publish(event(topic, &format!("k{n}"), &format!("{{\"n\":{n}}}"))).await.unwrap();
        assert_eq!((published.seq, published.duplicate), (n, false));
    }
}

fn seqs(store: &Store, topic: &str) -> Vec<u64> {
    store.view().read_after(topic, 0, 1000).events.iter().map(|event| event.seq).collect()
}

/// What a `kill -9` at this moment would leave: the files as they are, while the first server still runs.
fn killed_copy(from: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(from.join("journal.log"), copy.path().join("journal.log")).unwrap();
    copy
}

const TOPIC: &str = "run:r1:events";

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "")).unwrap();
    let policy = TopicPolicy { retention_events: Some(3), replay_budget_events: Some(2), class: None };
    store.set_policy(TOPIC.to_owned(), policy).await.unwrap();
    fill(&store, TOPIC, 5).await;
    store.revoke("j1".to_owned()).await.unwrap();
    let copy = killed_copy(dir.path());
    let again = Store::open(&config(copy.path(), "")).unwrap();
    assert_eq!(seqs(&again, TOPIC), [3, 4, 5]);
    let info = again.view().info(TOPIC);
    assert_eq!((info.oldest_seq, info.head_seq, info.replay_budget_events), (3, 5, 2));
    assert!(again.view().is_revoked("j1"));
    let known = again.publish(event(TOPIC, "k1", "{\"n\":1}")).await.unwrap();
    assert_eq!((known.seq, known.duplicate), (1, true), "the key of a pruned event is still known");
    assert_eq!(again.publish(event(TOPIC, "k6", "6")).await.unwrap().seq, 6);
}

#[tokio::test]
async fn the_payload_keeps_the_publishers_text() {
    let dir = tempfile::tempdir().unwrap();
    let text = "{ \"big\": 12345678901234567890123,\n \"f\": 1.10, \"e\": 1E+2 }";
    let store = Store::open(&config(dir.path(), "")).unwrap();
    store.publish(event(TOPIC, "k", text)).await.unwrap();
    let copy = killed_copy(dir.path());
    let again = Store::open(&config(copy.path(), "")).unwrap();
    assert_eq!(again.view().read_after(TOPIC, 0, 1).events[0].payload.get(), text);
}

#[tokio::test]
async fn the_same_key_is_the_same_event_whatever_the_spelling() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "")).unwrap();
    let first = store.publish(event(TOPIC, "k", "{\"a\":1,\"b\":2}")).await.unwrap();
    let again = store.publish(event(TOPIC, "k", "{ \"b\":2, \"a\":1 }")).await.unwrap();
    assert_eq!((again.seq, again.duplicate, again.hash), (first.seq, true, first.hash));
    let refused = store.publish(event(TOPIC, "k", "{\"a\":2}")).await.unwrap_err();
    assert_eq!(refused, Refused::IdempotencyConflict { seq: 1 });
    assert_eq!(store.publish(event("run:r2:events", "k", "3")).await.unwrap().seq, 1, "keys are per topic");
}

#[tokio::test]
async fn another_next_seq_than_expected_is_refused_but_a_repeat_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "")).unwrap();
    let expecting = |key: &str, seq| Publish { expected_next_seq: Some(seq), ..event(TOPIC, key, "1") };
    assert_eq!(store.publish(expecting("a", 1)).await.unwrap().seq, 1);
    assert!(store.publish(expecting("a", 1)).await.unwrap().duplicate);
    assert_eq!(
        store.publish(expecting("b", 1)).await.unwrap_err(),
        Refused::SequenceConflict { expected: 1, actual: 2 }
    );
}

#[tokio::test]
async fn many_publishers_at_once_leave_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&config(dir.path(), "")).unwrap());
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.publish(event(TOPIC, &format!("k{n}"), "1")).await.unwrap().seq })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.push(task.await.unwrap());
    }
    given.sort_unstable();
    assert_eq!(given, (1..=200).collect::<Vec<_>>());
    assert_eq!(seqs(&store, TOPIC), given);
}

#[tokio::test]
async fn a_larger_retention_later_does_not_bring_pruned_events_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "")).unwrap();
    let keep = |n| TopicPolicy { retention_events: Some(n), ..TopicPolicy::default() };
    store.set_policy(TOPIC.to_owned(), keep(2)).await.unwrap();
    fill(&store, TOPIC, 5).await;
    store.set_policy(TOPIC.to_owned(), keep(100)).await.unwrap();
    let copy = killed_copy(dir.path());
    let again = Store::open(&config(copy.path(), "")).unwrap();
    assert_eq!(seqs(&again, TOPIC), [4, 5]);
    assert_eq!(again.view().window(TOPIC).retention_floor(), 3);
}

#[tokio::test]
async fn a_data_directory_serves_one_server_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = Store::open(&config(dir.path(), "")).unwrap();
    assert!(matches!(Store::open(&config(dir.path(), "")), Err(StoreError::Locked { .. })));
    first.close().await;
    drop(first);
    assert!(Store::open(&config(dir.path(), "")).is_ok());
}

#[tokio::test]
async fn each_planted_defect_of_the_store_does_what_it_says() {
    for (defect, expected) in [("forget-after-restart", vec![1, 2, 3]), ("forget-topic-after-restart", vec![])] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config(dir.path(), defect)).unwrap();
        fill(&store, TOPIC, 5).await;
        assert_eq!(seqs(&store, TOPIC).len(), 5);
        store.close().await;
        drop(store);
        let again = Store::open(&config(dir.path(), defect)).unwrap();
        assert_eq!(seqs(&again, TOPIC), expected);
        let next = again.publish(event(TOPIC, "k5", "{\"n\":5}")).await.unwrap();
        assert_eq!((next.seq, next.duplicate), (expected.len() as u64 + 1, false));
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "ack-before-journal")).unwrap();
    fill(&store, TOPIC, 3).await;
    let copy = killed_copy(dir.path());
    assert!(seqs(&Store::open(&config(copy.path(), "")).unwrap(), TOPIC).is_empty());

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "ignore-idempotency,ignore-retention")).unwrap();
    store.set_policy(TOPIC.to_owned(), TopicPolicy { retention_events: Some(1), ..Default::default() }).await.unwrap();
    for seq in 1..=3 {
        assert_eq!(store.publish(event(TOPIC, "same", "1")).await.unwrap().seq, seq);
    }
    assert_eq!(seqs(&store, TOPIC), [1, 2, 3]);

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config(dir.path(), "accept-conflict")).unwrap();
    store.publish(event(TOPIC, "same", "1")).await.unwrap();
    assert!(store.publish(event(TOPIC, "same", "2")).await.unwrap().duplicate);
}
