//! The WebSocket parser on any split of any bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::frame::Body;
use crate::proxy::ws::{self, Parser, Read, Unreadable};

/// A frame by its parts, fin bit and length written as told.
pub(super) fn frame(fin: bool, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8], wide: bool) -> Vec<u8> {
    let mut out = vec![if fin { 0x80 } else { 0 } | opcode];
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len if wide => {
            out.push(bit | 127);
            out.extend((len as u64).to_be_bytes());
        }
        len @ 0..=125 => out.push(bit | len as u8),
        len => {
            out.push(bit | 126);
            out.extend((len as u16).to_be_bytes());
        }
    }
    out.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    let key = mask.unwrap_or_default();
    out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
    out
}

/// A valid stream of frames: messages whole or in fragments, with control frames between and within them.
pub(super) fn frames(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    let mask = any::<[u8; 4]>().prop_map(move |key| masked.then_some(key));
    let control = (8_u8..=10, proptest::collection::vec(any::<u8>(), 0..126));
    let piece = (proptest::collection::vec(any::<u8>(), 0..300), proptest::option::of(control), any::<bool>());
    let message = (1_u8..=2, mask, proptest::collection::vec(piece, 1..4));
    proptest::collection::vec(message, 0..8).prop_map(|messages| {
        let mut out = vec![];
        for (opcode, mask, pieces) in messages {
            let last = pieces.len() - 1;
            for (at, (payload, control, wide)) in pieces.into_iter().enumerate() {
                let opcode = if at == 0 { opcode } else { 0 };
                out.extend(frame(at == last, opcode, mask, &payload, wide));
                out.extend(control.into_iter().flat_map(|(op, payload)| frame(true, op, mask, &payload, false)));
            }
        }
        out
    })
}

/// What a parser makes of chunks: the messages, and all bytes that go on.
fn parse(chunks: &[&[u8]], max_bytes: usize) -> (Vec<Body>, Vec<u8>, Option<Unreadable>) {
    let (mut parser, mut buf) = (Parser::new(max_bytes), BytesMut::new());
    let (mut bodies, mut bytes) = (vec![], vec![]);
    for chunk in chunks {
        buf.extend_from_slice(chunk);
        loop {
            match parser.next(&mut buf) {
                Ok(None) => break,
                Ok(Some(Read::Skimmed(raw))) => bytes.extend_from_slice(&raw),
                Ok(Some(Read::OverLimit(_))) => {}
                Ok(Some(Read::Message { body, raw })) => {
                    bodies.push(body);
                    bytes.extend_from_slice(&raw);
                }
                Err(error) => return (bodies, bytes, Some(error)),
            }
        }
    }
    bytes.extend_from_slice(&parser.take_pending());
    bytes.extend_from_slice(&buf);
    (bodies, bytes, None)
}

/// The bytes with each control frame before the fragments that it stood behind, as a reader of whole messages sends
/// them on. What is no frame, and a message without an end, stays where it is.
pub(super) fn controls_first(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut held, mut rest) = (vec![], vec![], bytes);
    while let Some((first, payload_at, payload)) = head(rest)
        && rest.len() >= payload_at + payload
    {
        let control = first & 0x08 != 0;
        let valid = match first & 0x0f {
            0 => !held.is_empty(),
            1 | 2 => held.is_empty(),
            8..=10 => first & 0x80 != 0 && payload <= 125,
            _ => false,
        };
        if first & 0x70 != 0 || !valid {
            break;
        }
        let (frame, behind) = rest.split_at(payload_at + payload);
        rest = behind;
        if control {
            out.extend_from_slice(frame);
        } else {
            held.extend_from_slice(frame);
            if first & 0x80 != 0 {
                out.append(&mut held);
            }
        }
    }
    [out, held, rest.to_vec()].concat()
}

/// A frame's first byte, where its payload begins, and how long that is.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (at, len) = match second & 0x7f {
        126 => (4, number(bytes.get(2..4)?)),
        127 => (10, number(bytes.get(2..10)?)),
        short => (2, u64::from(short)),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    Some((first, at + mask, usize::try_from(len).ok()?.min(1 << 40)))
}

