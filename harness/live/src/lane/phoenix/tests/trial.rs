//! The trial against the reference server, under profiles that fit it and profiles that do not.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cutover_core::ids::StreamId;
use cutover_core::plan::defect::reference::Defect;
use cutover_core::plan::{Compression, Serializer};
use cutover_reference::{Config, Defects, Server};

use super::super::PhoenixLane;
use crate::lane::Endpoint;
use crate::lane::names::Names;
use crate::lane::phoenix::PhoenixProfile;
use crate::lane::trial::{Steps, Trial, trial_bounds};

/// Tries a server with these defects under a profile with these lines.
async fn tried(defects: &str, lines: &str) -> Result<(), String> {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::new("127.0.0.1:0".parse().unwrap(), data.path().to_owned());
    config.defects = Defects::parse(defects).unwrap();
    let server = Server::bind(config).unwrap();
    let endpoint = Endpoint { connect: server.local_addr(), authority: "legacy.example".to_owned() };
    tokio::spawn(server.run(std::future::pending()));
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://legacy.example\"\n{lines}");
    let profile = PhoenixProfile::of_toml(&text, "lane.toml").unwrap();
    let stream = StreamId::new("run:a:events");
    let names = Arc::new(Names::new([stream.clone()], Some("x1")).unwrap());
    let lane = PhoenixLane::new(Arc::new(profile), names).with_bounds(trial_bounds());
    let trial = Trial {
        serializers: vec![Serializer::V1, Serializer::V2],
        compressions: vec![Compression::None],
        policies: true,
        unsubscribes: true,
        stream,
        marker: "marked-7".to_owned(),
        thorough: false,
    };
    // Twice: what the first one left must not be in the way of the second one.
    for _ in 0..2 {
        let outcome = lane.try_out(&endpoint, &endpoint, &trial, Steps::of(&trial)).await.result();
        outcome.map_err(|error| format!("{}{error}", if error.is_of_the_profile() { "profile: " } else { "" }))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_keeps_to_the_contract_passes() {
    assert_eq!(tried("", "").await, Ok(()));
    assert_eq!(tried("", "[policy]\npath = \"\"").await, Ok(()));
    assert_eq!(tried("", "serializer = \"v1\"").await, Ok(()));
}

#[tokio::test]
async fn a_defect_of_the_lane_is_left_to_the_run() {
    // The trial compares both copies of an event. It ends a run over a lane whose copies differ in each replay.
    let left = Defect::NAMES.iter().filter(|defect| **defect != "frame-changed-in-replay");
    let tried = left.map(|defect| async move { (*defect, tried(defect, "").await) });
    for (defect, outcome) in futures_util::future::join_all(tried).await {
        assert_eq!(outcome, Ok(()), "{defect}");
    }
}

#[tokio::test]
async fn a_name_that_the_service_does_not_have_is_told() {
    for (lines, words) in [
        ("[fields]\nwatermark = \"n\"", ["`fields.watermark = \"n\"`", "doc_version (a number)"]),
        ("[fields]\nupdates = \"events\"", ["`fields.updates = \"events\"`", "updates (a list)"]),
        (
            "[events]\nunsubscribe = \"sync:leave\"",
            ["`events.unsubscribe = \"sync:leave\"`", "the channel ended with phx_error"],
        ),
        ("[fields]\ntopics = \"streams\"", ["`fields.topics = \"streams\"`", "bad_subscription"]),
        ("[fields]\nkind = \"type\"", ["`fields.kind = \"type\"`", "kind (text)"]),
        ("[fields]\ncurrent_watermarks = \"heads\"", ["`fields.current_watermarks", "current_watermarks (a list)"]),
        ("[events]\nframe = \"frame\"", ["`events.frame = \"frame\"`", "events seen: sync:frame"]),
        ("[events]\nheartbeat = \"beat\"", ["`events.heartbeat = \"beat\"`", "the channel ended with phx_error"]),
        ("[events]\nsubscribe = \"sub\"", ["`events.subscribe = \"sub\"`", "the channel ended with phx_error"]),
        ("[publish]\nseq = \"n\"", ["`publish.seq = \"n\"`", "seq (a number)"]),
        ("[publish]\nduplicate = \"again\"", ["`publish.duplicate = \"again\"`", "duplicate (true or false)"]),
        ("[publish]\ntopic = \"stream\"", ["HTTP 400", "it has the fields `stream`, `idempotency_key`, `payload`"]),
        ("[publish]\ntopic = \"stream\"", ["`publish.topic = \"stream\"`", "topic is missing"]),
        ("[publish]\nidempotency_key = \"key\"", ["`publish.idempotency_key = \"key\"`", "idempotency_key is missing"]),
        ("[publish]\nanswer = \"/data\"", ["`publish.answer = \"/data\"`", "seq (a number)"]),
        ("[publish]\nmethod = \"PATCH\"", ["`publish.path", "HTTP 405"]),
        ("[policy]\nretention_events = \"keep\"", ["`policy.", "keep"]),
    ] {
        let error = tried("", lines).await.unwrap_err();
        assert!(error.starts_with("profile: "), "{lines}: {error}");
        assert!(words.iter().all(|word| error.contains(word)), "{lines}: {error}");
    }
}

#[test]
fn a_socket_below_a_path_hints_at_the_base_of_the_writers_paths() {
    let hint = |lines: &str| {
        let text = format!("kind = \"phoenix\"\n{lines}");
        let profile = PhoenixProfile::of_toml(&text, "lane.toml").unwrap();
        PhoenixLane::new(Arc::new(profile), Arc::default()).prefix_hint()
    };
    let below = hint("socket_url = \"wss://a.example/api/sync/socket/websocket\"").unwrap();
    assert!(below.contains("`http_url = \"https://a.example/api\"`"), "{below}");
    assert!(
        hint("socket_url = \"ws://a.example:4000/live/socket/websocket/\"")
            .is_some_and(|hint| hint.contains("4000/live"))
    );
    assert_eq!(hint("socket_url = \"ws://a.example\""), None);
    let told = "socket_url = \"ws://a.example/api/sync/socket/websocket\"\nhttp_url = \"http://a.example/b\"";
    assert_eq!(hint(told), None);
}
