//! One direction of a connection, cut into units: HTTP messages until an upgrade, WebSocket messages after it, and bare
//! bytes wherever neither can be read. No byte is lost or made up: the units' bytes in a row are the bytes that came.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::Limits;
use super::exchange::{Exchange, Request, Switch};
use super::http::{self, BodyScan, Framing, Parsed, RequestHead, ResponseHead};
use super::ws::{Parser, Read, Unreadable};
use crate::frame::{Body, Direction, Frame, FrameTagger, TaggerFactory};

/// What comes next in a direction.
pub(super) enum Step {
    /// Something to pass on.
    Unit(Unit),
    /// More bytes are needed.
    More,
    /// Nothing can be said before the other direction has switched (or not).
    AwaitSwitch,
    /// The direction can't be read from here on, and why; ask again for its bytes.
    WentRaw(&'static str),
    /// A message is too big to be read.
    TooBig,
}

/// Something to pass on, whole.
pub(super) enum Unit {
    /// Bytes that no fault looks at.
    Bytes(Bytes),
    /// A message.
    Message(Message),
}

/// A message with the bytes in which it came.
pub(super) struct Message {
    pub(super) frame: Frame,
    pub(super) raw: Bytes,
    pub(super) tagger: Arc<dyn FrameTagger>,
    pub(super) extent: Extent,
}

/// How much of a message is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Its beginning; the rest follows as bytes.
    Beginning,
    /// Its end; the beginning has gone on already.
    End,
}

enum Mode {
    Head,
    Body(BodyState),
    AwaitSwitch,
    WebSocket(Parser, Arc<dyn FrameTagger>),
    Raw,
}

struct BodyState {
    scan: BodyScan,
    /// How many bytes at the front of the buffer were looked at, head included, while the message is put together;
    /// `None` once its beginning has gone on.
    gathered: Option<usize>,
    /// How many bytes may be gathered.
    gather_max: usize,
    tagger: Arc<dyn FrameTagger>,
    discard: bool,
}

/// Cuts one direction into units.
pub(super) struct Line {
    direction: Direction,
    mode: Mode,
    exchange: Arc<Exchange>,
    factory: Arc<dyn TaggerFactory>,
    limits: Limits,
}

impl Line {
    pub(super) fn new(
        direction: Direction,
        exchange: Arc<Exchange>,
        factory: Arc<dyn TaggerFactory>,
        limits: Limits,
    ) -> Line {
        Line {
            direction,
            mode: Mode::Head,
            exchange,
            factory,
            limits,
        }
    }