fn split<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages_and_loses_no_byte(
        bytes in frames(true),
        at in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let whole = parse(&[&bytes], 1 << 20);
        prop_assert_eq!(&whole.1, &controls_first(&bytes));
        prop_assert_eq!(&whole.2, &None);
        prop_assert_eq!(parse(&split(&bytes, &at), 1 << 20), whole);
    }

    #[test]
    fn random_bytes_never_panic_and_are_never_lost(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        at in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (_, passed, error) = parse(&split(&bytes, &at), 1000);
        prop_assert!(error.is_some() || passed == controls_first(&bytes));
    }

    #[test]
    fn what_is_encoded_reads_back(
        payload in proptest::collection::vec(any::<u8>(), 0..70_000), mask in any::<Option<[u8; 4]>>(),
    ) {
        let body = Body::Binary(Bytes::from(payload));
        prop_assert_eq!(parse(&[&ws::encode(&body, mask)], 1 << 20).0, vec![body]);
    }
}

#[test]
fn a_control_frame_within_a_message_comes_at_once_and_the_message_whole_behind_it() {
    let pieces = [
        frame(false, 1, None, b"he", false),
        frame(true, 9, None, b"p", false),
        frame(false, 0, None, b"", false),
        frame(true, 10, None, b"", false),
        frame(true, 0, None, b"y", false),
    ];
    let (mut parser, mut buf) = (Parser::new(100), BytesMut::new());
    let mut read = |bytes: &[u8]| {
        buf.extend_from_slice(bytes);
        parser.next(&mut buf).unwrap()
    };
    let message = |body: Body, raw: &[&Vec<u8>]| {
        let raw = raw.iter().flat_map(|piece| piece.iter().copied()).collect::<Vec<u8>>().into();
        Some(Read::Message { body, raw })
    };
    assert_eq!(read(&pieces[0]), None);
    assert_eq!(read(&pieces[1]), message(Body::Ping(Bytes::from_static(b"p")), &[&pieces[1]]));
    assert_eq!(read(&pieces[2]), None);
    assert_eq!(read(&pieces[3]), message(Body::Pong(Bytes::new()), &[&pieces[3]]));
    let whole = [&pieces[0], &pieces[2], &pieces[4]];
    assert_eq!(read(&pieces[4]), message(Body::Text(Bytes::from_static(b"hey")), &whole));
}

#[test]
fn a_message_over_the_limit_is_told_by_its_head_alone() {
    let whole = frame(true, 2, None, &[0; 11], false);
    assert_eq!(over_limit(&whole[..2]), (Some(11), vec![], whole[..2].to_vec()));
    let fits = frame(true, 2, None, &[0; 10], false);
    assert_eq!(over_limit(&fits), (None, vec![Body::Binary(Bytes::from_static(&[0; 10]))], fits));
}

#[test]
fn a_message_over_the_limit_passes_unread_and_the_next_is_read() {
    let fragments = [
        frame(false, 2, None, &[0; 6], false),
        frame(false, 0, None, &[0; 5], false),
        frame(true, 0, None, &[0; 50], false),
        frame(true, 1, None, b"hey", false),
    ]
    .concat();
    let (told, bodies, passed) = over_limit(&fragments);
    assert_eq!(told, Some(11));
    assert_eq!(bodies.last(), Some(&Body::Text(Bytes::from_static(b"hey"))));
    assert_eq!(passed, fragments);
}

/// What a parser with a limit of 10 bytes tells, reads and lets pass.
fn over_limit(bytes: &[u8]) -> (Option<u64>, Vec<Body>, Vec<u8>) {
    let (mut parser, mut buf) = (Parser::new(10), BytesMut::from(bytes));
    let (mut told, mut bodies, mut passed) = (None, vec![], vec![]);
    while let Some(read) = parser.next(&mut buf).unwrap() {
        match read {
            Read::OverLimit(bytes) => told = Some(bytes),
            Read::Skimmed(raw) => passed.extend_from_slice(&raw),
            Read::Message { body, raw, .. } => {
                bodies.push(body);
                passed.extend_from_slice(&raw);
            }
        }
    }
    (told, bodies, passed)
}

#[test]
fn what_breaks_the_framing_is_no_websocket() {
    let broken: [&[u8]; 6] = [
        &[0xc1],
        &[0x83, 0],
        &[0x80, 0],
        &[0x09, 0],
        &[0x89, 126, 0, 126],
        &[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for bytes in broken {
        assert!(matches!(parse(&[bytes], 100).2, Some(Unreadable(_))), "{bytes:x?}");
    }
}
