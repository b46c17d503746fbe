//! Byte toxics on sockets: live changes lose nothing, ends are the ends that were asked for, chance is seeded.

use std::time::Duration;

use cutover_core::plan::{ByteToxic, Direction, FaultKind, Position};
use proptest::prelude::*;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::parser::{controls_first, frames};
use super::rig::{End, Ended, Rig, fault, limits, soon};
use crate::proxy::{Limits, MessageToxic};
use crate::toxic::Toxic;

fn toxic(name: &str, direction: Direction, toxic: ByteToxic) -> Toxic {
    Toxic { name: name.into(), direction, toxicity: 1.0, toxic }
}

fn down(kind: ByteToxic) -> Toxic {
    toxic("t", Direction::Downstream, kind)
}

async fn open(toxics: Vec<Toxic>) -> (Rig, End, End) {
    let rig = Rig::new(vec![]).await;
    rig.proxy.set_toxics(toxics);
    let (client, lane) = rig.connect().await;
    (rig, client, lane)
}

#[tokio::test]
async fn a_toxic_that_is_added_strikes_what_is_sent_after_it() {
    let (rig, mut client, mut lane) = open(vec![]).await;
    lane.send(b"before").await;
    client.expect(b"before").await;
    rig.proxy.set_toxics(vec![down(ByteToxic::Latency { latency: 60, jitter: 0 })]);
    let sent = Instant::now();
    lane.send(b"after").await;
    client.expect(b"after").await;
    assert!(sent.elapsed() >= Duration::from_millis(60));
    soon(rig.proxy.wait_fired(&"t".into())).await;
    assert_eq!(rig.ledger.hits(), ["latency downstream"]);
}

#[tokio::test]
async fn a_toxic_that_is_removed_lets_go_what_it_holds_at_once() {
    let (rig, mut client, mut lane) = open(vec![down(ByteToxic::Latency { latency: 3_600_000, jitter: 0 })]).await;
    lane.send(b"held").await;
    soon(rig.proxy.wait_fired(&"t".into())).await;
    rig.proxy.set_toxics(vec![]);
    lane.send(b" and followed").await;
    client.expect(b"held and followed").await;
}

#[tokio::test]
async fn one_direction_knows_nothing_of_the_toxics_of_the_other() {
    let (_rig, mut client, mut lane) = open(vec![down(ByteToxic::Timeout { timeout: 0 })]).await;
    client.send(b"up").await;
    lane.expect(b"up").await;
}

#[tokio::test]
async fn a_peer_that_is_reset_sees_rst_on_either_side() {
    let (_rig, mut client, mut lane) = open(vec![down(ByteToxic::ResetPeer { timeout: 0 })]).await;
    lane.send(b"anything").await;
    assert_eq!(client.hear().await, Err(Ended::Reset));
    assert_eq!(lane.hear().await, Err(Ended::Reset));
}

#[tokio::test]
async fn a_limit_lets_so_many_bytes_through_and_ends_both_sides() {
    let (_rig, mut client, mut lane) = open(vec![down(ByteToxic::LimitData { bytes: 7 })]).await;
    lane.send(b"0123456789").await;
    assert_eq!(client.rest_of_it().await, b"0123456");
    assert_eq!(lane.rest_of_it().await, b"");
}

#[tokio::test]
async fn a_timeout_swallows_everything_and_ends_both_sides() {
    let (_rig, mut client, mut lane) = open(vec![down(ByteToxic::Timeout { timeout: 30 })]).await;
    lane.send(b"never seen").await;
    assert_eq!(client.rest_of_it().await, b"");
    assert_eq!(lane.rest_of_it().await, b"");
}

#[tokio::test]
async fn a_timeout_without_end_is_ended_by_its_removal() {
    let (rig, mut client, mut lane) = open(vec![down(ByteToxic::Timeout { timeout: 0 })]).await;
    lane.send(b"never seen").await;
    soon(rig.proxy.wait_fired(&"t".into())).await;
    rig.proxy.set_toxics(vec![]);
    assert_eq!(client.rest_of_it().await, b"");
}

#[tokio::test]
async fn a_timeout_that_a_connection_was_spared_leaves_it_open_when_it_goes() {
    let spared = Toxic { toxicity: 0.0, ..down(ByteToxic::Timeout { timeout: 0 }) };
    let (rig, mut client, mut lane) = open(vec![spared]).await;
    lane.send(b"before").await;
    client.expect(b"before").await;
    rig.proxy.set_toxics(vec![]);
    lane.send(b"after").await;
    client.expect(b"after").await;
}

