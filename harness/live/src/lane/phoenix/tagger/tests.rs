#![allow(clippy::unwrap_used)]

use bytes::Bytes;

use super::super::tests::replay::{names, recording};
use super::*;
use crate::frame::TaggerFactory;
use crate::lane::phoenix::PhoenixLane;

fn tagger(serializer: Serializer) -> Tagger {
    let profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    Tagger::new(serializer, Arc::new(profile), Arc::new(names()))
}

fn lines(name: &str, serializer: Serializer) -> String {
    let tagger = tagger(serializer);
    let rows = recording(name);
    let frames = rows.iter().filter_map(|row| Some((row.dir.as_str(), row.frame()?)));
    frames.map(|(dir, frame)| format!("{dir} {:?}\n", tagger.tag(&frame))).collect()
}

#[test]
fn the_frames_of_a_recording_are_tagged() {
    insta::assert_snapshot!("join_subscribe_live_leave", lines("v2_join_subscribe_live_leave", Serializer::V2));
    insta::assert_snapshot!("stale_retention_floor", lines("v2_stale_retention_floor", Serializer::V2));
    insta::assert_snapshot!("v1", lines("v1_official_client_1_2_1", Serializer::V1));
    insta::assert_snapshot!("compat_refusals", lines("v2_compat_refusals", Serializer::V2));
    insta::assert_snapshot!("heartbeats", lines("v2_heartbeats", Serializer::V2));
}

#[test]
fn a_frame_read_as_the_wrong_serializer_is_other() {
    for row in recording("v2_join_subscribe_live_leave") {
        if let Some(frame) = row.frame() {
            assert_eq!(tagger(Serializer::V1).tag(&frame), FrameTag::Other);
        }
    }
}

fn stream() -> StreamId {
    StreamId::new("run:r1:events")
}

/// The frames of the recording that the edit changes, with their tags before and after.
fn edited(edit: &Edit) -> Vec<(FrameTag, FrameTag)> {
    let tagger = tagger(Serializer::V2);
    let frames = recording("v2_join_subscribe_live_leave").into_iter().filter_map(|row| row.frame());
    let changed = frames.filter_map(|frame| Some((tagger.tag(&frame), tagger.tag(&tagger.edit(&frame, edit)?))));
    changed.collect()
}

fn delivery(seqs: &[u64], via: Via) -> FrameTag {
    FrameTag::Delivery { events: seqs.iter().map(|seq| (stream(), Seq(*seq))).collect(), via }
}

#[test]
fn a_removed_event_is_gone_from_both_copies() {
    let changed = edited(&Edit::RemoveEvent { stream: stream(), seq: Seq(2) });
    let expect = [Via::UpdateBatch, Via::Frame].map(|via| (delivery(&[1, 2], via), delivery(&[1], via)));
    assert_eq!(changed, expect);
    let alone = edited(&Edit::RemoveEvent { stream: stream(), seq: Seq(5) });
    assert_eq!(alone[0].1, delivery(&[], Via::UpdateBatch));
}

#[test]
fn a_misdelivered_event_stands_in_the_frame_twice() {
    let edit =
        Edit::Misdeliver { stream: stream(), seq: Seq(2), to_stream: StreamId::new("run:r2:events"), to_seq: Seq(9) };
    let changed = edited(&edit);
    let FrameTag::Delivery { events, .. } = &changed[1].1 else { panic!() };
    assert_eq!(events[2], (StreamId::new("run:r2:events"), Seq(9)));
}

