//! The parts of HTTP/1.1 (RFC 9112) that show where a message ends, and whether it asks for or grants a WebSocket.

use bytes::Bytes;

const HEADERS_MAX: usize = 128;

/// A byte stream that begins with one of these methods is taken for HTTP.
const METHODS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH "];

/// The media types of answers that clients read part by part.
const STREAMS: [&str; 7] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
    "multipart/x-mixed-replace",
];

#[derive(Debug)]
pub(super) enum Parsed {
    Partial,
    Bad(&'static str),
    /// A head, and how many bytes it takes.
    Request(RequestHead, usize),
    Response(ResponseHead, usize),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) framing: Framing,
    /// It asks for a WebSocket (RFC 6455, 4.1).
    pub(super) upgrade: bool,
    /// The body waits for an interim answer (RFC 9110, 10.1.1).
    pub(super) expects: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    pub(super) code: u16,
    pub(super) framing: Framing,
    pub(super) upgrade: bool,
    pub(super) subprotocol: Option<String>,
    pub(super) extensions: bool,
    /// Clients read it part by part.
    pub(super) stream: bool,
}

/// How a body ends (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes; 0 where there is no body.
    Length(u64),
    Chunked,
    ToEof,
}

pub(super) fn request(bytes: &[u8]) -> Parsed {
    let begins = |method: &&[u8]| method.iter().zip(bytes).all(|(a, b)| a == b);
    if !METHODS.iter().any(begins) {
        return Parsed::Bad("what the client sends does not begin like an HTTP request");
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Bad("what the client sends is no HTTP/1 request"),
    };
    let fields = Fields(head.headers);
    let Some(framing) = fields.framing() else {
        return Parsed::Bad("a request's length is unclear");
    };
    let request = RequestHead {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        // A request without a length has no body. A response without one continues to the connection's end.
        framing: if framing == Framing::ToEof { Framing::Length(0) } else { framing },
        upgrade: fields.has("connection", "upgrade") && fields.has("upgrade", "websocket"),
        expects: fields.has("expect", "100-continue"),
    };
    Parsed::Request(request, len)
}

/// A request's head without its offer of WebSocket extensions (RFC 6455, 9.1). Extensions, compression above all, would
/// make frames unreadable here.
pub(super) fn without_extensions(head: &[u8]) -> Bytes {
    const NAME: &[u8] = b"sec-websocket-extensions";
    let offers = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(NAME)
    };
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !offers(line)).flatten().copied().collect()
}

pub(super) fn response(bytes: &[u8]) -> Parsed {
    if !b"HTTP/1.".iter().zip(bytes).all(|(a, b)| a == b) {
        return Parsed::Bad("what the lane sends does not begin like an HTTP response");
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Bad("what the lane sends is no HTTP/1 response"),
    };
    let code = head.code.unwrap_or_default();
    let fields = Fields(head.headers);
    let Some(framing) = fields.framing() else {
        return Parsed::Bad("a response's length is unclear");
    };
    let response = ResponseHead {
        code,
        framing: if matches!(code, 100..=199 | 204 | 304) { Framing::Length(0) } else { framing },
        upgrade: fields.has("upgrade", "websocket"),
        subprotocol: fields.text("sec-websocket-protocol"),
        extensions: fields.text("sec-websocket-extensions").is_some_and(|value| !value.is_empty()),
        stream: fields
            .text("content-type")
            .is_some_and(|value| STREAMS.iter().any(|of| value.to_ascii_lowercase().starts_with(of))),
    };
    Parsed::Response(response, len)
}

struct Fields<'a, 'b>(&'a [httparse::Header<'b>]);

