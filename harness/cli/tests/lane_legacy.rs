//! `cutover lane init --legacy` through the built binary.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use support::*;

const TOPIC: &str = "run:alpha:events";

fn publish(at: SocketAddr, number: u32) {
    let body = format!(r#"{{"topic":"{TOPIC}","idempotency_key":"k{number}","payload":{{"n":{number}}}}}"#);
    let request = format!(
        "POST /internal/v1/sync/publish HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_profile_that_a_gate_can_use_is_proposed_from_a_session() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    (1..=3).for_each(|number| publish(legacy.address, number));
    let proposed = run(&["lane", "init", "--legacy", &legacy.url(), "--topic", TOPIC, "--seconds", "2"]);
    assert_eq!(proposed.code, 0, "{}{}", proposed.out, proposed.err);
    assert!(proposed.out.contains("channel = \"sync:v1\""), "{}", proposed.out);
    assert!(!proposed.out.contains("[fields]") && !proposed.out.contains("[envelope]"), "{}", proposed.out);
    assert!(proposed.err.contains("not decided: publish"), "{}", proposed.err);
    let profile = text(&write(dir.path(), "legacy.toml", &proposed.out));
    let ran = gate(dir.path(), "out", &["--aa", "legacy", "--legacy", &profile, "--scenario", "equal-streams"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_recorded_session_is_read_from_a_file() {
    let recording = format!("{}/../../golden/phoenix/v2_join_subscribe_live_leave.jsonl", env!("CARGO_MANIFEST_DIR"));
    let url = "wss://sync.example.com/socket/websocket";
    let proposed = run(&["lane", "init", "--legacy", url, "--recording", &recording, "--format", "json"]);
    assert_eq!(proposed.code, 0, "{}{}", proposed.out, proposed.err);
    let proposal: serde_json::Value = serde_json::from_str(&proposed.out).unwrap();
    assert!(proposal["profile"].as_str().unwrap().contains(url), "{proposal}");
    assert!(proposal["undecided"].as_array().is_some_and(|list| !list.is_empty()), "{proposal}");
    let dir = tempfile::tempdir().unwrap();
    let garbage = text(&write(dir.path(), "garbage.jsonl", "{\"dir\":\"c2s\"}\n"));
    let refused = run(&["lane", "init", "--legacy", url, "--recording", &garbage]);
    assert_eq!(refused.code, 64, "{}", refused.err);
    assert!(refused.err.contains("garbage.jsonl:1") && refused.err.contains("hint"), "{}", refused.err);
}

#[test]
fn a_service_that_is_not_there_and_a_channel_that_it_lacks_are_told() {
    let nobody = run(&["lane", "init", "--legacy", "ws://127.0.0.1:1"]);
    assert_eq!(nobody.code, 3, "{}", nobody.err);
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    let refused = run(&["lane", "init", "--legacy", &legacy.url(), "--channel", "room:{topic}", "--seconds", "2"]);
    assert_eq!(refused.code, 64, "{}", refused.err);
    assert!(refused.err.contains("unmatched topic") && refused.err.contains("--channel"), "{}", refused.err);
}
