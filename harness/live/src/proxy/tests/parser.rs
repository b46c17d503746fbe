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
    let piece = (
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::option::of(control),
        any::<bool>(),
    );
    let message = (1_u8..=2, mask, proptest::collection::vec(piece, 1..4));
    proptest::collection::vec(message, 0..8).prop_map(|messages| {
        let mut out = vec![];
        for (opcode, mask, pieces) in messages {
            let last = pieces.len() - 1;
            for (at, (payload, control, wide)) in pieces.into_iter().enumerate() {
                let opcode = if at == 0 { opcode } else { 0 };
                out.extend(frame(at == last, opcode, mask, &payload, wide));
                out.extend(
                    control
                        .into_iter()
                        .flat_map(|(op, payload)| frame(true, op, mask, &payload, false)),
                );
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
                Ok(Some(Read::Fragments(raw))) => bytes.extend_from_slice(&raw),
                Ok(Some(Read::Message { body, raw, .. })) => {
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
        prop_assert_eq!(&whole.1, &bytes);
        prop_assert_eq!(&whole.2, &None);
        prop_assert_eq!(parse(&split(&bytes, &at), 1 << 20), whole);
    }

    #[test]
    fn random_bytes_never_panic_and_are_never_lost(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        at in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (_, passed, error) = parse(&split(&bytes, &at), 1000);
        prop_assert!(error.is_some() || passed == bytes);
    }

    #[test]
    fn what_is_encoded_reads_back(payload in proptest::collection::vec(any::<u8>(), 0..70_000), mask in any::<Option<[u8; 4]>>()) {
        let body = Body::Binary(Bytes::from(payload));
        prop_assert_eq!(parse(&[&ws::encode(&body, mask)], 1 << 20).0, vec![body]);
    }
}

#[test]
fn a_control_frame_within_a_message_lets_its_beginning_go_on() {
    let pieces = [
        frame(false, 1, None, b"he", false),
        frame(true, 9, None, b"", false),
        frame(true, 0, None, b"y", false),
    ];
    let (mut parser, mut buf) = (Parser::new(100), BytesMut::from(&pieces.concat()[..]));
    let first = parser.next(&mut buf).unwrap().unwrap();
    assert_eq!(first, Read::Fragments(Bytes::copy_from_slice(&pieces[0])));
    assert!(matches!(
        parser.next(&mut buf).unwrap(),
        Some(Read::Message {
            body: Body::Ping(_),
            begun: false,
            ..
        })
    ));
    let last = parser.next(&mut buf).unwrap().unwrap();
    let body = Body::Text(Bytes::from_static(b"hey"));
    assert_eq!(
        last,
        Read::Message {
            body,
            raw: Bytes::copy_from_slice(&pieces[2]),
            begun: true
        }
    );
}

#[test]
fn a_message_over_the_limit_is_told_by_its_head_alone() {
    let whole = frame(true, 2, None, &[0; 11], false);
    assert_eq!(over_limit(&whole[..2]), (Some(11), vec![], whole[..2].to_vec()));
    let fits = frame(true, 2, None, &[0; 10], false);
    assert_eq!(
        over_limit(&fits),
        (None, vec![Body::Binary(Bytes::from_static(&[0; 10]))], fits)
    );
}

#[test]
fn a_message_over_the_limit_passes_unread_and_the_next_is_read() {
    let fragments = [
        frame(false, 2, None, &[0; 6], false),
        frame(true, 9, None, b"", false),
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
        told = told.or(parser.take_over_limit());
        match read {
            Read::Fragments(raw) => passed.extend_from_slice(&raw),
            Read::Message { body, raw, .. } => {
                bodies.push(body);
                passed.extend_from_slice(&raw);
            }
        }
    }
    (told.or(parser.take_over_limit()), bodies, passed)
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
