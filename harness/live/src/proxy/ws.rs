//! WebSocket frames out of bytes and back (RFC 6455, section 5), on any split of the bytes.
//!
//! The parser keeps the bytes of all that it reads, so that an unchanged message passes exactly as it came: with its
//! masks, its fragments, and its lengths as they were written.

use bytes::{Buf, Bytes, BytesMut};

use crate::frame::Body;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The longest payload of a control frame (RFC 6455, 5.5).
const CONTROL_MAX_BYTES: u64 = 125;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// A whole message, and the bytes in which it came. A control frame between fragments (RFC 6455, 5.4) is a message
    /// of its own, and passes before the fragmented message, since its sender may wait for the answer.
    Message { body: Body, raw: Bytes },
    /// A message is too long to assemble. It has at least so many bytes, which pass unread.
    OverLimit(u64),
    /// Bytes of a message whose beginning was skimmed, or that is too long.
    Skimmed(Bytes),
}

/// What can pass unread: bytes, and how many messages begin in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Skimmed {
    pub(super) bytes: usize,
    pub(super) messages: u64,
}

/// Why the bytes are unreadable: they are no WebSocket frames, or of an unknown extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) &'static str);

struct Head {
    fin: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    head_bytes: usize,
    payload_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Parser {
    max_bytes: usize,
    partial: Option<Partial>,
    skimmed: bool,
    /// Bytes of a message that is too long to assemble. They pass next.
    passing: Bytes,
    skim_left: usize,
}

#[derive(Debug)]
struct Partial {
    opcode: u8,
    payload: BytesMut,
    /// The bytes as they came. None of them has passed.
    raw: BytesMut,
}

impl Parser {
    /// A parser that assembles messages of up to `max_bytes` of payload. Longer ones pass unread.
    pub(super) fn new(max_bytes: usize) -> Parser {
        Parser { max_bytes, partial: None, skimmed: false, passing: Bytes::new(), skim_left: 0 }
    }

    /// How much of `buf` can pass unread: frames and beginnings of frames, by their heads alone. Nothing while a
    /// message is assembled, or where a head is incomplete.
    pub(super) fn skim(&mut self, buf: &[u8]) -> Result<Skimmed, Unreadable> {
        let mut skimmed = Skimmed::default();
        if self.partial.is_some() {
            return Ok(skimmed);
        }
        loop {
            let rest = buf.get(skimmed.bytes..).unwrap_or_default();
            let step = self.skim_left.min(rest.len());
            skimmed.bytes += step;
            self.skim_left -= step;
            let rest = rest.get(step..).unwrap_or_default();
            if self.skim_left > 0 || rest.is_empty() {
                return Ok(skimmed);
            }
            let head =
                match read_head(rest).and_then(|head| head.map(|head| Ok((self.check(&head)?, head))).transpose()) {
                    Ok(Some(found)) => found,
                    Ok(None) => return Ok(skimmed),
                    // The valid frames pass first. The next call finds the error again.
                    Err(_) if skimmed.bytes > 0 => return Ok(skimmed),
                    Err(error) => return Err(error),
                };
            let (frame_bytes, head) = head;
            skimmed.messages += u64::from(head.opcode != CONTINUATION);
            self.begin_skimmed(&head, frame_bytes);
        }
    }

    pub(super) fn skims(&self) -> bool {
        self.partial.is_none() && self.passing.is_empty()
    }

    /// More bytes of a frame that was passed on in part; `None` where there is no such frame.
    pub(super) fn rest_of_frame(&mut self, buf: &mut BytesMut) -> Option<Bytes> {
        if !self.passing.is_empty() {
            return Some(std::mem::take(&mut self.passing));
        }
        if self.skim_left == 0 {
            return None;
        }
        let step = self.skim_left.min(buf.len());
        self.skim_left -= step;
        Some(buf.split_to(step).freeze())
    }

    pub(super) fn is_amid_frame(&self) -> bool {
        self.skim_left > 0 || !self.passing.is_empty()
    }

    fn begin_skimmed(&mut self, head: &Head, frame_bytes: usize) {
        self.skim_left = frame_bytes;
        if head.opcode < CLOSE {
            self.skimmed = !head.fin;
        }
    }