impl Fields<'_, '_> {
    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.0.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = self.values(name).next()?;
        Some(String::from_utf8_lossy(value).trim().to_owned())
    }

    fn has(&self, name: &str, token: &str) -> bool {
        let is_token = |part: &[u8]| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
        self.values(name).any(|value| value.split(|byte| *byte == b',').any(is_token))
    }

    /// `None` where the fields contradict each other.
    fn framing(&self) -> Option<Framing> {
        if self.values("transfer-encoding").next().is_some() {
            return self.has("transfer-encoding", "chunked").then_some(Framing::Chunked);
        }
        let mut lengths = self.values("content-length");
        let Some(first) = lengths.next() else {
            return Some(Framing::ToEof);
        };
        if !lengths.all(|other| other == first) || !first.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(first).ok()?.parse().ok().map(Framing::Length)
    }
}

/// Finds a body's end, on any split of its bytes.
#[derive(Debug)]
pub(super) enum BodyScan {
    Length(u64),
    ToEof,
    /// In a chunk's size line: the size so far, whether more digits may follow, and the line's bytes.
    Size {
        size: u64,
        digits: bool,
        bytes: usize,
    },
    /// In a chunk's data, with its CRLF.
    Data(u64),
    /// In the trailers: the bytes of the line, and of all trailers.
    Trailer {
        line: usize,
        bytes: usize,
    },
    Done,
}

/// The longest size line, and the longest trailers. Longer ones are taken for something else.
const CHUNK_LINE_MAX_BYTES: usize = 16 * 1024;

impl BodyScan {
    pub(super) fn new(framing: Framing) -> BodyScan {
        match framing {
            Framing::Length(0) => BodyScan::Done,
            Framing::Length(bytes) => BodyScan::Length(bytes),
            Framing::Chunked => BodyScan::Size { size: 0, digits: true, bytes: 0 },
            Framing::ToEof => BodyScan::ToEof,
        }
    }

    pub(super) fn done(&self) -> bool {
        matches!(self, BodyScan::Done)
    }

    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += match self {
                BodyScan::Done => return Ok(taken),
                BodyScan::ToEof => rest.len(),
                BodyScan::Length(left) => {
                    let step = take(left, rest.len());
                    if *left == 0 {
                        *self = BodyScan::Done;
                    }
                    step
                }
                BodyScan::Data(left) => {
                    let step = take(left, rest.len());
                    if *left == 0 {
                        *self = BodyScan::Size { size: 0, digits: true, bytes: 0 };
                    }
                    step
                }
                BodyScan::Size { .. } | BodyScan::Trailer { .. } => {
                    self.line_byte(rest.first().copied().unwrap_or_default())?;
                    1
                }
            };
        }
        Ok(taken)
    }

    fn line_byte(&mut self, byte: u8) -> Result<(), &'static str> {
        match self {
            BodyScan::Size { size, .. } if byte == b'\n' => {
                *self = match *size {
                    0 => BodyScan::Trailer { line: 0, bytes: 0 },
                    size => BodyScan::Data(size.checked_add(2).ok_or("a chunk's size is beyond any bound")?),
                };
            }
            BodyScan::Size { size, digits, bytes } => {
                *bytes += 1;
                match (*digits, char::from(byte).to_digit(16)) {
                    (true, Some(digit)) => {
                        let shifted = size.checked_mul(16).and_then(|size| size.checked_add(u64::from(digit)));
                        *size = shifted.ok_or("a chunk's size is beyond any bound")?;
                    }
                    (true, None) if *bytes == 1 => return Err("a chunk has no size"),
                    _ => *digits = false,
                }
                if *bytes > CHUNK_LINE_MAX_BYTES {
                    return Err("a chunk's size line has no end");
                }
            }
            BodyScan::Trailer { line: 0, .. } if byte == b'\n' => *self = BodyScan::Done,
            BodyScan::Trailer { line, bytes } => {
                *bytes += 1;
                match byte {
                    b'\n' => *line = 0,
                    b'\r' if *line == 0 => {}
                    _ => *line += 1,
                }
                if *bytes > CHUNK_LINE_MAX_BYTES {
                    return Err("a chunked body's trailers have no end");
                }
            }
            BodyScan::Length(_) | BodyScan::ToEof | BodyScan::Data(_) | BodyScan::Done => {}
        }
        Ok(())
    }
}

fn take(left: &mut u64, available: usize) -> usize {
    let step = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= step as u64;
    step
}
