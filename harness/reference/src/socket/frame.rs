//! WebSocket frames (RFC 6455), as a server reads and writes them.
//!
//! The codec is our own because the contract is exact about close codes: a library that answers a close frame by itself
//! echoes the client's code, where the service answers 1000, or 1002 to a code that may not stand in a frame.

use bytes::{Buf, BytesMut};

/// Normal closure.
pub(crate) const CLOSE_NORMAL: u16 = 1000;
/// A violation of the WebSocket protocol, and a socket on which nothing moves.
pub(crate) const CLOSE_PROTOCOL: u16 = 1002;
/// Text that is no UTF-8.
pub(crate) const CLOSE_NOT_UTF8: u16 = 1007;
/// A message that is too large.
pub(crate) const CLOSE_TOO_LARGE: u16 = 1009;
/// The handler failed: a malformed message, a revocation.
pub(crate) const CLOSE_ERROR: u16 = 1011;
/// The server stops.
pub(crate) const CLOSE_RESTART: u16 = 1012;

const OP_CONTINUATION: u8 = 0;
const OP_TEXT: u8 = 1;
const OP_BINARY: u8 = 2;
const OP_CLOSE: u8 = 8;
const OP_PING: u8 = 9;
const OP_PONG: u8 = 10;
const MAX_CONTROL_BYTES: usize = 125;

/// A whole message of a client, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, to be answered with its own payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, and is answered with this code.
    Close(u16),
}

/// A stream that is no WebSocket any more; closed with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub u16);

/// Puts frames together to messages.
#[derive(Debug)]
pub(crate) struct Decoder {
    max_message_bytes: usize,
    /// The opcode and the bytes so far of a message in several frames.
    partial: Option<(u8, Vec<u8>)>,
}

struct Header {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    length: usize,
    header_bytes: usize,
}

impl Decoder {
    pub(crate) fn new(max_message_bytes: usize) -> Self {
        Self {
            max_message_bytes,
            partial: None,
        }
    }

    /// Takes the next message off the front of `bytes`, or `None` until more bytes have come.
    pub(crate) fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Message>, Violation> {
        loop {
            let Some(header) = self.header(bytes)? else {
                return Ok(None);
            };
            if bytes.len() < header.header_bytes + header.length {
                return Ok(None);
            }
            bytes.advance(header.header_bytes);
            let mut payload = bytes.split_to(header.length).to_vec();
            for (byte, mask) in payload.iter_mut().zip(header.mask.iter().cycle()) {
                *byte ^= mask;
            }
            if let Some(message) = self.frame(header.opcode, header.is_final, payload)? {
                return Ok(Some(message));
            }
        }
    }

    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let (opcode, is_control) = (first & 0x0f, first & 0x08 != 0);
        let (is_final, short) = (first & 0x80 != 0, usize::from(second & 0x7f));
        let is_known = matches!(
            opcode,
            OP_CONTINUATION | OP_TEXT | OP_BINARY | OP_CLOSE | OP_PING | OP_PONG
        );
        let is_unmasked = second & 0x80 == 0;
        if first & 0x70 != 0 || !is_known || is_unmasked {
            return Err(Violation(CLOSE_PROTOCOL));
        }
        if is_control && (!is_final || short > MAX_CONTROL_BYTES) {
            return Err(Violation(CLOSE_PROTOCOL));
        }
        let extra = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (Some(extended), Some(mask)) = (rest.get(..extra), rest.get(extra..extra + 4)) else {
            return Ok(None);
        };
        let length = match extra {
            0 => short as u64,
            _ => extended.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)),
        };
        let so_far = self.partial.as_ref().map_or(0, |(_, bytes)| bytes.len());
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length.saturating_add(so_far) > self.max_message_bytes {
            return Err(Violation(CLOSE_TOO_LARGE));
        }
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        Ok(Some(Header {
            is_final,
            opcode,
            mask,
            length,
            header_bytes: 2 + extra + 4,
        }))
    }

    fn frame(&mut self, opcode: u8, is_final: bool, payload: Vec<u8>) -> Result<Option<Message>, Violation> {
        let (opcode, payload) = match (opcode, self.partial.take()) {
            (OP_PING, partial) => {
                self.partial = partial;
                return Ok(Some(Message::Ping(payload)));
            }
            (OP_PONG, partial) => {
                self.partial = partial;
                return Ok(Some(Message::Pong));
            }
            (OP_CLOSE, _) => return Ok(Some(Message::Close(close_answer(&payload)))),
            (OP_CONTINUATION, Some((opcode, mut bytes))) => {
                bytes.extend_from_slice(&payload);
                (opcode, bytes)
            }
            (OP_CONTINUATION, None) | (_, Some(_)) => return Err(Violation(CLOSE_PROTOCOL)),
            (opcode, None) => (opcode, payload),
        };
        if !is_final {
            self.partial = Some((opcode, payload));
            return Ok(None);
        }
        if opcode == OP_BINARY {
            return Ok(Some(Message::Binary(payload)));
        }
        String::from_utf8(payload)
            .map(|text| Some(Message::Text(text)))
            .map_err(|_| Violation(CLOSE_NOT_UTF8))
    }
}