#[test]
fn a_replaced_payload_declares_its_own_hash_and_leaves_the_others_alone() {
    let tagger = tagger(Serializer::V2);
    let row = &recording("v2_join_subscribe_live_leave")[3];
    let edit = Edit::ReplacePayload { stream: stream(), seq: Seq(1), payload: r#"{"n":1}"#.to_owned() };
    let frame = row.frame().unwrap();
    // The recorded payload is {"n":1} already, so that the hash of the reference, not ours, is what it is held against.
    assert_eq!(tagger.edit(&frame, &edit).unwrap(), frame);
    let edit = Edit::ReplacePayload { stream: stream(), seq: Seq(1), payload: "[1.0]".to_owned() };
    let Body::Text(text) = tagger.edit(&frame, &edit).unwrap().body else { panic!() };
    assert!(String::from_utf8_lossy(&text).contains(r#""payload":[1.0]"#));
}

#[test]
fn a_cursor_is_rewritten_or_added() {
    let cursor = |to| Edit::Cursor { stream: stream(), to: Cursor(to) };
    let changed = edited(&cursor(40));
    let asked = |cursor| FrameTag::Resume { cursors: vec![(stream(), Some(Cursor(cursor)))], opens: true };
    assert_eq!(changed, [(asked(0), asked(40))]);

    let tagger = tagger(Serializer::V2);
    let subscribe = |resume: &str| Frame {
        direction: Direction::Upstream,
        body: Body::Text(Bytes::from(format!(
            r#"["1","2","sync:v1","sync:subscribe",{{"topics":["run:r1:events"]{resume}}}]"#
        ))),
    };
    for resume in ["", r#","resume_after":[{"topic":"run:r1:events","watermark":3}]"#] {
        let edited = tagger.edit(&subscribe(resume), &cursor(40)).unwrap();
        assert_eq!(tagger.tag(&edited), asked(40));
    }
    let other = Edit::Cursor { stream: StreamId::new("run:r2:events"), to: Cursor(1) };
    assert_eq!(tagger.edit(&subscribe(""), &other), None);
}

#[test]
fn the_writers_traffic_is_told_apart() {
    let tagger = tagger(Serializer::V2);
    let http = |direction, text: &str| {
        tagger.tag(&Frame { direction, body: Body::Http(Bytes::copy_from_slice(text.as_bytes())) })
    };
    assert_eq!(http(Direction::Upstream, "POST /internal/v1/sync/publish HTTP/1.1\r\n\r\n{}"), FrameTag::Publish);
    assert_eq!(http(Direction::Upstream, "PUT /internal/v1/sync/topics/t HTTP/1.1\r\n\r\n{}"), FrameTag::Other);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 200 OK\r\n\r\n{\"seq\":1}"), FrameTag::Ack);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 409 Conflict\r\n\r\n{\"code\":\"x\"}"), FrameTag::Ack);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 200 OK\r\n\r\n{\"head_seq\":1}"), FrameTag::Other);
}

#[test]
fn a_publish_whose_topic_is_in_the_path_is_told_with_its_stream() {
    let mut profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    profile.publish.path = "/topics/{topic}/events".to_owned();
    (profile.publish.topic, profile.publish.payload) = (String::new(), String::new());
    let tagger = Tagger::new(Serializer::V2, Arc::new(profile), Arc::new(names()));
    let facts = |text: &str| {
        tagger
            .facts(&Frame { direction: Direction::Upstream, body: Body::Http(Bytes::copy_from_slice(text.as_bytes())) })
    };
    let found = facts("POST /topics/run%3Ar1%3Aevents/events HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}");
    assert_eq!(found.tag, FrameTag::Publish);
    assert_eq!(found.streams, [(StreamId::new("run:r1:events"), None)]);
    for other in ["GET /topics/run%3Ar1%3Aevents/events", "POST /topics/a/b/events", "POST /topics//events"] {
        let found = facts(&format!("{other} HTTP/1.1\r\ncontent-length: 2\r\n\r\n{{}}"));
        assert_eq!(found.tag, FrameTag::Other, "{other}");
    }
}

#[test]
fn the_sockets_heartbeat_counts_where_the_channel_has_none() {
    let mut profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    let beat = |profile: &PhoenixProfile, direction, event: &str| {
        let text = format!("[null,\"1\",\"phoenix\",\"{event}\",{{}}]");
        let tagger = Tagger::new(Serializer::V2, Arc::new(profile.clone()), Arc::new(names()));
        tagger.tag(&Frame { direction, body: Body::Text(Bytes::from(text)) })
    };
    assert_eq!(beat(&profile, Direction::Upstream, "heartbeat"), FrameTag::Other);
    profile.events.heartbeat = String::new();
    assert_eq!(beat(&profile, Direction::Upstream, "heartbeat"), FrameTag::Heartbeat);
    assert_eq!(beat(&profile, Direction::Downstream, "phx_reply"), FrameTag::HeartbeatReply);
}

#[test]
fn the_answer_to_a_sessions_own_heartbeat_is_known_by_its_ref() {
    let profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    let tagger = Tagger::new(Serializer::V2, Arc::new(profile), Arc::new(names()));
    let tag = |msg_ref: &str| {
        let text =
            format!("[\"1\",\"{msg_ref}\",\"sync:v1\",\"phx_reply\",{{\"status\":\"ok\",\"response\":{{\"at\":1}}}}]");
        tagger.tag(&Frame { direction: Direction::Downstream, body: Body::Text(Bytes::from(text)) })
    };
    assert_eq!([tag("beat-3"), tag("3")], [FrameTag::HeartbeatReply, FrameTag::Other]);
}

#[test]
fn the_upgrades_vsn_chooses_the_serializer() {
    let profile = Arc::new(PhoenixProfile::of_url("ws://lane.example").unwrap());
    let taggers = PhoenixLane::new(profile, Arc::new(names()));
    let frame = recording("v2_join_subscribe_live_leave")[0].frame().unwrap();
    assert_eq!(taggers.tagger("/s?token=t&vsn=2.0.0", None).tag(&frame), FrameTag::Join);
    assert_eq!(taggers.tagger("/s?token=t", None).tag(&frame), FrameTag::Other);
}
