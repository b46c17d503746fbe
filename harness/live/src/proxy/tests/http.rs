//! The writer's traffic: HTTP requests and their answers.

use std::sync::Arc;

use bytes::BytesMut;
use cutover_core::ids::OpId;
use cutover_core::plan::{Cut, FaultKind, MessageFilter, Position, When};
use tokio_util::sync::CancellationToken;

use super::rig::{ASK, Ended, GRANT, Rig, cut, delivery, fault};
use crate::frame::Direction;
use crate::proxy::conn::Conn;
use crate::proxy::decoder::Decoder;
use crate::proxy::exchange::{Exchange, Request};
use crate::proxy::interest::Interest;
use crate::proxy::unit::Decoded;

const PUBLISH: &[u8] = b"POST /publish HTTP/1.1\r\nHost: lane\r\nContent-Length: 5\r\n\r\nhello";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"seq\":1}";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"seq\r\n4\r\n\":1}\r\n0\r\n\r\n";

fn at_op_2(kind: FaultKind) -> Vec<cutover_core::plan::PlannedFault> {
    vec![fault("f", Position::Ack { op: OpId(2) }, kind)]
}

async fn exchange(client: &mut super::rig::End, lane: &mut super::rig::End, answer: &[u8]) {
    client.send(PUBLISH).await;
    lane.expect(PUBLISH).await;
    lane.send(answer).await;
}

#[tokio::test]
async fn an_ack_is_cut_before_the_writer_sees_it() {
    for answer in [OK, CHUNKED] {
        let rig = Rig::new(at_op_2(cut(Cut::Reset, When::Before))).await;
        let (mut client, mut lane) = rig.connect().await;
        for op in [1, 3] {
            rig.proxy.expect_ack(Some(OpId(op)));
            exchange(&mut client, &mut lane, answer).await;
            client.expect(answer).await;
        }
        rig.proxy.expect_ack(Some(OpId(2)));
        exchange(&mut client, &mut lane, answer).await;
        assert_eq!(client.hear().await, Err(Ended::Reset));
        assert_eq!(rig.ledger.hits(), ["ack 2"]);
        assert_eq!(rig.ledger.fires.lock().unwrap()[0].1.frame, 3);
    }
}

#[tokio::test]
async fn an_ack_is_cut_after_the_writer_has_it() {
    for how in [Cut::Reset, Cut::Drop, Cut::Close { code: 1001 }] {
        let rig = Rig::new(at_op_2(cut(how, When::After))).await;
        let (mut client, mut lane) = rig.connect().await;
        rig.proxy.expect_ack(Some(OpId(2)));
        exchange(&mut client, &mut lane, OK).await;
        client.expect(OK).await;
        let ended = if how == Cut::Reset { Ended::Reset } else { Ended::Eof };
        assert_eq!(client.hear().await, Err(ended));
    }
}

#[tokio::test]
async fn an_answer_longer_than_what_is_shown_still_comes_whole_before_the_cut() {
    let rig = Rig::new(at_op_2(cut(Cut::Drop, When::After))).await;
    let (mut client, mut lane) = rig.connect().await;
    rig.proxy.expect_ack(Some(OpId(2)));
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 50_000, b'x');
    exchange(&mut client, &mut lane, &answer).await;
    assert_eq!(client.rest_of_it().await, answer);
}

#[tokio::test]
async fn a_large_publish_streams_through_with_faults_armed() {
    let rig = Rig::new(at_op_2(cut(Cut::Drop, When::Before))).await;
    let (mut client, mut lane) = rig.connect().await;
    let mut publish = b"PUT /module HTTP/1.1\r\nHost: lane\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    publish.resize(publish.len() + 1_000_000, 7);
    tokio::join!(client.send(&publish), lane.expect(&publish));
    lane.send(OK).await;
    client.expect(OK).await;
    client.send(PUBLISH).await;
    lane.expect(PUBLISH).await;
    assert_eq!((rig.proxy.stats().to_lane.frames, rig.proxy.stats().raw_fallbacks), (2, 0));
}

