//! Any faults on any talk: the proxy neither crashes nor hangs, and what the client reads stays readable.

use bytes::BytesMut;
use cutover_core::ids::{Cursor, OpId, Seq};
use cutover_core::plan::{Cut, FaultKind, Mutation, PlannedFault, Position, Release, Times, When};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::rig::{Rig, fault, soon};
use crate::frame::Body;
use crate::proxy::ws::{self, Parser};

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        (1_u64..6).prop_map(|seq| Position::Delivery { stream: "s".into(), seq: Seq(seq) }),
        (1_u32..4).prop_map(|nth| Position::Resume { nth }),
        (1_u32..4).prop_map(|nth| Position::ResumeReply { nth }),
        (1_u32..4).prop_map(|nth| Position::HeartbeatReply { nth }),
    ]
}

fn kind() -> impl Strategy<Value = FaultKind> {
    let when = prop_oneof![Just(When::Before), Just(When::After)];
    let how = prop_oneof![Just(Cut::Close { code: 1012 }), Just(Cut::Drop), Just(Cut::Reset), Just(Cut::Silence)];
    prop_oneof![
        (how, when).prop_map(|(how, when)| FaultKind::Cut { how, when }),
        (0_u8..4).prop_map(|more| FaultKind::Repeat { more }),
        (0_u64..3).prop_map(|ms| FaultKind::Delay { ms }),
        Just(FaultKind::Hold { until: Release::Heal }),
        Just(FaultKind::Hold { until: Release::Acked { op: OpId(1) } }),
        Just(FaultKind::RewriteCursor { stream: "s".into(), to: Cursor(1) }),
        Just(FaultKind::Mutate { mutation: Mutation::SwapWithNext }),
        Just(FaultKind::Mutate { mutation: Mutation::DropEvent }),
        Just(FaultKind::Mutate { mutation: Mutation::Misdeliver { stream: "t".into(), seq: Seq(1) } }),
    ]
}

fn faults() -> impl Strategy<Value = Vec<PlannedFault>> {
    let one = (position(), kind(), any::<bool>()).prop_map(|(at, kind, always)| PlannedFault {
        times: if always { Times::Always } else { Times::Once },
        ..fault("f", at, kind)
    });
    proptest::collection::vec(one, 0..4)
}

fn to_client() -> impl Strategy<Value = Vec<String>> {
    let event = (prop_oneof!["ev", "copy"], prop_oneof!["s", "t"], 1_u64..6);
    let text = prop_oneof![
        4 => event.prop_map(|(kind, stream, seq)| format!("{kind} {stream}:{seq} x")),
        1 => Just("reply".to_owned()),
        1 => Just("hb-reply".to_owned()),
    ];
    proptest::collection::vec(text, 0..20)
}

fn to_lane() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![Just("resume s=3 t=-"), Just("more s=3"), Just("hb")];
    proptest::collection::vec(text.prop_map(str::to_owned), 0..10)
}

fn bytes(texts: &[String], mask: Option<[u8; 4]>) -> Vec<u8> {
    let frames = texts.iter().map(|text| ws::encode(&Body::Text(text.clone().into()), mask).to_vec());
    frames.collect::<Vec<_>>().concat()
}

/// Whether these bytes are whole frames and nothing else.
fn readable(got: &[u8]) -> bool {
    let (mut parser, mut buf) = (Parser::new(1 << 20), BytesMut::from(got));
    while let Ok(Some(_)) = parser.next(&mut buf) {}
    buf.is_empty()
}

async fn survives(faults: Vec<PlannedFault>, up: &[u8], down: &[u8], piece: usize) -> Result<(), TestCaseError> {
    let rig = Rig::new(faults).await;
    let (mut client, mut lane) = rig.open().await;
    let (mut client_read, mut client_write) = client.stream.split();
    let (mut lane_read, mut lane_write) = lane.stream.split();
    let (mut at_client, mut at_lane) = (vec![], vec![]);
    let send_up = async {
        for part in up.chunks(piece) {
            let _ = client_write.write_all(part).await;
        }
        let _ = client_write.shutdown().await;
    };
    let send_down = async {
        for part in down.chunks(piece) {
            let _ = lane_write.write_all(part).await;
        }
        let _ = lane_write.shutdown().await;
        // Everything was sent: what is still held or silent is let go.
        rig.proxy.heal();
    };
    let hear = async { client_read.read_to_end(&mut at_client).await.is_ok() };
    let hear_lane = async { lane_read.read_to_end(&mut at_lane).await.is_ok() };
    let ((), (), ended, _) = soon(async { tokio::join!(send_up, send_down, hear, hear_lane) }).await;
    prop_assert!(readable(&at_client) || !ended, "{:?}", at_client);
    if rig.ledger.hits().is_empty() {
        prop_assert_eq!(at_client, down);
        prop_assert_eq!(at_lane, up);
    }
    soon(rig.proxy.shutdown()).await;
    prop_assert_eq!(rig.proxy.stats().crashed, 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_faults_on_any_talk_neither_crash_nor_hang(
        faults in faults(), up in to_lane(), down in to_client(), piece in 1_usize..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (up, down) = (bytes(&up, Some([7, 1, 9, 3])), bytes(&down, None));
        runtime.block_on(survives(faults, &up, &down, piece))?;
    }
}
