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
        let tagger = AnyLane::new().tagger(target, None);
        tagger.look(frame).kinds.has(MessageKind::Heartbeat)
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
    let tagger = AnyLane::new().tagger("/v1/database/d/subscribe", Some("v1.json.spacetimedb"));
    assert_eq!(tagger.contents(&json).names, ["CallReducer", "go"]);
    for subprotocol in ["v1.bsatn.spacetimedb", "v2.bsatn.spacetimedb", "v3.bsatn.spacetimedb"] {
        let tagger = AnyLane::new().tagger("/v1/database/d/subscribe", Some(subprotocol));
        assert!(tagger.contents(&json).message.is_none(), "{subprotocol}");
    }
}

#[test]
fn other_json_has_a_name_and_values_and_what_is_no_json_has_none() {
    let tagger = AnyLane::new().tagger("/ws", None);
    let contents = tagger.contents(&text(r#"{"type":"tick","method":"m","id":7}"#));
    assert_eq!(contents.names, ["tick", "m"]);
    assert_eq!(contents.message(), Some(r#"{"type":"tick","method":"m","id":7}"#));
    assert!(tagger.contents(&text("{nope")).message.is_none());
}

#[test]
fn a_message_of_any_phoenix_channel_is_of_its_topic() {
    let tagger = AnyLane::new().tagger("/socket/websocket?vsn=2.0.0", None);
    let said = text(r#"["3","4","room:1","say",{"body":"hi"}]"#);
    assert_eq!(tagger.look(&said).streams, [("room:1".into(), None)]);
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
        let tagger = AnyLane::new().tagger(path, None);
        let look = tagger.look(&http(body));
        assert!(look.kinds.has(MessageKind::Publish), "{path}");
        assert_eq!(look.streams, [("run:r1:events".into(), None)], "{path}");
        assert_eq!(tagger.edit(&http(body), &set("100")), Some(http(changed)), "{path}");
    }
}
