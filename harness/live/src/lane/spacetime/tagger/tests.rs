#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bytes::Bytes;
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::MessageKind;

use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::super::compression::Compressed;
use super::super::protocol::{ServerMessage, decode_client, encode_client, encode_server};
use super::super::request::{self, Purpose, resume_args};
use super::super::shape::ModuleShape;
use super::super::tests::recording::{all, recording, schema};
use super::*;

fn tagger(protocol: Protocol) -> Tagger {
    Tagger::new(protocol, Arc::new(Names::verbatim(&["s1", "s2"])), schema())
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name)
}

#[test]
fn every_frame_of_every_recording_is_read_with_all_its_rows() {
    for (name, protocol, rows) in all() {
        for row in rows.iter().filter(|row| !row.to_lane()) {
            let messages = decode_server(protocol, &row.bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            for mut message in messages {
                for event in read(&mut message, &schema()).events {
                    event.unwrap_or_else(|error| panic!("{name}: {error}"));
                }
            }
        }
    }
}

#[test]
fn what_a_client_sent_is_encoded_again_to_the_same_bytes() {
    for (name, protocol, rows) in all() {
        for row in rows.iter().filter(|row| row.to_lane()) {
            let messages = decode_client(protocol, &row.bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(encode_client(&messages).unwrap(), row.bytes(), "{name}: {}", row.what);
        }
    }
}

#[test]
fn what_a_server_sent_uncompressed_is_encoded_again_to_the_same_bytes() {
    for (name, protocol, rows) in all().into_iter().filter(|(name, _, _)| name.contains("none")) {
        for row in rows.iter().filter(|row| !row.to_lane()) {
            let messages: Vec<ServerMessage> = decode_server(protocol, &row.bytes()).unwrap();
            assert_eq!(encode_server(&messages, Compressed::None).unwrap(), row.bytes(), "{name}");
        }
    }
}

fn tags(protocol: Protocol, rows: &[super::super::tests::recording::Row]) -> String {
    let tagger = tagger(protocol);
    let line = |row: &super::super::tests::recording::Row| {
        format!("{} {} {:?}\n", row.conn, row.dir, tagger.tag(&row.frame()))
    };
    rows.iter().map(line).collect()
}

#[test]
fn the_frames_of_each_subprotocol_are_tagged() {
    for (snapshot, name) in [
        ("1_2_0_v1", "1.2.0/v1-none"),
        ("2_8_3_v1", "2.8.3/v1-none"),
        ("2_8_3_v2", "2.8.3/v2-none"),
        ("2_8_3_v3", "2.8.3/v3-none"),
    ] {
        let (protocol, rows) = recording(name);
        insta::assert_snapshot!(snapshot, tags(protocol, &rows));
    }
}

/// Every event that is delivered to each connection, and every other tag, sorted: v3 puts more or fewer messages into a
/// frame as it comes.
fn flattened(protocol: Protocol, rows: &[super::super::tests::recording::Row]) -> Vec<String> {
    let tagger = tagger(protocol);
    let mut lines = Vec::new();
    for row in rows {
        match tagger.tag(&row.frame()) {
            FrameTag::Other => {}
            FrameTag::Delivery { events, via } => {
                lines.extend(events.iter().map(|event| format!("{} {event:?} {via:?}", row.conn)));
            }
            tag => lines.push(format!("{} {tag:?}", row.conn)),
        }
    }
    lines.sort();
    lines
}

#[test]
fn compression_and_confirmed_reads_change_no_tag() {
    let mut seen: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for (name, protocol, rows) in all() {
        let lines = flattened(protocol, &rows);
        let first = seen.entry(name[..8].to_owned()).or_insert_with(|| (name.clone(), lines.clone()));
        assert_eq!(lines, first.1, "{name} against {}", first.0);
    }
    assert_eq!(seen.len(), 4);
}

/// The tags, before and after, of the frames that an edit changes, of every recording.
fn edited(edit: &Edit) -> Vec<(String, FrameTag, FrameTag)> {
    let mut changed = Vec::new();
    for (name, protocol, rows) in all() {
        let tagger = tagger(protocol);
        for row in rows {
            let frame = row.frame();
            if let Some(edited) = tagger.edit(&frame, edit) {
                changed.push((name.clone(), tagger.tag(&frame), tagger.tag(&edited)));
            }
        }
    }
    changed
}

fn events(tag: &FrameTag) -> Vec<(StreamId, Seq)> {
    match tag {
        FrameTag::Delivery { events, .. } => events.clone(),
        _ => Vec::new(),
    }
}

#[test]
fn an_event_is_taken_out_of_every_frame_that_carries_it() {
    let gone = (stream("s1"), Seq(3));
    let changed = edited(&Edit::RemoveEvent { stream: gone.0.clone(), seq: gone.1 });
    assert!(changed.len() >= all().len());
    for (name, before, after) in changed {
        assert!(events(&before).contains(&gone) && !events(&after).contains(&gone), "{name}");
    }
}

#[test]
fn an_event_is_misdelivered_beside_itself() {
    let edit = Edit::Misdeliver { stream: stream("s2"), seq: Seq(1), to_stream: stream("s1"), to_seq: Seq(77) };
    let changed = edited(&edit);
    assert!(changed.len() >= all().len());
    for (name, before, after) in changed {
        assert_eq!(events(&after).len(), events(&before).len() * 2, "{name}");
        assert!(events(&after).contains(&(stream("s1"), Seq(77))), "{name}");
    }
}

#[test]
fn a_replaced_payload_declares_its_own_hash() {
    let edit = Edit::ReplacePayload { stream: stream("s1"), seq: Seq(3), payload: "[1.0]".to_owned() };
    let hash = cutover_core::hash::payload_hash(b"[1.0]").unwrap().to_string();
    let mut hits = 0;
    for (name, protocol, rows) in all() {
        let tagger = tagger(protocol);
        for frame in rows.iter().filter_map(|row| tagger.edit(&row.frame(), &edit)) {
            let Body::Binary(bytes) = frame.body else { panic!() };
            for mut message in decode_server(protocol, &bytes).unwrap() {
                let rows = read(&mut message, &schema()).events.into_iter().flatten();
                let row = rows.into_iter().find(|row| row.seq == 3).unwrap();
                assert_eq!((row.payload.as_str(), &row.payload_hash), ("[1.0]", &hash), "{name}");
                hits += 1;
            }
        }
    }
    assert!(hits >= all().len());
}

#[test]
fn a_cursor_is_rewritten_in_the_check_and_in_the_query() {
    for protocol in [Protocol::V1, Protocol::V2, Protocol::V3] {
        let tagger = tagger(protocol);
        let frame =
            |message| Frame { direction: Direction::Upstream, body: Body::Binary(encode_client(&[message]).unwrap()) };
        let args = resume_args(&[("s1".to_owned(), 5), ("s2".to_owned(), 6)]);
        let check = frame(request::call(protocol, Purpose::Check.request_id(1), "resume_stream", args));
        let queries = vec![ModuleShape::default().events_query("s1", 5), ModuleShape::default().events_query("s2", 6)];
        let query = frame(request::subscribe(protocol, Purpose::Events.request_id(2), queries));
        let edit = Edit::Cursor { stream: stream("s1"), to: Cursor(40) };
        for (sent, opens) in [(check, true), (query, false)] {
            let cursors = |first| vec![(stream("s1"), Some(Cursor(first))), (stream("s2"), Some(Cursor(6)))];
            assert_eq!(tagger.tag(&sent), FrameTag::Resume { cursors: cursors(5), opens });
            let edited = tagger.edit(&sent, &edit).unwrap();
            assert_eq!(tagger.tag(&edited), FrameTag::Resume { cursors: cursors(40), opens });
        }
    }
}

#[test]
fn a_bootstrap_opens_its_resume_without_cursors() {
    let queries = vec![ModuleShape::default().events_query("s1", 0)];
    let message = request::subscribe(Protocol::V2, Purpose::Bootstrap.request_id(1), queries);
    let body = Body::Binary(encode_client(&[message]).unwrap());
    let tag = tagger(Protocol::V2).tag(&Frame { direction: Direction::Upstream, body });
    assert_eq!(tag, FrameTag::Resume { cursors: vec![(stream("s1"), None)], opens: true });
}

/// The answer of a 1.2.0 server to a call of `resume_stream` that failed: its request id is always 0.
fn failed_call(cursor: u64) -> Frame {
    let (protocol, rows) = recording("1.2.0/v1-none");
    let messages = rows.iter().flat_map(|row| decode_server(protocol, &row.bytes()).unwrap_or_default());
    let failed = messages.into_iter().find_map(|message| match message {
        ServerMessage::V1(v1::ServerMessage::TransactionUpdate(update))
            if matches!(update.status, v1::UpdateStatus::Failed(_)) =>
        {
            Some(update)
        }
        _ => None,
    });
    let mut failed = failed.unwrap();
    failed.reducer_call.reducer_name = "resume_stream".into();
    failed.reducer_call.args = resume_args(&[("s1".to_owned(), cursor)]).to_vec().into();
    failed.reducer_call.request_id = 0;
    let bytes =
        encode_server(&[ServerMessage::V1(v1::ServerMessage::TransactionUpdate(failed))], Compressed::None).unwrap();
    Frame { direction: Direction::Downstream, body: Body::Binary(bytes) }
}

#[test]
fn a_frame_with_a_delivery_and_the_end_of_a_resume_is_of_both_sorts() {
    let (_, rows) = recording("2.8.3/v3-none");
    let messages = rows.iter().filter(|row| !row.to_lane());
    let messages = messages.flat_map(|row| decode_server(Protocol::V3, &row.bytes()).unwrap());
    let is_transaction =
        |message: &ServerMessage| matches!(message, ServerMessage::V2(v2::ServerMessage::TransactionUpdate(_)));
    let transaction = messages.into_iter().find(is_transaction);
    let applied = v2::SubscribeApplied {
        request_id: Purpose::Heads.request_id(1),
        query_set_id: spacetimedb_client_api_messages::websocket::common::QuerySetId::new(1),
        rows: v2::QueryRows { tables: Box::new([]) },
    };
    let messages = [ServerMessage::V2(applied.into()), transaction.unwrap()];
    let facts = tagger(Protocol::V3).facts(&Frame {
        direction: Direction::Downstream,
        body: Body::Binary(encode_server(&messages, Compressed::Gzip).unwrap()),
    });
    assert!(matches!(facts.tag, FrameTag::Delivery { .. }));
    assert!(facts.kinds.has(MessageKind::Delivery) && facts.kinds.has(MessageKind::ResumeReply));
}

#[test]
fn a_failed_check_that_is_not_numbered_still_answers_its_resume() {
    assert_eq!(tagger(Protocol::V1).tag(&failed_call(5)), FrameTag::ResumeReply);
    assert_eq!(tagger(Protocol::V1).tag(&failed_call(u64::MAX)), FrameTag::HeartbeatReply);
}

#[test]
fn a_heartbeat_is_no_resume() {
    let args = resume_args(&[("s1".to_owned(), u64::MAX)]);
    let message = request::call(Protocol::V3, Purpose::Heartbeat.request_id(1), "resume_stream", args);
    let body = Body::Binary(encode_client(&[message]).unwrap());
    let frame = Frame { direction: Direction::Upstream, body };
    assert_eq!(tagger(Protocol::V3).tag(&frame), FrameTag::Heartbeat);
    assert_eq!(tagger(Protocol::V3).edit(&frame, &Edit::Cursor { stream: stream("s1"), to: Cursor(1) }), None);
}

#[test]
fn the_writers_traffic_is_told_apart() {
    let tagger = tagger(Protocol::V1);
    let http = |direction, text: &str| {
        tagger.tag(&Frame { direction, body: Body::Http(Bytes::copy_from_slice(text.as_bytes())) })
    };
    assert_eq!(
        http(Direction::Upstream, "POST /v1/database/d/call/append_sync_event HTTP/1.1\r\n\r\n[]"),
        FrameTag::Publish
    );
    assert_eq!(http(Direction::Upstream, "POST /v1/database/d/sql HTTP/1.1\r\n\r\nSELECT"), FrameTag::Other);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 200 OK\r\n\r\n"), FrameTag::Ack);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 530 \r\n\r\n{\"code\":\"x\"}"), FrameTag::Ack);
    assert_eq!(http(Direction::Downstream, "HTTP/1.1 200 OK\r\n\r\n[{\"rows\":[[1]]}]"), FrameTag::Other);
}

