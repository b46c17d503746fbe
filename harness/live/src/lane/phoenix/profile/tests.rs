#![allow(clippy::unwrap_used)]

use super::*;

fn of_toml(text: &str) -> PhoenixProfile {
    PhoenixProfile::of_toml(text, "lane.toml").unwrap()
}

#[test]
fn a_token_in_the_url_is_a_token_and_is_never_shown() {
    let profile =
        PhoenixProfile::of_url("ws://127.0.0.1:4000/socket/websocket?token=s3cret&vsn=2.0.0&tenant=a").unwrap();
    assert_eq!(profile.token.as_ref().map(Secret::reveal), Some("s3cret"));
    assert_eq!(profile.query.get("tenant").map(String::as_str), Some("a"));
    assert!(!format!("{profile:?}").contains("s3cret"));
}

#[test]
fn a_profile_renames_what_differs_and_keeps_the_rest() {
    let profile = of_toml(
        "kind = \"phoenix\"\nsocket_url = \"ws://h:1/s\"\nhttp_url = \"http://h:2/api\"\nserializer = \"v2\"\n\
         payload_hash = \"none\"\n[publish]\npath = \"/p\"\nseq = \"n\"\n[policy]\npath = \"\"\n[events]\nsubscribe = \"sub\"\n",
    );
    assert_eq!(profile.writer_path(&profile.publish.path), "/api/p");
    assert_eq!(profile.writer_origin().port, 2);
    assert_eq!(profile.publish.seq, "n");
    assert_eq!(profile.publish.payload, "payload");
    assert_eq!(profile.events.subscribe, "sub");
    assert_eq!(profile.events.frame, "sync:frame");
    assert_eq!(profile.policy.path, None);
}

#[test]
fn a_url_without_a_path_leads_to_the_contracts_socket() {
    let profile = PhoenixProfile::of_url("https://sync.example").unwrap();
    assert_eq!(profile.socket_path(), "/sync/socket/websocket");
    assert_eq!(
        profile.socket_origin(),
        Origin { tls: true, host: "sync.example".to_owned(), port: 443, authorities: None }
    );
    assert_eq!(profile.socket_origin().authority(), "sync.example");
    assert_eq!(profile.writer_path(&profile.publish.path), "/internal/v1/sync/publish");
}

#[test]
fn the_profile_in_the_documentation_shows_the_defaults() {
    let page = include_str!("../../../../../../docs/LANES.md");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let default = PhoenixProfile::of_url("wss://sync.example.com/sync/socket/websocket").unwrap();
    assert_eq!(of_toml(block), default);
}
