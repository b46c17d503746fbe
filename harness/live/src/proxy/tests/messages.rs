//! Message toxics at messages picked by what they are: order, frames, drains, and chance.

use std::time::Duration;

use cutover_core::ids::Seq;
use cutover_core::plan::{
    self, Cut, FaultKind, MessageFilter, MessageKind, PlannedFault, Position, Predicate, Scope, Times, When,
};
use tokio::time::Instant;

use super::parser::frame;
use super::rig::{Rig, close_body, fault, soon};
use crate::frame::Body;
use crate::proxy::MessageToxic;
use crate::proxy::ws;

/// Long enough that nothing is let go by time.
const NEVER_MS: u64 = 60_000;

fn down() -> MessageFilter {
    MessageFilter::any(plan::Direction::Downstream)
}

fn nth(nth: u32) -> MessageFilter {
    MessageFilter { nth: Some(nth), ..down() }
}

fn at(pick: MessageFilter, kind: FaultKind) -> PlannedFault {
    fault("f", Position::Message(pick), kind)
}

#[tokio::test]
async fn the_third_delivery_of_a_stream_is_repeated() {
    let pick = MessageFilter { kind: Some(MessageKind::Delivery), stream: Some("s".into()), ..nth(3) };
    let rig = Rig::new(vec![at(pick, FaultKind::Repeat { more: 1 })]).await;
    let (mut client, mut lane) = rig.open().await;
    for text in ["ev s:1", "ev t:1", "reply", "ev s:2", "ev s:3", "ev s:4"] {
        lane.say(text).await;
    }
    client.hears(&["ev s:1", "ev t:1", "reply", "ev s:2", "ev s:3", "ev s:3", "ev s:4"]).await;
    assert_eq!(rig.ledger.hits(), ["delivery s 3"]);
}

#[tokio::test]
async fn a_count_begins_anew_with_each_connection_or_runs_on() {
    for (per, again) in [(Scope::Connection, true), (Scope::Proxy, false)] {
        let rig = Rig::new(vec![at(MessageFilter { per, ..nth(2) }, FaultKind::Drop)]).await;
        for heard in [&["1", "3"][..], if again { &["1", "3"] } else { &["1", "2", "3"] }] {
            let (mut client, mut lane) = rig.open().await;
            for text in ["1", "2", "3"] {
                lane.say(text).await;
            }
            client.hears(heard).await;
        }
    }
}

