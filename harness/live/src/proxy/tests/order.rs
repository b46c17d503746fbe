//! Faults that move or change frames: repeat, delay, hold, swap, rewrite, mutate.

use cutover_core::ids::{Cursor, FaultId, OpId, Seq};
use cutover_core::plan::{FaultKind, Mutation, Position, Release, Times};
use tokio::io::AsyncReadExt;

use super::parser;
use super::rig::{End, Rig, delivery, fault, soon};

async fn pass(lane: &mut End, texts: &[&str]) {
    for text in texts {
        lane.say(text).await;
    }
}

async fn check(faults: Vec<cutover_core::plan::PlannedFault>, said: &[&str], heard: &[&str]) -> Rig {
    let rig = Rig::new(faults).await;
    let (mut client, mut lane) = rig.open().await;
    pass(&mut lane, said).await;
    pass(&mut lane, &["end"]).await;
    client.hears(heard).await;
    client.hears(&["end"]).await;
    rig
}

fn mutate(mutation: Mutation) -> FaultKind {
    FaultKind::Mutate { mutation }
}

#[tokio::test]
async fn a_repeat_strikes_the_first_of_two_copies() {
    let faults = vec![fault("f", delivery(1), FaultKind::Repeat { more: 2 })];
    let rig = check(
        faults,
        &["ev s:1 a", "copy s:1 a", "ev s:2 b"],
        &["ev s:1 a", "ev s:1 a", "ev s:1 a", "copy s:1 a", "ev s:2 b"],
    )
    .await;
    assert_eq!(rig.ledger.hits().len(), 1);
}

#[tokio::test]
async fn a_repeated_message_keeps_its_very_bytes() {
    let rig = Rig::new(vec![fault("f", delivery(1), FaultKind::Repeat { more: 1 })]).await;
    let (mut client, mut lane) = rig.open().await;
    let odd = [parser::frame(false, 1, None, b"ev s", true), parser::frame(true, 0, None, b":1 a", false)].concat();
    lane.send(&odd).await;
    client.expect(&[&odd[..], &odd[..]].concat()).await;
}

#[tokio::test]
async fn a_delay_keeps_the_order() {
    let faults = vec![fault("f", delivery(1), FaultKind::Delay { ms: 30 })];
    check(faults, &["ev s:1 a", "hb-reply", "ev s:2 b"], &["ev s:1 a", "hb-reply", "ev s:2 b"]).await;
}

async fn held(until: Release) -> (Rig, End, End) {
    let rig = Rig::new(vec![fault("f", delivery(1), FaultKind::Hold { until })]).await;
    let (mut client, mut lane) = rig.open().await;
    pass(&mut lane, &["ev s:1 a", "ev s:2 b"]).await;
    soon(rig.proxy.wait_fired(&FaultId::new("f"))).await;
    // The other direction is not held.
    client.says_to(&mut lane, "hb").await;
    let mut byte = [0];
    assert!(client.stream.try_read(&mut byte).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock));
    (rig, client, lane)
}

#[tokio::test]
async fn a_hold_ends_with_the_ack_that_it_waits_for() {
    let (rig, mut client, _lane) = held(Release::Acked { op: OpId(4) }).await;
    rig.proxy.acked(OpId(3));
    rig.proxy.acked(OpId(4));
    client.hears(&["ev s:1 a", "ev s:2 b"]).await;
}

#[tokio::test]
async fn a_hold_does_not_begin_where_the_ack_is_already_there() {
    let until = Release::Acked { op: OpId(4) };
    let rig = Rig::new(vec![fault("f", delivery(1), FaultKind::Hold { until })]).await;
    rig.proxy.acked(OpId(4));
    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:1 a").await;
}

#[tokio::test]
async fn heal_releases_what_is_held_in_order() {
    for until in [Release::Heal, Release::Acked { op: OpId(9) }] {
        let (rig, mut client, _lane) = held(until).await;
        rig.proxy.heal();
        client.hears(&["ev s:1 a", "ev s:2 b"]).await;
    }
}

#[tokio::test]
async fn a_swap_takes_every_copy_behind_the_next_event_of_the_stream() {
    let swap = || vec![fault("f", delivery(1), mutate(Mutation::SwapWithNext))];
    check(
        swap(),
        &["ev s:1 a", "copy s:1 a", "hb-reply", "ev t:1 x", "ev s:2 b", "copy s:2 b"],
        &["hb-reply", "ev t:1 x", "ev s:2 b", "ev s:1 a", "copy s:1 a", "copy s:2 b"],
    )
    .await;
    check(swap(), &["ev s:1 a", "ev s:2 b"], &["ev s:2 b", "ev s:1 a"]).await;
}