#[test]
fn bytes_that_are_no_message_are_other() {
    for protocol in [Protocol::V1, Protocol::V2, Protocol::V3] {
        for bytes in [&b""[..], b"\x00", b"\x07abc", b"\x01nope", b"\x02nope", b"\x00\xff\xff\xff\xff\xff"] {
            for direction in [Direction::Upstream, Direction::Downstream] {
                let frame = Frame { direction, body: Body::Binary(Bytes::copy_from_slice(bytes)) };
                assert_eq!(tagger(protocol).tag(&frame), FrameTag::Other, "{bytes:?}");
            }
        }
    }
}

#[test]
fn a_message_of_a_newer_peer_is_other_and_passes_unchanged() {
    let json = br#"{"Unheard":{"request_id":1,"tables":[{"table_name":"sync_event"}]}}"#;
    let json_tagger = Tagger::json(Arc::new(Names::verbatim(&["s1"])), schema());
    let taggers = [Protocol::V1, Protocol::V2, Protocol::V3].map(|protocol| (tagger(protocol), None));
    for (tagger, text) in taggers.into_iter().chain([(json_tagger, Some(Bytes::from_static(json)))]) {
        for direction in [Direction::Upstream, Direction::Downstream] {
            let body = text.clone().map_or(Body::Binary(Bytes::from_static(&[0, 20, 1, 2, 3])), Body::Text);
            let frame = Frame { direction, body };
            assert_eq!(tagger.tag(&frame), FrameTag::Other);
            assert_eq!(tagger.edit(&frame, &Edit::Cursor { stream: stream("s1"), to: Cursor(1) }), None);
            assert!(tagger.contents(&frame).events.is_empty() && tagger.answer(&frame).is_none());
        }
    }
}
