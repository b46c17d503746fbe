//! Planted defects, as a client sees them.

#![allow(clippy::unwrap_used)]

mod support;

use cutover_reference::{Config, Defects};
use serde_json::{Value, json};

use self::support::{Client, Running, TOPIC, config, fill, joined, live, planted, seqs, start, subscribe};

#[tokio::test]
async fn the_planted_delivery_defects_reach_the_client() {
    for (names, expected_live, expected_replay) in [
        ("drop-event", vec![4, 6, 7], vec![1, 2, 3, 4, 6, 7]),
        ("skip-live", vec![4, 6, 7], vec![1, 2, 3, 4, 5, 6, 7]),
        ("swap-live", vec![4, 6, 5, 7], vec![1, 2, 3, 4, 5, 6, 7]),
        ("duplicate-seq", vec![4, 5, 5, 7], vec![1, 2, 3, 4, 5, 5, 7]),
        ("stop-tail", vec![4, 5], vec![1, 2, 3, 4, 5]),
        ("phantom", vec![4, 5, 6, 6, 7], vec![1, 2, 3, 4, 5, 6, 7, 8]),
    ] {
        let (_dir, server) = planted(names);
        let mut client = joined(&server, "vsn=2.0.0").await;
        subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await;
        fill(&server, TOPIC, 1..=3).await;
        live(&mut client, 3).await;
        let mut seen = Vec::new();
        for n in 4..=7 {
            fill(&server, TOPIC, n..=n).await;
            // The reply to a heartbeat comes after the live pushes that were due before it was sent.
            seen.extend(client.ask(json!(["1", format!("h{n}"), "sync:v1", "sync:heartbeat", {}])).await.0);
        }
        let (rest, ..) = client.ask(json!(["1", "last", "sync:v1", "sync:heartbeat", {}])).await;
        seen.extend(rest);
        assert_eq!(seqs(&seen), expected_live, "{names}, live");
        let mut again = joined(&server, "vsn=2.0.0").await;
        let (replayed, ..) = subscribe(&mut again, "2", json!({"topics": [TOPIC]})).await;
        assert_eq!(seqs(&replayed), expected_replay, "{names}, replayed");
    }
}

#[tokio::test]
async fn a_kept_watermark_hides_what_a_subscribe_behind_an_unsubscribe_replays() {
    for (names, expected) in [("", vec![1, 2, 3]), ("keep-watermark", vec![])] {
        let (_dir, server) = planted(names);
        fill(&server, TOPIC, 1..=3).await;
        let mut client = joined(&server, "vsn=2.0.0").await;
        subscribe(&mut client, "2", json!({"topics": [TOPIC]})).await;
        client.ask(json!(["1", "3", "sync:v1", "sync:unsubscribe", {"topics": [TOPIC]}])).await;
        let (replayed, ..) = subscribe(&mut client, "4", json!({"topics": [TOPIC]})).await;
        assert_eq!(seqs(&replayed), expected, "{names}");
    }
}

async fn replayed(server: &Running, topics: &[&str]) -> Vec<Value> {
    subscribe(&mut joined(server, "vsn=2.0.0").await, "2", json!({"topics": topics})).await.0
}

fn update(messages: &[Value], seq: u64) -> Value {
    let batches = messages.iter().filter(|message| message[3] == "sync:update_batch");
    let mut updates = batches.flat_map(|batch| batch[4]["updates"].as_array().unwrap());
    updates.find(|update| update["watermark"] == seq).unwrap().clone()
}

#[tokio::test]
async fn a_changed_payload_and_a_wrong_hash_concern_the_fifth_event_alone() {
    for (name, changes_payload) in [("change-payload", true), ("wrong-hash", false)] {
        let (_dir, server) = planted(name);
        let mut published = Vec::new();
        for n in 1..=6 {
            published.push(server.publish(TOPIC, &format!("k{n}"), &format!("{{\"n\":{n}}}")).await);
        }
        let messages = replayed(&server, &[TOPIC]).await;
        for seq in 1..=6 {
            let update = update(&messages, seq);
            let is_struck = seq == 5;
            assert_eq!(update["payload"] != json!({"n": seq}), is_struck && changes_payload, "{name} {seq}");
            assert_eq!(
                update["payload_hash"] != published[seq as usize - 1]["payload_hash"],
                is_struck,
                "{name} {seq}"
            );
        }
    }
}

#[tokio::test]
async fn an_event_that_crosses_streams_comes_once_as_the_next_of_another_topic() {
    let (_dir, server) = planted("cross-streams");
    fill(&server, TOPIC, 1..=6).await;
    fill(&server, "run:r2:events", 1..=2).await;
    let messages = replayed(&server, &["run:r2:events", TOPIC]).await;
    let crossed = messages.iter().filter(|message| message[3] == "sync:update_batch").map(|batch| {
        let updates = batch[4]["updates"].as_array().unwrap();
        (updates[0]["topic"].as_str().unwrap().to_owned(), updates.len(), updates[0]["watermark"].clone())
    });
    let expected = [("run:r2:events", 2, 1), (TOPIC, 6, 1), ("run:r2:events", 1, 3)];
    let expected = expected.map(|(topic, count, first)| (topic.to_owned(), count, json!(first)));
    assert_eq!(crossed.collect::<Vec<_>>(), expected);
}

async fn stale_reason(client: &mut Client, cursor: u64) -> Option<String> {
    let payload = json!({"topics": [TOPIC], "resume_after": {TOPIC: cursor}});
    let (_, _, response) = subscribe(client, &format!("s{cursor}"), payload).await;
    response["reason_codes"][0].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_stale_check_errs_as_planted() {
    let (floor, budget) = (Some("retention_floor_breach"), Some("replay_budget_exceeded"));
    for (name, below_both, just_below_floor) in [
        ("", floor, floor),
        ("accept-stale", None, None),
        ("wrong-stale-reason", budget, floor),
        ("stale-off-by-one", floor, None),
    ] {
        let (_dir, server) = planted(name);
        server.policy(TOPIC, r#"{"retention_events": 4, "replay_budget_events": 5}"#).await;
        fill(&server, TOPIC, 1..=10).await;
        let mut client = joined(&server, "vsn=2.0.0").await;
        assert_eq!(stale_reason(&mut client, 1).await.as_deref(), below_both, "{name}");
        assert_eq!(stale_reason(&mut client, 5).await.as_deref(), just_below_floor, "{name}");
    }
}

#[tokio::test]
async fn a_restart_forgets_only_where_that_is_planted() {
    for (name, expected) in [("", vec![1, 2, 3]), ("forget-after-restart", vec![1])] {
        let dir = tempfile::tempdir().unwrap();
        let config = || Config { defects: Defects::parse(name).unwrap(), ..config(&dir) };
        let server = start(config());
        fill(&server, TOPIC, 1..=3).await;
        server.stop().await;
        let server = start(config());
        assert_eq!(seqs(&replayed(&server, &[TOPIC]).await), expected, "{name}");
    }
}