#[tokio::test]
async fn what_no_next_event_releases_goes_with_heal_or_with_the_end() {
    let rig = Rig::new(vec![fault("f", delivery(1), mutate(Mutation::SwapWithNext))]).await;
    let (mut client, mut lane) = rig.open().await;
    pass(&mut lane, &["ev s:1 a", "hb-reply"]).await;
    client.hears(&["hb-reply"]).await;
    rig.proxy.heal();
    client.hears(&["ev s:1 a"]).await;

    let rig = Rig::new(vec![fault("f", delivery(1), mutate(Mutation::SwapWithNext))]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.say("ev s:1 a").await;
    drop(lane);
    client.hears(&["ev s:1 a"]).await;
}

#[tokio::test]
async fn mutations_change_what_the_client_sees() {
    let replace = mutate(Mutation::ReplacePayload { payload: "b".into() });
    check(vec![fault("f", delivery(1), replace)], &["ev s:1 a"], &["ev s:1 b"]).await;
    let misdeliver = mutate(Mutation::Misdeliver { stream: "t".into(), seq: Seq(7) });
    check(vec![fault("f", delivery(1), misdeliver)], &["ev s:1 a"], &["ev s:1 a also t:7"]).await;
    let mut dropping = fault("f", delivery(1), mutate(Mutation::DropEvent));
    dropping.times = Times::Always;
    let rig = check(vec![dropping], &["ev s:1 a", "copy s:1 a"], &["ev", "ev"]).await;
    assert_eq!(rig.ledger.hits().len(), 2);
}

#[tokio::test]
async fn an_edited_message_keeps_its_edit_when_it_changes_places() {
    for kind in [mutate(Mutation::SwapWithNext), FaultKind::Reorder { behind: 1, within_ms: 60_000 }] {
        let replace = fault("edit", delivery(1), mutate(Mutation::ReplacePayload { payload: "changed".into() }));
        let faults = vec![replace, fault("move", delivery(1), kind)];
        check(faults, &["ev s:1 a", "ev s:2 b"], &["ev s:2 b", "ev s:1 changed"]).await;
    }
}

#[tokio::test]
async fn edits_add_up_and_another_fault_may_follow() {
    let rewrite = |stream: &str, to| FaultKind::RewriteCursor { stream: stream.into(), to: Cursor(to) };
    let at = || Position::Resume { nth: 1 };
    let rig = Rig::new(vec![
        fault("one", at(), rewrite("s", 9)),
        fault("two", at(), rewrite("t", 8)),
        fault("three", at(), FaultKind::Repeat { more: 1 }),
    ])
    .await;
    let (mut client, mut lane) = rig.open().await;
    client.say("resume s=1 t=2 u=3").await;
    lane.hears(&["resume s=9 t=8 u=3", "resume s=9 t=8 u=3"]).await;
    assert_eq!(rig.ledger.hits().len(), 3);
}

#[tokio::test]
async fn a_rewritten_cursor_holds_for_both_frames_of_one_resume() {
    let kind = FaultKind::RewriteCursor { stream: "s".into(), to: Cursor(0) };
    let rig = Rig::new(vec![fault("f", Position::Resume { nth: 2 }, kind)]).await;
    let (mut client, mut lane) = rig.open().await;
    for text in ["resume s=5", "more s=5", "resume s=5", "more s=5", "more s=5", "resume s=6", "more s=6"] {
        client.say(text).await;
    }
    lane.hears(&["resume s=5", "more s=5", "resume s=0", "more s=0", "more s=0", "resume s=6", "more s=6"]).await;
    let fires = rig.ledger.fires.lock().unwrap().clone();
    assert_eq!(fires.len(), 1);
    let rewrote = fires[0].1.rewrote.clone().unwrap();
    assert_eq!((rewrote.from, rewrote.to), (Some(Cursor(5)), Cursor(0)));
}

#[tokio::test]
async fn an_edited_frame_is_masked_towards_the_lane_and_not_towards_the_client() {
    let kind = FaultKind::RewriteCursor { stream: "s".into(), to: Cursor(0) };
    let replace = mutate(Mutation::ReplacePayload { payload: "b".into() });
    let rig = Rig::new(vec![fault("f", Position::Resume { nth: 1 }, kind), fault("g", delivery(1), replace)]).await;
    let (mut client, mut lane) = rig.open().await;
    client.say("resume s=5").await;
    lane.say("ev s:1 a").await;
    let (mut to_lane, mut to_client) = ([0; 2], [0; 2]);
    soon(lane.stream.read_exact(&mut to_lane)).await.unwrap();
    soon(client.stream.read_exact(&mut to_client)).await.unwrap();
    assert_eq!((to_lane[1] & 0x80, to_client[1] & 0x80), (0x80, 0));
}

#[tokio::test]
async fn a_message_with_a_ping_in_it_is_repeated_whole_behind_the_ping() {
    let rig = Rig::new(vec![fault("f", delivery(1), FaultKind::Repeat { more: 1 })]).await;
    let (mut client, mut lane) = rig.open().await;
    let pieces = [
        parser::frame(false, 1, None, b"ev s", false),
        parser::frame(true, 9, None, b"?", false),
        parser::frame(true, 0, None, b":1 a", false),
    ];
    // The sender may wait for the pong within its message: the ping goes on.
    lane.send(&pieces[..2].concat()).await;
    client.expect(&pieces[1]).await;
    lane.send(&pieces[2]).await;
    client.hears(&["ev s:1 a", "ev s:1 a"]).await;
}
