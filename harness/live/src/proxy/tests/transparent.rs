//! With nothing armed, bytes in are bytes out.

use cutover_core::plan::{Cut, Direction, MessageFilter, PlannedFault, Position, When};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::parser::{controls_first, frames};
use super::rig::{ASK, End, GRANT, Rig, cut, fault, soon};

/// What both sides send, in turns: before an upgrade, the upgrade, and after it.
#[derive(Debug)]
struct Talk {
    requests: Vec<u8>,
    responses: Vec<u8>,
    upgrade: bool,
    to_lane: Vec<u8>,
    to_client: Vec<u8>,
}

fn body() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..6000);
    prop_oneof![
        Just((b"\r\n".to_vec(), vec![])),
        bytes().prop_map(|body| (format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes(), body)),
        proptest::collection::vec(bytes(), 0..3).prop_map(|chunks| {
            let mut body = vec![];
            for chunk in chunks {
                body.extend(format!("{:X};x=y\r\n", chunk.len()).into_bytes());
                body.extend(chunk);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\nTrailer: t\r\n\r\n");
            (b"Transfer-Encoding: chunked\r\n\r\n".to_vec(), body)
        }),
    ]
}

fn talk() -> impl Strategy<Value = Talk> {
    let exchange = (body(), body());
    // No byte that reads as a 64-bit length: what then seems to be a message over the limit is closed, not passed.
    let byte = || any::<u8>().prop_map(|byte| if byte & 0x7f == 0x7f { 0 } else { byte });
    let garbage = move || proptest::collection::vec(byte(), 0..500);
    let exchanges = proptest::collection::vec(exchange, 0..4);
    let after = (frames(true), frames(false), garbage(), garbage(), any::<bool>());
    (exchanges, any::<bool>(), after).prop_map(|(exchanges, upgrade, (up, down, up_tail, down_tail, tails))| {
        let (mut requests, mut responses) = (vec![], vec![]);
        for ((head, body), (answer_head, answer)) in exchanges {
            requests.extend([b"POST /publish HTTP/1.1\r\nHost: lane\r\n", &head[..], &body[..]].concat());
            let status = if answer_head == b"\r\n" { "204 No Content" } else { "200 OK" };
            responses.extend([format!("HTTP/1.1 {status}\r\n").as_bytes(), &answer_head[..], &answer[..]].concat());
        }
        let tail = |mut frames: Vec<u8>, tail: Vec<u8>| {
            frames.extend(if tails { tail } else { vec![] });
            frames
        };
        Talk { requests, responses, upgrade, to_lane: tail(up, up_tail), to_client: tail(down, down_tail) }
    })
}

/// Sends `bytes` from one end, in pieces, while the other end reads as many.
async fn carry(from: &mut End, to: &mut End, bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut got = vec![0; bytes.len()];
    let send = async {
        for part in bytes.chunks(piece) {
            from.stream.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    soon(async { tokio::join!(send, async { to.stream.read_exact(&mut got).await.unwrap() }) }).await;
    got
}

/// A proxy that reads messages lets a control frame overtake the message that it stands in.
async fn passes_unchanged(talk: &Talk, piece: usize, faults: Vec<PlannedFault>) -> Result<(), TestCaseError> {
    let reads = !faults.is_empty();
    let rig = Rig::new(faults).await;
    let (mut client, mut lane) = rig.connect().await;
    prop_assert_eq!(&carry(&mut client, &mut lane, &talk.requests, piece).await, &talk.requests);
    prop_assert_eq!(&carry(&mut lane, &mut client, &talk.responses, piece).await, &talk.responses);
    if talk.upgrade {
        prop_assert_eq!(carry(&mut client, &mut lane, ASK, piece).await, ASK);
        prop_assert_eq!(carry(&mut lane, &mut client, GRANT, piece).await, GRANT);
    }
    // After the upgrade, anything may come, garbage too, up to the end: what is never completed still arrives.
    let (to_lane, to_client) = (&talk.to_lane, &talk.to_client);
    let (mut client_read, mut client_write) = client.stream.split();
    let (mut lane_read, mut lane_write) = lane.stream.split();
    let (mut at_lane, mut at_client) = (vec![], vec![]);
    soon(async {
        tokio::join!(
            async {
                for part in to_lane.chunks(piece) {
                    client_write.write_all(part).await.unwrap();
                }
                client_write.shutdown().await.unwrap();
            },
            async {
                for part in to_client.chunks(piece) {
                    lane_write.write_all(part).await.unwrap();
                }
                lane_write.shutdown().await.unwrap();
            },
            async { lane_read.read_to_end(&mut at_lane).await.unwrap() },
            async { client_read.read_to_end(&mut at_client).await.unwrap() },
        )
    })
    .await;
    let expected = |bytes: &[u8]| {
        if reads && talk.upgrade { controls_first(bytes) } else { bytes.to_vec() }
    };
    prop_assert_eq!(at_lane, expected(to_lane));
    prop_assert_eq!(at_client, expected(to_client));
    rig.proxy.shutdown().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn with_nothing_armed_bytes_in_are_bytes_out(talk in talk(), piece in 1_usize..3000) {
        run(passes_unchanged(&talk, piece, vec![]))?;
    }

    #[test]
    fn with_a_fault_armed_that_does_not_strike_every_frame_comes_as_it_was(talk in talk(), piece in 1_usize..3000) {
        let never = |direction| MessageFilter { nth: Some(u32::MAX), ..MessageFilter::any(direction) };
        let fault = |direction| fault("f", Position::Message(never(direction)), cut(Cut::Drop, When::Before));
        let faults = vec![fault(Direction::Upstream), fault(Direction::Downstream)];
        run(passes_unchanged(&talk, piece, faults))?;
    }
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}