/// What Bandit answers to a close frame: 1000, but 1002 where its body is malformed or its code may not be sent.
fn close_answer(payload: &[u8]) -> u16 {
    let (code, reason) = match payload {
        [] => (CLOSE_NORMAL, &[][..]),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return CLOSE_PROTOCOL,
    };
    match code {
        1000..=1003 | 1007..=1011 | 3000.. if std::str::from_utf8(reason).is_ok() => CLOSE_NORMAL,
        _ => CLOSE_PROTOCOL,
    }
}

/// Writes a text frame.
pub(crate) fn put_text(out: &mut BytesMut, text: &str) {
    put(out, OP_TEXT, text.as_bytes());
}

/// Writes the answer to a ping.
pub(crate) fn put_pong(out: &mut BytesMut, payload: &[u8]) {
    put(out, OP_PONG, payload);
}

/// Writes a close frame without a reason.
pub(crate) fn put_close(out: &mut BytesMut, code: u16) {
    put(out, OP_CLOSE, &code.to_be_bytes());
}

fn put(out: &mut BytesMut, opcode: u8, payload: &[u8]) {
    out.extend_from_slice(&[0x80 | opcode]);
    match payload.len() {
        length @ 0..=125 => out.extend_from_slice(&[length as u8]),
        length @ 126..=0xffff => {
            out.extend_from_slice(&[126]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.extend_from_slice(&[127]);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
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
        bytes.extend(
            payload
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
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
        assert_eq!(
            all(&stream, 64).unwrap(),
            [Message::Ping(b"p".to_vec()), Message::Text("hello".to_owned())]
        );
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
        assert_eq!(
            close_answer(b"\x03\xe8\xff"),
            CLOSE_PROTOCOL,
            "a reason that is not UTF-8"
        );
    }

    #[test]
    fn violations_have_their_codes() {
        let unmasked = vec![0x81, 0x01, b'x'];
        assert_eq!(all(&unmasked, 9), Err(Violation(CLOSE_PROTOCOL)));
        assert_eq!(
            all(&masked(0xc1, b"x"), 99),
            Err(Violation(CLOSE_PROTOCOL)),
            "a reserved bit"
        );
        assert_eq!(
            all(&masked(0x83, b"x"), 99),
            Err(Violation(CLOSE_PROTOCOL)),
            "an unknown opcode"
        );
        assert_eq!(
            all(&masked(0x80, b"x"), 99),
            Err(Violation(CLOSE_PROTOCOL)),
            "a continuation of nothing"
        );
        assert_eq!(
            all(&masked(0x09, b"x"), 99),
            Err(Violation(CLOSE_PROTOCOL)),
            "a ping in parts"
        );
        assert_eq!(all(&masked(0x81, b"\xff"), 99), Err(Violation(CLOSE_NOT_UTF8)));
        let mut huge = vec![0x82, 0xff];
        huge.extend_from_slice(&u64::MAX.to_be_bytes());
        huge.extend_from_slice(&[0; 4]);
        assert_eq!(all(&huge, 99), Err(Violation(CLOSE_TOO_LARGE)));
    }
}
