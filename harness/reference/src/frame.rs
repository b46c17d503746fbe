//! WebSocket frames (RFC 6455), as a server reads and writes them.
//!
//! The codec is our own because the contract is exact about close codes: a library that answers a close frame by itself
//! echoes the client's code, where the service answers 1000, or 1002 to a code that may not stand in a frame.

use bytes::{Buf, BytesMut};

pub(crate) const CLOSE_NORMAL: u16 = 1000;
/// A violation of the WebSocket protocol, and a socket on which nothing moves.
pub(crate) const CLOSE_PROTOCOL: u16 = 1002;
pub(crate) const CLOSE_NOT_UTF8: u16 = 1007;
pub(crate) const CLOSE_TOO_LARGE: u16 = 1009;
/// The handler failed: a malformed message, a revocation.
pub(crate) const CLOSE_ERROR: u16 = 1011;
/// The server stops.
pub(crate) const CLOSE_RESTART: u16 = 1012;

const OP_CONTINUATION: u8 = 0;
pub(crate) const OP_TEXT: u8 = 1;
const OP_BINARY: u8 = 2;
pub(crate) const OP_CLOSE: u8 = 8;
const OP_PING: u8 = 9;
pub(crate) const OP_PONG: u8 = 10;
const MAX_CONTROL_BYTES: usize = 125;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// The client closes, and is answered with this code.
    Close(u16),
}

/// A stream that is no WebSocket any more; closed with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub u16);

#[derive(Debug)]
pub(crate) struct Decoder {
    max_message_bytes: usize,
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
        Self { max_message_bytes, partial: None }
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
        let is_known = matches!(opcode, OP_CONTINUATION | OP_TEXT | OP_BINARY | OP_CLOSE | OP_PING | OP_PONG);
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
        Ok(Some(Header { is_final, opcode, mask, length, header_bytes: 2 + extra + 4 }))
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
        String::from_utf8(payload).map(|text| Some(Message::Text(text))).map_err(|_| Violation(CLOSE_NOT_UTF8))
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

pub(crate) fn put(out: &mut BytesMut, opcode: u8, payload: &[u8]) {
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
mod tests;