#[tokio::test]
async fn a_message_goes_behind_the_next_two() {
    let kind = FaultKind::Reorder { behind: 2, within_ms: NEVER_MS };
    let rig = Rig::new(vec![at(nth(1), kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    for text in ["1", "2", "3", "4"] {
        lane.say(text).await;
    }
    client.hears(&["2", "3", "1", "4"]).await;
}

#[tokio::test]
async fn a_message_that_nothing_passes_goes_on_in_time_or_before_the_close() {
    let kind = FaultKind::Reorder { behind: 2, within_ms: 40 };
    let rig = Rig::new(vec![at(nth(1), kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    let began = Instant::now();
    lane.say("1").await;
    client.hears(&["1"]).await;
    assert!(began.elapsed() >= Duration::from_millis(40));

    let kind = FaultKind::Reorder { behind: 2, within_ms: NEVER_MS };
    let rig = Rig::new(vec![at(nth(1), kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("1").await;
    lane.send_body(&close_body(1000)).await;
    client.hears(&["1"]).await;
    assert_eq!(client.hear().await, Ok(close_body(1000)));
}

#[tokio::test]
async fn toxics_that_are_taken_off_let_go_what_they_kept_back() {
    let kind = FaultKind::Reorder { behind: 9, within_ms: NEVER_MS };
    let rig = Rig::new(vec![at(nth(1), kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("1").await;
    soon(rig.proxy.wait_fired(&"f".into())).await;
    rig.proxy.set_faults(&[]);
    lane.say("2").await;
    client.hears(&["1", "2"]).await;
}

#[tokio::test]
async fn a_split_message_comes_in_fragments_and_means_the_same() {
    let rig = Rig::new(vec![at(nth(1), FaultKind::Split { frames: 3 })]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("abcdefg").await;
    lane.say("whole").await;
    let expected = [
        frame(false, 1, None, b"ab", false),
        frame(false, 0, None, b"cd", false),
        frame(true, 0, None, b"efg", false),
        frame(true, 1, None, b"whole", false),
    ];
    client.expect(&expected.concat()).await;
}

#[tokio::test]
async fn fragments_that_are_merged_come_as_one_frame_with_the_next_message() {
    let kind = FaultKind::Merge { messages: 2, within_ms: NEVER_MS };
    let rig = Rig::new(vec![at(nth(1), kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.send(&[frame(false, 1, None, b"ab", false), frame(true, 0, None, b"cd", false)].concat()).await;
    soon(rig.proxy.wait_fired(&"f".into())).await;
    lane.say("next").await;
    let expected = [frame(true, 1, None, b"abcd", false), frame(true, 1, None, b"next", false)];
    client.expect(&expected.concat()).await;
}

#[tokio::test]
async fn a_drain_lets_what_was_asked_be_answered_and_then_closes() {
    let pick = MessageFilter { kind: Some(MessageKind::Resume), ..MessageFilter::any(plan::Direction::Upstream) };
    let kind = FaultKind::Drain { code: 1012, within_ms: NEVER_MS };
    let rig = Rig::new(vec![at(pick, kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    client.say("resume s=1").await;
    lane.hears(&["resume s=1"]).await;
    lane.say("ev s:2").await;
    lane.say("reply").await;
    lane.say("too late").await;
    client.hears(&["ev s:2", "reply"]).await;
    assert_eq!(client.hear().await, Ok(close_body(1012)));
}

#[tokio::test]
async fn a_drain_closes_in_time_where_the_answer_never_comes() {
    let pick = MessageFilter { kind: Some(MessageKind::Heartbeat), ..MessageFilter::any(plan::Direction::Upstream) };
    let kind = FaultKind::Drain { code: 1001, within_ms: 30 };
    let rig = Rig::new(vec![at(pick, kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    client.says_to(&mut lane, "hb").await;
    assert_eq!(client.hear().await, Ok(close_body(1001)));
}

#[tokio::test]
async fn heartbeats_are_starved_for_as_long_as_the_toxic_is_there() {
    let pick = MessageFilter { kind: Some(MessageKind::HeartbeatReply), ..down() };
    let starve = PlannedFault { times: Times::Always, ..at(pick, FaultKind::Drop) };
    let rig = Rig::new(vec![starve]).await;
    let (mut client, mut lane) = rig.open().await;
    for text in ["hb-reply", "ev s:1", "hb-reply"] {
        lane.say(text).await;
    }
    lane.send_body(&Body::Pong(b"x".to_vec().into())).await;
    lane.say("ev s:2").await;
    client.hears(&["ev s:1", "ev s:2"]).await;
    rig.proxy.set_faults(&[]);
    lane.say("hb-reply").await;
    client.hears(&["hb-reply"]).await;
}

#[tokio::test]
async fn a_cut_strikes_by_seq() {
    let pick = MessageFilter { seq: Some(Seq(2)), ..down() };
    let how = Cut::Close { code: 4001 };
    let rig = Rig::new(vec![at(pick, FaultKind::Cut { how, when: When::Before })]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("ev s:1").await;
    lane.say("ev s:2").await;
    client.hears(&["ev s:1"]).await;
    assert_eq!(client.hear().await, Ok(close_body(4001)));
}

#[tokio::test]
async fn a_predicate_that_holds_for_nothing_never_strikes() {
    let pick = MessageFilter { payload: Some(Predicate { pointer: "/a".into(), equals: Some("1".into()) }), ..down() };
    let rig = Rig::new(vec![at(pick, FaultKind::Drop)]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("ev s:1 {").await;
    client.hears(&["ev s:1 {"]).await;
    assert!(rig.ledger.hits().is_empty());
}

#[tokio::test]
async fn a_message_toxic_strikes_the_connections_that_the_seed_gives_it() {
    let rig = Rig::new(vec![]).await;
    let toxic = MessageToxic { fault: at(nth(1), FaultKind::Drop), toxicity: 0.5 };
    rig.proxy.set_faults(&[toxic]);
    let mut struck = 0;
    for _ in 0..24 {
        let (mut client, mut lane) = rig.open().await;
        lane.say("1").await;
        lane.say("2").await;
        struck += usize::from(client.hear().await == Ok(Body::Text(b"2".to_vec().into())));
    }
    assert!((4..=20).contains(&struck), "{struck}");
    assert_eq!(rig.ledger.hits().len(), struck);
}

#[tokio::test]
async fn a_message_begun_before_a_toxic_was_armed_passes_as_it_is() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.open().await;
    let message = ws::encode(&Body::Binary(vec![7; 5000].into()), None);
    lane.send(&message[..3000]).await;
    client.expect(&message[..3000]).await;
    let drop_all = PlannedFault { times: Times::Always, ..at(down(), FaultKind::Drop) };
    rig.proxy.set_faults(&[MessageToxic::from(drop_all)]);
    lane.send(&message[3000..]).await;
    client.expect(&message[3000..]).await;
    lane.say("dropped").await;
    soon(rig.proxy.wait_fired(&"f".into())).await;
}

#[tokio::test]
async fn a_message_with_a_ping_between_its_fragments_is_seen_and_the_ping_goes_on_at_once() {
    let pick = MessageFilter { kind: Some(MessageKind::Delivery), ..nth(1) };
    let rig = Rig::new(vec![at(pick, FaultKind::Drop)]).await;
    let (mut client, mut lane) = rig.open().await;
    let ping = ws::encode(&Body::Ping(b"p".to_vec().into()), None);
    lane.send(&frame(false, 1, None, b"ev ", false)).await;
    lane.send(&ping).await;
    // The message is not complete yet: a sender may wait for the pong.
    client.expect(&ping).await;
    lane.send(&frame(true, 0, None, b"s:1", false)).await;
    lane.say("ev s:2").await;
    client.hears(&["ev s:2"]).await;
    assert_eq!(rig.ledger.hits(), ["delivery s 1"]);
}