    fn give_up_message(&mut self, head: &Head, frame_bytes: usize) -> Read {
        let begun = self.partial.take();
        let gathered = begun.as_ref().map_or(0, |partial| partial.payload.len() as u64);
        self.passing = begun.map(|partial| partial.raw.freeze()).unwrap_or_default();
        self.begin_skimmed(head, frame_bytes);
        Read::OverLimit(gathered.saturating_add(head.payload_bytes))
    }

    fn is_over_limit(&self, head: &Head) -> bool {
        let gathered = self.partial.as_ref().map_or(0, |partial| partial.payload.len());
        head.payload_bytes > self.max_bytes.saturating_sub(gathered) as u64
    }

    /// Takes the next message, or bytes of one that passes unread, off the front of `buf`; `None` where more bytes are
    /// needed. After an error only [`Parser::take_pending`] may be called.
    pub(super) fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Read>, Unreadable> {
        loop {
            if let Some(rest) = self.rest_of_frame(buf) {
                return Ok((!rest.is_empty()).then_some(Read::Skimmed(rest)));
            }
            let Some(head) = read_head(buf)? else { return Ok(None) };
            let frame_bytes = self.check(&head)?;
            if self.skimmed && head.opcode < CLOSE {
                // Its beginning has passed unread.
                self.begin_skimmed(&head, frame_bytes);
                continue;
            }
            if head.opcode < CLOSE && self.is_over_limit(&head) {
                // The frame's own bytes stay in the buffer, and pass as they come.
                return Ok(Some(self.give_up_message(&head, frame_bytes)));
            }
            if buf.len() < frame_bytes {
                return Ok(None);
            }
            let raw = buf.split_to(frame_bytes);
            if let Some(read) = self.take(&head, raw) {
                return Ok(Some(read));
            }
        }
    }

    /// The bytes of an incomplete message that have not passed.
    pub(super) fn take_pending(&mut self) -> Bytes {
        let partial = self.partial.take().map(|partial| partial.raw.freeze());
        partial.unwrap_or_else(|| std::mem::take(&mut self.passing))
    }

    /// The length of the whole frame, where it is valid here.
    fn check(&self, head: &Head) -> Result<usize, Unreadable> {
        if head.opcode >= CLOSE {
            if !head.fin || head.payload_bytes > CONTROL_MAX_BYTES {
                return Err(Unreadable("a control frame is fragmented or longer than 125 bytes"));
            }
        } else if (head.opcode == CONTINUATION) != (self.partial.is_some() || self.skimmed) {
            return Err(Unreadable("a continuation without a beginning, or a message within a message"));
        }
        // RFC 6455, 5.2: the highest bit of a length is 0.
        let payload_bytes = usize::try_from(head.payload_bytes).ok().filter(|_| head.payload_bytes >> 63 == 0);
        let frame_bytes = payload_bytes.and_then(|bytes| bytes.checked_add(head.head_bytes));
        frame_bytes.ok_or(Unreadable("a frame is longer than RFC 6455 allows"))
    }