#[tokio::test]
async fn requests_on_one_connection_pass_one_after_the_other_and_pipelined() {
    let rig = Rig::new(at_op_2(cut(Cut::Drop, When::Before))).await;
    let (mut client, mut lane) = rig.connect().await;
    let head = b"HEAD /health HTTP/1.1\r\nHost: lane\r\n\r\n";
    let head_answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let requests = [PUBLISH, head, PUBLISH].concat();
    let answers = [OK, head_answer, interim, CHUNKED].concat();
    client.send(&requests).await;
    lane.expect(&requests).await;
    lane.send(&answers).await;
    client.expect(&answers).await;
    let stats = rig.proxy.stats();
    assert_eq!((stats.to_lane.frames, stats.to_client.frames, stats.raw_fallbacks), (3, 3, 0));
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: ";

/// What a lane sends in pieces, each of which has to arrive before the next one is sent.
async fn streams(rig: &Rig, of: &[u8]) {
    let (mut client, mut lane) = rig.connect().await;
    client.send(b"GET /logs HTTP/1.1\r\nHost: lane\r\n\r\n").await;
    lane.expect(b"GET /logs HTTP/1.1\r\nHost: lane\r\n\r\n").await;
    let head = [HEAD, of, b"\r\n\r\n"].concat();
    for piece in [&head[..], b"8\r\n{\"n\":1}\n\r\n", b"8\r\n{\"n\":2}\n\r\n"] {
        lane.send(piece).await;
        client.expect(piece).await;
    }
}

#[tokio::test]
async fn http_that_no_fault_is_about_passes_as_it_comes() {
    let of_delivery = || vec![fault("f", delivery(1), cut(Cut::Drop, When::Before))];
    let rig = Rig::new(of_delivery()).await;
    for of in [&b"application/json"[..], b"application/x-ndjson", b"text/event-stream; charset=utf-8"] {
        streams(&rig, of).await;
    }
    // A head in pieces is not kept back either.
    let (mut client, mut lane) = rig.connect().await;
    client.send(PUBLISH).await;
    lane.expect(PUBLISH).await;
    for piece in [&OK[..20], &OK[20..]] {
        lane.send(piece).await;
        client.expect(piece).await;
    }
    assert!(rig.ledger.hits().is_empty() && rig.ledger.blind.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_stream_passes_as_it_comes_also_where_a_fault_is_about_every_message() {
    let every = Position::Message(MessageFilter {
        nth: Some(9),
        ..MessageFilter::any(cutover_core::plan::Direction::Downstream)
    });
    let rig = Rig::new(vec![fault("f", every, FaultKind::Drop)]).await;
    for of in [&b"application/x-ndjson"[..], b"text/event-stream"] {
        streams(&rig, of).await;
    }
}

#[tokio::test]
async fn head_and_body_leave_in_one_write() {
    let rig = Rig::new(vec![]).await;
    for (direction, bytes) in
        [(Direction::Upstream, PUBLISH), (Direction::Downstream, OK), (Direction::Downstream, CHUNKED)]
    {
        let exchange = Arc::new(Exchange::new());
        exchange.asked(Request { method: "POST".to_owned(), target: "/publish".to_owned(), upgrade: false });
        let shared = Arc::clone(&rig.proxy.shared);
        let mut decoder = Decoder::new(
            Conn { number: 1, shared, exchange, stop: CancellationToken::new(), ended_by_client: Arc::default() },
            direction,
        );
        let mut buf = BytesMut::from(bytes);
        let step = decoder.next(&mut buf, Interest::default());
        let Decoded::Skim(skimmed) = step else { panic!() };
        assert_eq!((skimmed.bytes, skimmed.messages), (bytes.len(), 1));
    }
}

#[tokio::test]
async fn interim_answers_come_before_an_upgrade_and_its_messages_are_read() {
    let rig = Rig::new(vec![fault("f", delivery(1), FaultKind::Drop)]).await;
    let (mut client, mut lane) = rig.connect().await;
    client.send(ASK).await;
    lane.expect(ASK).await;
    for answer in [
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        GRANT,
    ] {
        lane.send(answer).await;
        client.expect(answer).await;
    }
    lane.say("ev s:1").await;
    lane.says_to(&mut client, "ev s:2").await;
    assert_eq!(rig.ledger.hits(), ["delivery s 1"]);
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_waited_for() {
    let rig = Rig::new(at_op_2(cut(Cut::Drop, When::Before))).await;
    let (mut client, mut lane) = rig.connect().await;
    let head = b"POST /publish HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    client.send(head).await;
    lane.expect(head).await;
    lane.send(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(b"hi").await;
    lane.expect(b"hi").await;
}

#[tokio::test]
async fn a_refused_upgrade_leaves_the_connection_speaking_http() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.connect().await;
    let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    client.send(super::rig::ASK).await;
    lane.expect(super::rig::ASK).await;
    lane.send(refusal).await;
    client.expect(refusal).await;
    exchange(&mut client, &mut lane, OK).await;
    client.expect(OK).await;
    assert_eq!(rig.proxy.stats().raw_fallbacks, 0);
}

#[tokio::test]
async fn extensions_are_not_offered_while_messages_are_to_be_read() {
    let offer = |extension: &str| {
        let ask = String::from_utf8(ASK.to_vec()).unwrap();
        ask.replace("Upgrade: websocket\r\n", &format!("Upgrade: websocket\r\n{extension}"))
    };
    let with = offer("SEC-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    let transparent = Rig::new(vec![]).await;
    let (mut client, mut lane) = transparent.connect().await;
    client.send(with.as_bytes()).await;
    lane.expect(with.as_bytes()).await;
    let armed = Rig::new(at_op_2(FaultKind::Drop)).await;
    let (mut client, mut lane) = armed.connect().await;
    client.send(with.as_bytes()).await;
    lane.expect(offer("").as_bytes()).await;
}

#[tokio::test]
async fn a_connection_that_is_unread_when_something_is_armed_is_told_of() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.connect().await;
    client.send(b"no http").await;
    lane.expect(b"no http").await;
    assert!(rig.ledger.blind.lock().unwrap().is_empty());
    rig.proxy.set_faults(&[at_op_2(FaultKind::Drop).remove(0).into()]);
    for _ in 0..2 {
        lane.send(b"answer").await;
        client.expect(b"answer").await;
    }
    assert_eq!(rig.ledger.blind.lock().unwrap().len(), 1);
}
