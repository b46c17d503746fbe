//! Cuts: what each does on the wire, and that the ledger has it before.

use bytes::Bytes;
use cutover_core::ids::{FaultId, OpId};
use cutover_core::plan::{Cut, FaultKind, Position, Release, Times, When};
use tokio::io::AsyncReadExt;

use super::rig::{Ended, PATIENCE, Rig, close_body, cut, delivery, fault, soon};
use crate::frame::Body;
use crate::proxy::Limits;

fn at_second_event(how: Cut, when: When) -> Vec<cutover_core::plan::PlannedFault> {
    vec![fault("f", delivery(2), cut(how, when))]
}

#[tokio::test]
async fn a_close_before_a_frame_loses_it_and_tells_both_sides() {
    let rig = Rig::new(at_second_event(Cut::Close { code: 1012 }, When::Before)).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("ev s:1 a").await;
    lane.say("ev s:2 b").await;
    client.hears(&["ev s:1 a"]).await;
    assert_eq!(client.hear().await, Ok(close_body(1012)));
    assert_eq!(client.hear().await, Err(Ended::Eof));
    assert_eq!(lane.hear().await, Ok(close_body(1001)));
    assert_eq!(lane.hear().await, Err(Ended::Eof));
    let fires = rig.ledger.fires.lock().unwrap().clone();
    assert_eq!(fires.len(), 1);
    assert_eq!((fires[0].1.conn, fires[0].1.frame, fires[0].1.hit.as_str()), (1, 2, "delivery s 2"));
}

#[tokio::test]
async fn a_close_after_a_frame_lets_it_through() {
    let rig = Rig::new(at_second_event(Cut::Close { code: 4000 }, When::After)).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("ev s:2 b").await;
    client.hears(&["ev s:2 b"]).await;
    assert_eq!(client.hear().await, Ok(close_body(4000)));
    client.send_body(&close_body(4000)).await;
    assert_eq!(client.hear().await, Err(Ended::Eof));
}

#[tokio::test]
async fn a_close_asked_for_by_a_resume_never_falls_into_a_message_to_the_client() {
    let planned = fault("f", Position::Resume { nth: 1 }, cut(Cut::Close { code: 1011 }, When::Before));
    let limits = Limits { linger: PATIENCE, ..Limits::default() };
    let rig = Rig::with(vec![planned], limits).await;
    let (mut client, mut lane) = rig.open().await;
    // More than all sockets on the way hold: while the client has read one byte, the proxy is in the middle of it.
    let big = Body::Binary(Bytes::from(vec![b'x'; 40_000_000]));
    let bytes = crate::proxy::ws::encode(&big, None);
    let receive = async {
        client.expect(&bytes[..1]).await;
        client.say("resume s=0").await;
        rig.proxy.wait_fired(&FaultId::new("f")).await;
        client.expect(&bytes[1..]).await;
        assert_eq!(client.hear().await, Ok(close_body(1011)));
        assert_eq!(client.hear().await, Err(Ended::Eof));
    };
    soon(async { tokio::join!(lane.send(&bytes), receive) }).await;
}

#[tokio::test]
async fn a_close_comes_through_a_flood_that_no_fault_is_about() {
    let at = Position::Resume { nth: 1 };
    let rig = Rig::new(vec![fault("f", at, cut(Cut::Close { code: 1011 }, When::Before))]).await;
    let (mut client, mut lane) = rig.open().await;
    let flood = async {
        let message = crate::proxy::ws::encode(&Body::Text(Bytes::from(vec![b'x'; 997])), None).repeat(64);
        while tokio::io::AsyncWriteExt::write_all(&mut lane.stream, &message).await.is_ok() {}
    };
    let receive = async {
        client.say("resume s=0").await;
        while client.hear().await.unwrap() != close_body(1011) {}
        assert_eq!(client.hear().await, Err(Ended::Eof));
    };
    let either = async {
        tokio::select! {
            () = flood => panic!("the lane was not read from"),
            () = receive => {}
        }
    };
    soon(either).await;
}

#[tokio::test]
async fn a_drop_ends_without_a_close_frame() {
    for (when, heard) in [(When::Before, &["ev s:1 a"][..]), (When::After, &["ev s:1 a", "ev s:2 b"][..])] {
        let rig = Rig::new(at_second_event(Cut::Drop, when)).await;
        let (mut client, mut lane) = rig.open().await;
        lane.say("ev s:1 a").await;
        lane.say("ev s:2 b").await;
        client.hears(heard).await;
        assert_eq!(client.hear().await, Err(Ended::Eof));
        assert_eq!(lane.hear().await, Err(Ended::Eof));
    }
}

#[tokio::test]
async fn a_reset_is_an_rst_and_what_came_before_it_can_be_read() {
    for (when, heard) in [(When::Before, &["ev s:1 a"][..]), (When::After, &["ev s:1 a", "ev s:2 b"][..])] {
        let rig = Rig::new(at_second_event(Cut::Reset, when)).await;
        let (mut client, mut lane) = rig.open().await;
        lane.say("ev s:1 a").await;
        lane.say("ev s:2 b").await;
        client.hears(heard).await;
        assert_eq!(client.hear().await, Err(Ended::Reset));
        assert!(lane.hear().await.is_err());
    }
}