#[tokio::test]
async fn a_half_close_comes_behind_what_is_late_and_leaves_the_other_direction_open() {
    let (_rig, mut client, mut lane) = open(vec![
        toxic("late", Direction::Upstream, ByteToxic::Latency { latency: 40, jitter: 0 }),
        toxic("slow", Direction::Upstream, ByteToxic::SlowClose { delay: 40 }),
    ])
    .await;
    let began = Instant::now();
    client.send(b"last words").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(lane.rest_of_it().await, b"last words");
    assert!(began.elapsed() >= Duration::from_millis(80));
    lane.send(b"still here").await;
    client.expect(b"still here").await;
}

#[tokio::test]
async fn a_sender_feels_a_thin_line() {
    let (_rig, _client, lane) = open(vec![down(ByteToxic::Bandwidth { rate: 1 })]).await;
    let room = async {
        let mut lane = lane;
        for _ in 0..64 * 1024 {
            lane.stream.write_all(&[0; 16 * 1024]).await.unwrap();
        }
    };
    // A gibibyte does not fit between here and there, so it can't be taken.
    assert!(tokio::time::timeout(Duration::from_millis(300), room).await.is_err());
}

#[tokio::test]
async fn the_seed_decides_which_connections_a_toxic_gets() {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let rig = Rig::new(vec![]).await;
        rig.proxy.set_toxics(vec![Toxic { toxicity: 0.5, ..down(ByteToxic::LimitData { bytes: 0 }) }]);
        let mut ended = Vec::new();
        for _ in 0..24 {
            let (mut client, mut lane) = rig.connect().await;
            lane.send(b"x").await;
            lane.stream.shutdown().await.unwrap();
            ended.push(client.rest_of_it().await.is_empty());
        }
        drawn.push(ended);
    }
    assert_eq!(drawn[0], drawn[1]);
    assert!(drawn[0].contains(&true) && drawn[0].contains(&false), "{drawn:?}");
}

#[tokio::test]
async fn a_cut_after_a_message_waits_for_the_toxics_before_it() {
    let at = Position::ResumeReply { nth: 1 };
    let how =
        FaultKind::Cut { how: cutover_core::plan::Cut::Close { code: 1012 }, when: cutover_core::plan::When::After };
    let rig = Rig::new(vec![fault("cut", at, how)]).await;
    rig.proxy.set_toxics(vec![down(ByteToxic::Latency { latency: 50, jitter: 0 })]);
    let (mut client, mut lane) = rig.open().await;
    client.says_to(&mut lane, "resume s=1").await;
    lane.say("reply").await;
    client.hears(&["reply"]).await;
    assert_eq!(client.hear().await, Ok(super::rig::close_body(1012)));
}

#[tokio::test]
async fn what_speaks_no_http_is_never_kept_waiting() {
    let (_rig, mut client, mut lane) = open(vec![]).await;
    for word in [&b"GE"[..], b"T", b" no http at all"] {
        client.send(word).await;
        lane.expect(word).await;
    }
    lane.send(b"HTTP/1.").await;
    client.expect(b"HTTP/1.").await;
}

#[tokio::test]
async fn thousands_of_connections_pass_through_one_proxy() {
    const MANY: usize = 2000;
    let limits = crate::proxy::Limits { connections_max: MANY, ..super::rig::limits() };
    let rig = Rig::with(vec![], limits).await;
    let mut open: Vec<(End, End)> = Vec::new();
    // Two descriptors here and two in the proxy for each.
    let many = many_files(MANY * 4 + 256).map_or(200, |_| MANY);
    for _ in 0..many {
        open.push(rig.connect().await);
    }
    for (nth, (client, lane)) in open.iter_mut().enumerate() {
        let word = nth.to_be_bytes();
        client.send(&word).await;
        lane.expect(&word).await;
    }
    assert_eq!(rig.proxy.stats().connections, many as u64);
}

/// Asks for so many descriptors.
fn many_files(files: usize) -> Option<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let wanted = (files as u64).max(soft);
    (wanted <= hard).then(|| setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).ok())?
}

fn any_toxic() -> impl Strategy<Value = ByteToxic> {
    prop_oneof![
        (0_i64..4, 0_i64..3).prop_map(|(latency, jitter)| ByteToxic::Latency { latency, jitter }),
        (20_000_i64..90_000).prop_map(|rate| ByteToxic::Bandwidth { rate }),
        (0_i64..3).prop_map(|delay| ByteToxic::SlowClose { delay }),
        (500_i64..5000, 0_i64..400).prop_map(|(average_size, size_variation)| ByteToxic::Slicer {
            average_size,
            size_variation,
            delay: 0
        }),
        Just(ByteToxic::LimitData { bytes: i64::MAX }),
    ]
}

