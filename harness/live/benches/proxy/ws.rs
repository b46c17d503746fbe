//! As much of WebSocket as both ends of the benchmark need: frames made beforehand, and counting messages without
//! looking into them, so that the proxies in between are what is measured.

use std::io::{self, Read, Write};

/// The client's request, but for the path.
pub fn ask(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: lane\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// The lane's answer to any request of [`ask`]: the key is always the same (RFC 6455, 1.3).
pub const GRANT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The longest HTTP head that either end reads.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// Reads an HTTP head, byte by byte so that nothing behind it is taken.
pub fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
        if head.len() > HEAD_MAX_BYTES {
            return Err(io::Error::other("an HTTP head has no end"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The mask of every frame that the client sends.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A text message in one frame.
pub fn frame(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![0x81];
    match payload.len() {
        short @ 0..126 => out.push(masked | short as u8),
        medium @ 126..0x1_0000 => {
            out.push(masked | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(masked | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    let Some(mask) = mask else {
        out.extend_from_slice(payload);
        return out;
    };
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

/// A frame's first bytes.
struct Head {
    last: bool,
    data: bool,
    mask: Option<[u8; 4]>,
    payload_bytes: usize,
}

/// How long a frame's head is, by its first two bytes.
fn head_bytes(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 == 0 { 0 } else { 4 }
}

fn parse_head(head: &[u8]) -> Head {
    let (first, second) = (head[0], head[1]);
    let length_bytes = head_bytes(second & 0x7f) - 2;
    let long = head[2..2 + length_bytes].iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    Head {
        last: first & 0x80 != 0,
        data: first & 0x08 == 0,
        mask: (second & 0x80 != 0).then(|| [0, 1, 2, 3].map(|at| head[2 + length_bytes + at])),
        payload_bytes: if length_bytes == 0 { usize::from(second & 0x7f) } else { long },
    }
}

/// Counts whole messages in a stream of bytes, and skips what is in them.
#[derive(Default)]
pub struct Skimmer {
    head: [u8; 14],
    have: usize,
    skip: usize,
    ends_message: bool,
}

impl Skimmer {
    /// How many messages end in these bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) -> usize {
        let mut messages = 0;
        loop {
            if self.skip > 0 {
                let step = self.skip.min(bytes.len());
                bytes = &bytes[step..];
                self.skip -= step;
                if self.skip > 0 {
                    return messages;
                }
                messages += usize::from(std::mem::take(&mut self.ends_message));
            }
            let wanted = if self.have < 2 { 2 } else { head_bytes(self.head[1]) };
            if self.have < wanted {
                let step = (wanted - self.have).min(bytes.len());
                if step == 0 {
                    return messages;
                }
                self.head[self.have..self.have + step].copy_from_slice(&bytes[..step]);
                self.have += step;
                bytes = &bytes[step..];
                continue;
            }
            let head = parse_head(&self.head[..wanted]);
            self.have = 0;
            self.skip = head.payload_bytes;
            self.ends_message = head.last && head.data;
            if self.skip == 0 {
                messages += usize::from(std::mem::take(&mut self.ends_message));
            }
        }
    }
}

/// Reads one message whole, however it is fragmented.
pub fn read_message(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut bytes = [0; 14];
        stream.read_exact(&mut bytes[..2])?;
        let wanted = head_bytes(bytes[1]);
        stream.read_exact(&mut bytes[2..wanted])?;
        let head = parse_head(&bytes[..wanted]);
        let mut payload = vec![0; head.payload_bytes];
        stream.read_exact(&mut payload)?;
        if !head.data {
            continue;
        }
        let mask = head.mask.unwrap_or_default();
        message.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        if head.last {
            return Ok(message);
        }
    }
}

/// Reads until this many messages have come.
pub fn read_messages(stream: &mut impl Read, skimmer: &mut Skimmer, count: usize, buf: &mut [u8]) -> io::Result<()> {
    let mut seen = 0;
    while seen < count {
        match stream.read(buf)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => seen += skimmer.feed(&buf[..read]),
        }
    }
    Ok(())
}

/// Writes a message this many times, many with one call.
pub fn write_messages(stream: &mut impl Write, message: &[u8], mut count: usize) -> io::Result<()> {
    let at_once = (WRITE_BYTES / message.len()).max(1);
    let block = message.repeat(at_once.min(count));
    while count > 0 {
        let now = at_once.min(count);
        stream.write_all(&block[..now * message.len()])?;
        count -= now;
    }
    Ok(())
}

/// How many bytes are written at a time.
const WRITE_BYTES: usize = 256 * 1024;