#[tokio::test]
async fn silence_moves_nothing_until_heal_and_then_resets() {
    for when in [When::Before, When::After] {
        let rig = Rig::new(at_second_event(Cut::Silence, when)).await;
        let (mut client, mut lane) = rig.open().await;
        lane.say("ev s:2 b").await;
        soon(rig.proxy.wait_fired(&FaultId::new("f"))).await;
        if when == When::After {
            client.hears(&["ev s:2 b"]).await;
        }
        lane.say("ev s:3 c").await;
        client.say("hb").await;
        // Another connection shows that time has passed for the proxy.
        let (mut second, mut second_lane) = rig.open().await;
        second.says_to(&mut second_lane, "hb").await;
        let before = rig.proxy.stats();
        let mut byte = [0];
        assert!(client.stream.try_read(&mut byte).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock));
        rig.proxy.heal();
        assert_eq!(client.hear().await, Err(Ended::Reset));
        assert_eq!(lane.hear().await, Err(Ended::Reset));
        assert_eq!(rig.proxy.stats().to_lane, before.to_lane);
        second_lane.says_to(&mut second, "ev s:2 again").await;
        rig.proxy.shutdown().await;
    }
}

#[tokio::test]
async fn the_ledger_has_a_fault_before_its_consequence_can_be_seen() {
    let rig = Rig::new(at_second_event(Cut::Drop, When::Before)).await;
    let (mut client, mut lane) = rig.open().await;
    assert!(rig.ledger.hits().is_empty());
    lane.say("ev s:2 b").await;
    assert_eq!(client.hear().await, Err(Ended::Eof));
    assert_eq!(rig.ledger.hits(), ["delivery s 2"]);
    soon(rig.proxy.wait_fired(&FaultId::new("f"))).await;
}

#[tokio::test]
async fn counts_run_on_through_reconnects() {
    let at = Position::Resume { nth: 2 };
    let reply = Position::ResumeReply { nth: 2 };
    let rig = Rig::new(vec![
        fault("first", at, FaultKind::Delay { ms: 1 }),
        fault("second", reply, cut(Cut::Drop, When::Before)),
    ])
    .await;
    let (mut client, mut lane) = rig.open().await;
    client.says_to(&mut lane, "resume s=-").await;
    drop((client, lane));
    let (mut client, mut lane) = rig.open().await;
    client.says_to(&mut lane, "resume s=3").await;
    lane.say("reply").await;
    assert_eq!(client.hear().await, Err(Ended::Eof));
    assert_eq!(rig.ledger.hits(), ["resume 2", "resume-reply 2"]);
    assert_eq!(rig.ledger.fires.lock().unwrap()[0].1.conn, 2);
}

#[tokio::test]
async fn a_fault_that_strikes_always_cuts_every_connection_at_its_position() {
    let mut planned = fault("f", delivery(2), cut(Cut::Drop, When::Before));
    planned.times = Times::Always;
    let rig = Rig::new(vec![planned]).await;
    for _ in 0..2 {
        let (mut client, mut lane) = rig.open().await;
        lane.say("ev s:2 b").await;
        assert_eq!(client.hear().await, Err(Ended::Eof));
    }
    rig.proxy.heal();
    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:2 b").await;
    assert_eq!(rig.ledger.hits().len(), 2);
}

#[tokio::test]
async fn a_heartbeats_answer_may_be_a_pong() {
    let at = Position::HeartbeatReply { nth: 2 };
    let rig = Rig::new(vec![fault("f", at, cut(Cut::Drop, When::Before))]).await;
    let (mut client, mut lane) = rig.open().await;
    let pong = Body::Pong(Bytes::from_static(b"1"));
    lane.send_body(&pong).await;
    assert_eq!(client.hear().await, Ok(pong.clone()));
    lane.send_body(&pong).await;
    assert_eq!(client.hear().await, Err(Ended::Eof));
}

#[tokio::test]
async fn a_shutdown_ends_connections_in_every_state() {
    let rig = Rig::new(vec![
        fault("silent", delivery(2), cut(Cut::Silence, When::Before)),
        fault("held", delivery(3), FaultKind::Hold { until: Release::Acked { op: OpId(1) } }),
    ])
    .await;
    let mut ends = vec![];
    for text in ["ev s:2 b", "ev s:3 c", "ev s:4 d"] {
        let (client, mut lane) = rig.open().await;
        lane.say(text).await;
        ends.push((client, lane));
    }
    soon(rig.proxy.wait_fired(&FaultId::new("silent"))).await;
    soon(rig.proxy.wait_fired(&FaultId::new("held"))).await;
    soon(rig.proxy.shutdown()).await;
    for (mut client, _) in ends {
        let mut rest = vec![];
        let _ = soon(client.stream.read_to_end(&mut rest)).await;
    }
    assert!(tokio::net::TcpStream::connect(rig.proxy.addr()).await.is_err());
}
