#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut plain = BytesMut::new();
    put(&mut plain, first & 0x0f, payload);
    let header = plain.len() - payload.len();
    let mut bytes = plain[..header].to_vec();
    bytes[0] = first;
    bytes[1] |= 0x80;
    bytes.extend_from_slice(&[1, 2, 3, 4]);
    bytes.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn all(bytes: &[u8], step: usize) -> Result<Vec<Message>, Violation> {
    let (mut decoder, mut buffer, mut messages) = (Decoder::new(1 << 20), BytesMut::new(), Vec::new());
    for chunk in bytes.chunks(step.max(1)) {
        buffer.extend_from_slice(chunk);
        while let Some(message) = decoder.next(&mut buffer)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

proptest! {
    #[test]
    fn a_message_is_read_however_the_stream_is_cut(text in "\\PC{0,300}", step in 1usize..40) {
        prop_assert_eq!(all(&masked(0x81, text.as_bytes()), step), Ok(vec![Message::Text(text)]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = all(&bytes, 7);
    }
}

#[test]
fn fragments_are_put_together_with_a_ping_between() {
    let stream = [masked(0x01, b"he"), masked(0x89, b"p"), masked(0x80, b"llo")].concat();
    assert_eq!(all(&stream, 64).unwrap(), [Message::Ping(b"p".to_vec()), Message::Text("hello".to_owned())]);
}

#[test]
fn large_payloads_have_their_lengths_in_two_and_in_eight_bytes() {
    for size in [125, 126, 65_535, 65_536] {
        let payload = vec![b'x'; size];
        assert_eq!(all(&masked(0x82, &payload), 4096).unwrap(), [Message::Binary(payload)]);
    }
}

#[test]
fn a_close_is_answered_with_1000_unless_its_code_or_reason_may_not_be_sent() {
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999, 5000, 65_535] {
        assert_eq!(close_answer(&u16::to_be_bytes(code)), CLOSE_NORMAL, "{code}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1012, 1015, 2999] {
        assert_eq!(close_answer(&u16::to_be_bytes(code)), CLOSE_PROTOCOL, "{code}");
    }
    assert_eq!(close_answer(b""), CLOSE_NORMAL);
    assert_eq!(close_answer(b"\x03\xe8bye"), CLOSE_NORMAL);
    assert_eq!(close_answer(b"\x03"), CLOSE_PROTOCOL, "one byte");
    assert_eq!(close_answer(b"\x03\xe8\xff"), CLOSE_PROTOCOL, "a reason that is not UTF-8");
}

#[test]
fn violations_have_their_codes() {
    let unmasked = vec![0x81, 0x01, b'x'];
    assert_eq!(all(&unmasked, 9), Err(Violation(CLOSE_PROTOCOL)));
    assert_eq!(all(&masked(0xc1, b"x"), 99), Err(Violation(CLOSE_PROTOCOL)), "a reserved bit");
    assert_eq!(all(&masked(0x83, b"x"), 99), Err(Violation(CLOSE_PROTOCOL)), "an unknown opcode");
    assert_eq!(all(&masked(0x80, b"x"), 99), Err(Violation(CLOSE_PROTOCOL)), "a continuation of nothing");
    assert_eq!(all(&masked(0x09, b"x"), 99), Err(Violation(CLOSE_PROTOCOL)), "a ping in parts");
    assert_eq!(all(&masked(0x81, b"\xff"), 99), Err(Violation(CLOSE_NOT_UTF8)));
    let mut huge = vec![0x82, 0xff];
    huge.extend_from_slice(&u64::MAX.to_be_bytes());
    huge.extend_from_slice(&[0; 4]);
    assert_eq!(all(&huge, 99), Err(Violation(CLOSE_TOO_LARGE)));
}