fn any_toxics() -> impl Strategy<Value = Vec<Toxic>> {
    let one = (0_usize..4, any::<bool>(), any_toxic(), prop_oneof![Just(1.0), Just(0.5)]);
    proptest::collection::vec(one, 0..4).prop_map(|drawn| {
        let mut toxics: Vec<Toxic> = Vec::new();
        for (name, upstream, kind, toxicity) in drawn {
            let direction = if upstream { Direction::Upstream } else { Direction::Downstream };
            let name = format!("{name}{}", kind.type_name());
            if !toxics.iter().any(|toxic| toxic.name.as_str() == name) {
                toxics.push(Toxic { toxicity, ..toxic(&name, direction, kind) });
            }
        }
        toxics
    })
}

/// What goes either way: a WebSocket's messages, or bytes that nobody can read.
fn talk() -> impl Strategy<Value = (bool, Vec<u8>, Vec<u8>)> {
    let long = |masked| proptest::collection::vec(frames(masked), 1..4).prop_map(|parts| parts.concat());
    let raw = || proptest::collection::vec(any::<u8>(), 0..60_000);
    prop_oneof![
        (long(true), long(false)).prop_map(|(up, down)| (true, up, down)),
        (raw(), raw()).prop_map(|(up, down)| (false, up, down)),
    ]
}

/// Sends in pieces, changes the toxics between pieces, and gives what arrived at either end.
async fn passes(
    ws: bool,
    up: &[u8],
    down: &[u8],
    changes: Vec<Vec<Toxic>>,
    piece: usize,
    armed: bool,
) -> (Vec<u8>, Vec<u8>) {
    let never = MessageToxic::from(fault("never", Position::HeartbeatReply { nth: 9999 }, FaultKind::Drop));
    let rig = Rig::new(vec![]).await;
    let (client, lane) = if ws { rig.open().await } else { rig.connect().await };
    let mut changes = changes.into_iter().cycle();
    let mut arms = armed;
    let mut change = || {
        rig.proxy.set_toxics(changes.next().unwrap_or_default());
        arms = armed && !arms;
        rig.proxy.set_faults(if arms { std::slice::from_ref(&never) } else { &[] });
    };
    let (mut client_read, mut client_write) = client.stream.into_split();
    let (mut lane_read, mut lane_write) = lane.stream.into_split();
    let send = async {
        let mut up = up.chunks(piece);
        let mut down = down.chunks(piece);
        loop {
            let (a, b) = (up.next(), down.next());
            if a.is_none() && b.is_none() {
                break;
            }
            client_write.write_all(a.unwrap_or_default()).await.unwrap();
            lane_write.write_all(b.unwrap_or_default()).await.unwrap();
            change();
        }
        client_write.shutdown().await.unwrap();
        change();
        lane_write.shutdown().await.unwrap();
    };
    let (mut at_lane, mut at_client) = (Vec::new(), Vec::new());
    let hear_lane = async { lane_read.read_to_end(&mut at_lane).await.unwrap() };
    let hear_client = async { client_read.read_to_end(&mut at_client).await.unwrap() };
    soon(async { tokio::join!(send, hear_lane, hear_client) }).await;
    (at_lane, at_client)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn toxics_that_come_and_go_lose_no_byte_and_keep_the_order(
        (ws, up, down) in talk(), changes in proptest::collection::vec(any_toxics(), 1..6), piece in 200_usize..20_000,
        armed in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (at_lane, at_client) = runtime.block_on(passes(ws, &up, &down, changes, piece, armed));
        // Where messages are read, a control frame overtakes the message that it stands in. When that is, time decides.
        let ordered = |bytes: Vec<u8>| if ws && armed { controls_first(&bytes) } else { bytes };
        let [at_lane, up, at_client, down] = [at_lane, up, at_client, down].map(ordered);
        prop_assert!(at_lane == up, "{} of {} bytes to the lane", at_lane.len(), up.len());
        prop_assert!(at_client == down, "{} of {} bytes to the client", at_client.len(), down.len());
    }
}

#[tokio::test]
async fn a_rate_of_nothing_stops_the_lane_and_loses_nothing() {
    const BLOCK: usize = 64 * 1024;
    let limits = Limits { lane_buffer_bytes: Some(BLOCK), ..limits() };
    let rig = Rig::with(vec![], limits).await;
    rig.proxy.set_toxics(vec![down(ByteToxic::Bandwidth { rate: 0 })]);
    let (mut client, mut lane) = rig.connect().await;
    SockRef::from(&lane.stream).set_send_buffer_size(BLOCK).unwrap();
    let (block, mut sent) = (vec![7; BLOCK], 0);
    while let Ok(wrote) = timeout(Duration::from_millis(300), lane.stream.write(&block)).await {
        sent += wrote.unwrap();
        assert!(sent < 64 * BLOCK, "the proxy takes everything");
    }
    rig.proxy.set_toxics(vec![]);
    let mut came = vec![0; sent];
    soon(client.stream.read_exact(&mut came)).await.unwrap();
    assert!(came.iter().all(|byte| *byte == 7));
}