    /// The next unit off the front of `buf`. `armed` says whether a fault may want to see HTTP messages whole: else they
    /// pass as they come.
    pub(super) fn next(&mut self, buf: &mut BytesMut, armed: bool) -> Step {
        loop {
            let step = match &mut self.mode {
                Mode::Head => self.head(buf, armed),
                Mode::Body(_) => self.body(buf),
                Mode::AwaitSwitch => self.await_switch(),
                Mode::WebSocket(..) => self.websocket(buf),
                Mode::Raw if buf.is_empty() => Some(Step::More),
                Mode::Raw => Some(Step::Unit(Unit::Bytes(buf.split().freeze()))),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// What is left where the source has ended: the bytes of a message that was not completed.
    pub(super) fn rest(&mut self, buf: &mut BytesMut) -> (Bytes, Bytes) {
        let pending = match &mut self.mode {
            Mode::WebSocket(parser, _) => parser.take_pending(),
            _ => Bytes::new(),
        };
        (pending, buf.split().freeze())
    }

    /// Whether an HTTP message's rest is still to come.
    pub(super) fn amid_message(&self) -> bool {
        matches!(self.mode, Mode::Body(_))
    }

    /// The HTTP message just given is lost, and so is what follows of it.
    pub(super) fn discard(&mut self) {
        if let Mode::Body(state) = &mut self.mode {
            state.discard = true;
        }
        if self.direction == Direction::ToLane && !matches!(self.mode, Mode::WebSocket(..)) {
            self.exchange.unasked();
        }
    }

    /// The HTTP message just given passes this many more times.
    pub(super) fn repeat(&mut self, more: u8) {
        if self.direction == Direction::ToLane && !matches!(self.mode, Mode::WebSocket(..)) {
            self.exchange.asked_again(more);
        }
    }

    fn go_raw(&mut self, why: &'static str) -> Option<Step> {
        self.mode = Mode::Raw;
        self.exchange.set(Switch::Raw);
        Some(Step::WentRaw(why))
    }

    fn head(&mut self, buf: &mut BytesMut, armed: bool) -> Option<Step> {
        match self.exchange.switch() {
            Switch::WebSocket(tagger) => {
                self.mode = Mode::WebSocket(Parser::new(self.limits.message_max_bytes), tagger);
                return None;
            }
            Switch::Raw => {
                self.mode = Mode::Raw;
                return None;
            }
            Switch::Http | Switch::Asked => {}
        }
        if buf.is_empty() {
            return Some(Step::More);
        }
        let to_lane = self.direction == Direction::ToLane;
        let (parsed, len) = match if to_lane { request(buf) } else { response(buf) } {
            Parsed::Head(parsed, len) => (parsed, len),
            Parsed::Partial if buf.len() < self.limits.head_max_bytes => return Some(Step::More),
            Parsed::Partial => return self.go_raw("an HTTP head has no end"),
            Parsed::Bad(why) => return self.go_raw(why),
        };
        match parsed {
            Head::Request(head) => self.request(head, len, buf, armed),
            Head::Response(head) => self.response(head, len, buf, armed),
        }
    }

    fn request(&mut self, head: RequestHead, len: usize, buf: &mut BytesMut, armed: bool) -> Option<Step> {
        let upgrade = head.upgrade && head.framing == Framing::Length(0);
        let request = Request {
            method: head.method,
            target: head.target.clone(),
            upgrade,
        };
        if !self.exchange.asked(request) {
            return self.go_raw("too many requests wait for their responses");
        }
        if upgrade {
            self.mode = Mode::AwaitSwitch;
            return Some(Step::Unit(Unit::Bytes(buf.split_to(len).freeze())));
        }
        self.begin_body(&head.target, head.framing, len, armed && !head.expects);
        None
    }

    fn response(&mut self, head: ResponseHead, len: usize, buf: &mut BytesMut, armed: bool) -> Option<Step> {
        if matches!(head.code, 100 | 102..=199) {
            return Some(Step::Unit(Unit::Bytes(buf.split_to(len).freeze())));
        }
        let Some(request) = self.exchange.answered() else {
            return self.go_raw("the lane answered what was not asked");
        };
        if head.code == 101 {
            return self.switch(&head, &request, len, buf);
        }
        if request.upgrade {
            self.exchange.set(Switch::Http);
        }
        if request.method == "CONNECT" && matches!(head.code, 200..=299) {
            return self.go_raw("the client asked for a tunnel");
        }
        let framing = if request.method == "HEAD" {
            Framing::Length(0)
        } else {
            head.framing
        };
        let gather = armed && framing != Framing::ToEof && !head.event_stream;
        self.begin_body(&request.target, framing, len, gather);
        None
    }

    fn switch(&mut self, head: &ResponseHead, request: &Request, len: usize, buf: &mut BytesMut) -> Option<Step> {
        if !head.upgrade {
            return self.go_raw("the connection became something other than a WebSocket");
        }
        if head.extensions {
            return self.go_raw("the WebSocket has an extension that changes its frames");
        }
        let tagger = self.factory.tagger(&request.target, head.subprotocol.as_deref());
        self.exchange.set(Switch::WebSocket(Arc::clone(&tagger)));
        self.mode = Mode::WebSocket(Parser::new(self.limits.message_max_bytes), tagger);
        Some(Step::Unit(Unit::Bytes(buf.split_to(len).freeze())))
    }

    fn await_switch(&mut self) -> Option<Step> {
        match self.exchange.switch() {
            Switch::Asked => return Some(Step::AwaitSwitch),
            Switch::Http | Switch::WebSocket(_) | Switch::Raw => self.mode = Mode::Head,
        }
        None
    }

    fn begin_body(&mut self, target: &str, framing: Framing, head_bytes: usize, gather: bool) {
        self.mode = Mode::Body(BodyState {
            scan: BodyScan::new(framing),
            gathered: Some(head_bytes),
            gather_max: if gather {
                self.limits.http_shown_max_bytes.max(head_bytes)
            } else {
                head_bytes
            },
            tagger: self.factory.tagger(target, None),
            discard: false,
        });
    }

    fn body(&mut self, buf: &mut BytesMut) -> Option<Step> {
        let Mode::Body(state) = &mut self.mode else { return None };
        let start = state.gathered.unwrap_or(0);
        let upto = if state.gathered.is_some() {
            state.gather_max.min(buf.len())
        } else {
            buf.len()
        };
        let step = match state.scan.advance(buf.get(start..upto).unwrap_or_default()) {
            Ok(step) => step,
            Err(why) => return self.go_raw(why),
        };
        let done = state.scan.done();
        let Some(gathered) = &mut state.gathered else {
            let (rest, discard) = (buf.split_to(step).freeze(), state.discard);
            if done {
                self.mode = Mode::Head;
            }
            return match (rest.is_empty(), discard) {
                (true, _) => (!done).then_some(Step::More),
                (false, true) => None,
                (false, false) => Some(Step::Unit(Unit::Bytes(rest))),
            };
        };
        *gathered += step;
        if !done && *gathered < state.gather_max {
            return Some(Step::More);
        }
        let raw = buf.split_to(*gathered).freeze();
        let frame = Frame {
            direction: self.direction,
            body: Body::Http(raw.clone()),
        };
        let extent = if done { Extent::Whole } else { Extent::Beginning };
        let message = Message {
            frame,
            raw,
            tagger: Arc::clone(&state.tagger),
            extent,
        };
        state.gathered = None;
        if done {
            self.mode = Mode::Head;
        }
        Some(Step::Unit(Unit::Message(message)))
    }

    fn websocket(&mut self, buf: &mut BytesMut) -> Option<Step> {
        let Mode::WebSocket(parser, tagger) = &mut self.mode else {
            return None;
        };
        match parser.next(buf) {
            Ok(None) => Some(Step::More),
            Ok(Some(Read::Fragments(raw))) => Some(Step::Unit(Unit::Bytes(raw))),
            Ok(Some(Read::Message { body, raw, begun })) => {
                let frame = Frame {
                    direction: self.direction,
                    body,
                };
                let extent = if begun { Extent::End } else { Extent::Whole };
                Some(Step::Unit(Unit::Message(Message {
                    frame,
                    raw,
                    tagger: Arc::clone(tagger),
                    extent,
                })))
            }
            Err(Unreadable::TooBig { .. }) => Some(Step::TooBig),
            // Only this direction: the other one can still be read.
            Err(Unreadable::Protocol(why)) => {
                let mut pending = BytesMut::from(&parser.take_pending()[..]);
                pending.unsplit(buf.split());
                *buf = pending;
                self.mode = Mode::Raw;
                Some(Step::WentRaw(why))
            }
        }
    }
}

enum Head {
    Request(RequestHead),
    Response(ResponseHead),
}

fn request(bytes: &[u8]) -> Parsed<Head> {
    wrap(http::request(bytes), Head::Request)
}

fn response(bytes: &[u8]) -> Parsed<Head> {
    wrap(http::response(bytes), Head::Response)
}

fn wrap<T>(parsed: Parsed<T>, into: fn(T) -> Head) -> Parsed<Head> {
    match parsed {
        Parsed::Partial => Parsed::Partial,
        Parsed::Bad(why) => Parsed::Bad(why),
        Parsed::Head(head, len) => Parsed::Head(into(head), len),
    }
}
