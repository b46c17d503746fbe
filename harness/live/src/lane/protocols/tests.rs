#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use cutover_core::plan::MessageKind;

use super::*;
use crate::frame::{Body, Direction, Frame};

fn frame(direction: Direction, body: Body) -> Frame {
    Frame { direction, body }
}

fn text(text: &'static str) -> Frame {
    frame(Direction::Upstream, Body::Text(Bytes::from_static(text.as_bytes())))
}

#[test]
fn the_upgrade_tells_what_a_connection_speaks() {
    let v1 = text(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#);
    let v2 = text(r#"[null,"1","phoenix","heartbeat",{}]"#);
    let is_heartbeat = |target: &str, frame: &Frame| {
        let tagger = AnyLane.tagger(target, None);
        tagger.facts(frame).kinds.has(MessageKind::Heartbeat)
    };
    for (target, speaks_v1, speaks_v2) in [
        ("/socket/websocket", true, false),
        ("/sync/socket/websocket?token=t&vsn=2.0.0", false, true),
        ("/live/websocket?vsn=2.0.0", false, true),
        ("/anything?vsn=1.0.0", true, false),
        ("/anything", false, false),
        ("/?vsn=3", false, false),
    ] {
        assert_eq!(is_heartbeat(target, &v1), speaks_v1, "{target}");
        assert_eq!(is_heartbeat(target, &v2), speaks_v2, "{target}");
    }
    let json = text(r#"{"CallReducer":{"reducer":"go","args":"[]","request_id":1,"flags":0}}"#);
    let tagger = AnyLane.tagger("/v1/database/d/subscribe", Some("v1.json.spacetimedb"));
    assert_eq!(tagger.contents(&json).names, ["CallReducer", "go"]);
    for subprotocol in ["v1.bsatn.spacetimedb", "v2.bsatn.spacetimedb", "v3.bsatn.spacetimedb"] {
        let tagger = AnyLane.tagger("/v1/database/d/subscribe", Some(subprotocol));
        assert!(tagger.contents(&json).message.is_none(), "{subprotocol}");
    }
}

#[test]
fn other_json_has_a_name_and_values_and_what_is_no_json_has_none() {
    let tagger = AnyLane.tagger("/ws", None);
    let contents = tagger.contents(&text(r#"{"type":"tick","method":"m","id":7}"#));
    assert_eq!(contents.names, ["tick", "m"]);
    assert_eq!(contents.message(), Some(r#"{"type":"tick","method":"m","id":7}"#));
    assert!(tagger.contents(&text("{nope")).message.is_none());
}

#[test]
fn a_message_of_any_phoenix_channel_is_of_its_topic() {
    let tagger = AnyLane.tagger("/socket/websocket?vsn=2.0.0", None);
    let said = text(r#"["3","4","room:1","say",{"body":"hi"}]"#);
    assert_eq!(tagger.facts(&said).streams, [("room:1".into(), None)]);
    assert_eq!(tagger.contents(&said).names, ["say"]);
}

#[test]
fn what_is_published_over_http_is_changed_with_its_length() {
    let set = |value: &str| crate::frame::Edit::SetJson {
        events: Vec::new(),
        pointer: "/n".to_owned(),
        value: value.to_owned(),
    };
    for (path, body, changed) in [
        (
            "/internal/v1/sync/publish",
            r#"{"topic":"run:r1:events","idempotency_key":"k","payload":{"n": 1}}"#,
            r#"{"topic":"run:r1:events","idempotency_key":"k","payload":{"n": 100}}"#,
        ),
        (
            "/v1/database/d/call/append_sync_event",
            r#"["run:r1:events", "k", "{\"n\": 1}", "", null]"#,
            r#"["run:r1:events", "k", "{\"n\": 100}", "", null]"#,
        ),
    ] {
        let http = |body: &str| {
            let text = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            frame(Direction::Upstream, Body::Http(Bytes::from(text)))
        };
        let tagger = AnyLane.tagger(path, None);
        let facts = tagger.facts(&http(body));
        assert!(facts.kinds.has(MessageKind::Publish), "{path}");
        assert_eq!(facts.streams, [("run:r1:events".into(), None)], "{path}");
        assert_eq!(tagger.edit(&http(body), &set("100")), Some(http(changed)), "{path}");
    }
}

fn error(text: &str) -> ProfileError {
    profile_of_toml(text, "lane.toml").err().unwrap()
}

#[test]
fn a_url_is_of_the_roles_usual_protocol_and_a_profile_of_the_one_that_it_names() {
    for (role, kind) in [(LaneId::Legacy, "phoenix"), (LaneId::Candidate, "spacetime")] {
        assert_eq!(profile_of(role, "http://127.0.0.1:4000").unwrap().kind(), kind);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lane.toml");
        for (named, url) in [("phoenix", "socket_url"), ("spacetime", "url")] {
            std::fs::write(&path, format!("kind = \"{named}\"\n{url} = \"http://127.0.0.1:1\"")).unwrap();
            assert_eq!(profile_of(role, path.to_str().unwrap()).unwrap().kind(), named);
        }
    }
}

#[test]
fn an_unknown_key_is_refused_with_line_and_column() {
    let error = error("kind = \"phoenix\"\nsocket_url = \"ws://h:1/s\"\ntokn = \"x\"\n");
    assert_eq!(error.at, "lane.toml:3:1");
    assert!(error.what.contains("tokn"), "{error}");
}

#[test]
fn each_mistake_says_how_to_mend_it() {
    let cases = [
        ("x", "docs/LANES.md"),
        ("socket_url = \"ws://h\"", "kind"),
        ("kind = \"mqtt\"", "phoenix"),
        ("kind = \"phoenix\"", "docs/LANES.md"),
        ("kind = \"phoenix\"\nsocket_url = \"h:1\"", "http"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://u:p@h\"", "token"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[policy]\npath = \"/x\"", "{topic}"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nmethod = \"NO WAY\"", "POST"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\ntoken_env = \"CUTOVER_NO_SUCH_VARIABLE\"", "set it"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\ntopic = \"\"", "put `{topic}` into the path"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nidempotency_key = \"\"", "the header of the key"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nidempotency_header = \"a b\"", "Idempotency-Key"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\npayload = \"\"", "the key into a header"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nanswer = \"data\"", "`/data`"),
        ("kind = \"spacetime\"\nurl = \"http://h/v1/database/db\"", "database"),
        ("kind = \"spacetime\"\nurl = \"http://h\"\nsubprotocols = [\"v9\"]", "v3.bsatn.spacetimedb"),
        ("kind = \"spacetime\"\nurl = \"http://h\"\nwebsocket_path = \"/x\"", "{database}"),
    ];
    for (text, hint) in cases {
        let error = error(text).to_string();
        assert!(error.contains("lane.toml") && error.contains(hint), "{text}: {error}");
    }
}

#[test]
fn a_path_that_is_no_file_says_so() {
    let error = profile_of(LaneId::Legacy, "no/such/profile.toml").err().unwrap();
    assert!(error.to_string().contains("TOML file"), "{error}");
}

#[test]
fn every_mistake_of_a_profile_is_reported_with_its_place() {
    let text =
        "kind = \"phoenix\"\nsocket_url = 5\nchanel = \"x\"\n[pubish]\npath = \"/p\"\n[publish]\nmetod = \"PUT\"\n";
    let error = profile_of_toml(text, "lane.toml").unwrap_err().to_string();
    let mut places: Vec<_> = error.lines().filter_map(|line| line.split(": ").next()).collect();
    places.sort_unstable();
    assert_eq!(places, ["lane.toml:2:14", "lane.toml:3:1", "lane.toml:4:2", "lane.toml:7:1"], "{error}");
}

#[test]
fn the_profiles_in_the_documentation_are_read() {
    let page = include_str!("../../../../../docs/LANES.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let shown = |text: &str| profile_of_toml(text, "docs/LANES.md").unwrap_or_else(|error| panic!("{error}"));
    // What is commented out is read as well, but for what is not there: a variable, and a file.
    for block in blocks {
        let uncommented: Vec<String> = block
            .lines()
            .filter(|line| !["# ", "#token_env", "#ca_file"].iter().any(|start| line.starts_with(start)))
            .map(|line| line.trim_start_matches('#').to_owned())
            .collect();
        shown(&uncommented.join("\n"));
    }
}