    fn take(&mut self, head: &Head, raw: BytesMut) -> Option<Read> {
        if head.opcode >= CLOSE {
            let raw = raw.freeze();
            let payload = payload_of(head, &raw);
            let body = match head.opcode {
                CLOSE => Body::Close(payload),
                PING => Body::Ping(payload),
                _ => Body::Pong(payload),
            };
            return Some(Read::Message { body, raw });
        }
        if head.fin && self.partial.is_none() {
            let raw = raw.freeze();
            let body = message(head.opcode, payload_of(head, &raw));
            return Some(Read::Message { body, raw });
        }
        let partial = self.partial.get_or_insert_with(|| Partial {
            opcode: head.opcode,
            payload: BytesMut::new(),
            raw: BytesMut::new(),
        });
        let start = partial.payload.len();
        partial.payload.extend_from_slice(raw.get(head.head_bytes..).unwrap_or_default());
        if let (Some(mask), Some(added)) = (head.mask, partial.payload.get_mut(start..)) {
            apply_mask(added, mask);
        }
        partial.raw.extend_from_slice(&raw);
        if !head.fin {
            return None;
        }
        let whole = self.partial.take()?;
        Some(Read::Message { body: message(whole.opcode, whole.payload.freeze()), raw: whole.raw.freeze() })
    }
}

fn message(opcode: u8, payload: Bytes) -> Body {
    if opcode == TEXT { Body::Text(payload) } else { Body::Binary(payload) }
}

/// The unmasked payload. It shares `raw` where there is no mask.
fn payload_of(head: &Head, raw: &Bytes) -> Bytes {
    let payload = raw.slice(head.head_bytes.min(raw.len())..);
    let Some(mask) = head.mask else { return payload };
    let mut unmasked = BytesMut::from(&payload[..]);
    apply_mask(&mut unmasked, mask);
    unmasked.freeze()
}

fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Reads a frame's head; `None` where it is incomplete.
fn read_head(buf: &[u8]) -> Result<Option<Head>, Unreadable> {
    let mut bytes = buf;
    if bytes.len() < 2 {
        return match bytes.first() {
            Some(first) => opcode_of(*first).map(|_| None),
            None => Ok(None),
        };
    }
    let first = bytes.get_u8();
    let opcode = opcode_of(first)?;
    let second = bytes.get_u8();
    let payload_bytes = match second & 0x7f {
        126 if bytes.len() < 2 => return Ok(None),
        126 => u64::from(bytes.get_u16()),
        127 if bytes.len() < 8 => return Ok(None),
        127 => bytes.get_u64(),
        short => u64::from(short),
    };
    let mask = match second & 0x80 {
        0 => None,
        _ if bytes.len() < 4 => return Ok(None),
        _ => Some(bytes.get_u32().to_be_bytes()),
    };
    let head_bytes = buf.len() - bytes.len();
    Ok(Some(Head { fin: first & 0x80 != 0, opcode, mask, head_bytes, payload_bytes }))
}

fn opcode_of(first: u8) -> Result<u8, Unreadable> {
    if first & 0x70 != 0 {
        return Err(Unreadable("a reserved bit is set, and no extension was agreed on"));
    }
    match first & 0x0f {
        opcode @ (CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) => Ok(opcode),
        _ => Err(Unreadable("an opcode that RFC 6455 does not define")),
    }
}

/// A message in one frame, with a mask where it goes to a server (RFC 6455, 5.3). An HTTP message is its own bytes.
pub(super) fn encode(body: &Body, mask: Option<[u8; 4]>) -> Bytes {
    encode_split(body, mask, 1)
}

/// A message in so many fragments (RFC 6455, 5.4), but at most as many as it has bytes. A control frame has only one.
pub(super) fn encode_split(body: &Body, mask: Option<[u8; 4]>, frames: u16) -> Bytes {
    let (opcode, payload) = match body {
        Body::Http(bytes) => return bytes.clone(),
        Body::Text(payload) => (TEXT, payload),
        Body::Binary(payload) => (BINARY, payload),
        Body::Ping(payload) => (PING, payload),
        Body::Pong(payload) => (PONG, payload),
        Body::Close(payload) => (CLOSE, payload),
    };
    let frames = if opcode < CLOSE { usize::from(frames) } else { 1 };
    let frames = frames.clamp(1, payload.len().max(1));
    let mut out = BytesMut::with_capacity(payload.len() + 14 * frames);
    let mut begin = 0;
    for nth in 1..=frames {
        // The lengths of pieces differ by at most one byte.
        let end = payload.len() * nth / frames;
        let fin = if nth == frames { 0x80 } else { 0 };
        let opcode = if nth == 1 { opcode } else { CONTINUATION };
        put_frame(&mut out, fin | opcode, &payload[begin..end], mask);
        begin = end;
    }
    out.freeze()
}

fn put_frame(out: &mut BytesMut, first: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    out.extend_from_slice(&[first]);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => out.extend_from_slice(&[masked | short]),
        (_, Ok(medium)) => {
            out.extend_from_slice(&[masked | 126]);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.extend_from_slice(&[masked | 127]);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask.unwrap_or_default()[..if mask.is_some() { 4 } else { 0 }]);
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(mask), Some(added)) = (mask, out.get_mut(start..)) {
        apply_mask(added, mask);
    }
}

pub(super) fn close(code: u16) -> Body {
    Body::Close(Bytes::copy_from_slice(&code.to_be_bytes()))
}
