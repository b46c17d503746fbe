//! Cuts one direction of a connection into units: HTTP messages until an upgrade, WebSocket messages after it, and
//! bytes where neither is readable. The bytes of all units, in order, are the bytes that came.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::conn::Conn;
use super::exchange::{Request, Switch};
use super::http::{self, Framing, Parsed, RequestHead, ResponseHead};
use super::http_body::{HttpBody, publishes};
use super::interest::Interest;
use super::unit::{Decoded, Message, skim};
use super::ws::{Parser, Read, Skimmed, Unreadable};
use crate::frame::{Direction, Frame, FrameTagger};

enum Mode {
    Head,
    Body(HttpBody),
    AwaitSwitch,
    WebSocket(Parser, Arc<dyn FrameTagger>),
    Raw(&'static str),
}

pub(super) struct Decoder {
    conn: Conn,
    direction: Direction,
    mode: Mode,
    /// How many bytes of a head at the front of the buffer were passed on already, since no fault needs the whole head.
    passed: usize,
}

impl Decoder {
    pub(super) fn new(conn: Conn, direction: Direction) -> Decoder {
        Decoder { conn, direction, mode: Mode::Head, passed: 0 }
    }

    /// Takes the next unit off the front of `buf`. What no fault needs passes as it comes.
    pub(super) fn next(&mut self, buf: &mut BytesMut, interest: Interest) -> Decoded {
        loop {
            let step = match &mut self.mode {
                Mode::Head => self.head(buf, interest),
                Mode::Body(_) => self.body(buf),
                Mode::AwaitSwitch => self.await_switch(),
                Mode::WebSocket(..) => self.websocket(buf, interest.frames(self.direction)),
                Mode::Raw(_) => {
                    buf.advance(std::mem::take(&mut self.passed));
                    Some(skim(Skimmed { bytes: buf.len(), messages: 0 }))
                }
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// The bytes of an incomplete message, where the source has ended.
    pub(super) fn rest(&mut self, buf: &mut BytesMut) -> (Bytes, Bytes) {
        let pending = match &mut self.mode {
            Mode::WebSocket(parser, _) => parser.take_pending(),
            _ => Bytes::new(),
        };
        buf.advance(std::mem::take(&mut self.passed));
        (pending, buf.split().freeze())
    }

    pub(super) fn amid_message(&self) -> bool {
        matches!(self.mode, Mode::Body(_))
    }

    /// More bytes of a WebSocket frame that was passed on in part; `None` where there is no such frame.
    pub(super) fn rest_of_frame(&mut self, buf: &mut BytesMut) -> Option<Bytes> {
        match &mut self.mode {
            Mode::WebSocket(parser, _) => parser.rest_of_frame(buf),
            _ => None,
        }
    }

    pub(super) fn is_amid_frame(&self) -> bool {
        matches!(&self.mode, Mode::WebSocket(parser, _) if parser.is_amid_frame())
    }

    /// The last message is passed on so many times. If that is 0, the rest of an HTTP message is lost too.
    pub(super) fn passes(&mut self, copies: usize) {
        if copies == 0
            && let Mode::Body(body) = &mut self.mode
        {
            body.discard();
        }
        if copies != 1 && self.direction == Direction::Upstream && !matches!(self.mode, Mode::WebSocket(..)) {
            self.conn.exchange.passes(copies);
        }
    }

    pub(super) fn unread(&self) -> Option<&'static str> {
        match self.mode {
            Mode::Raw(why) => Some(why),
            _ => None,
        }
    }

    fn go_raw(&mut self, why: &'static str) -> Option<Decoded> {
        self.mode = Mode::Raw(why);
        self.conn.exchange.set(Switch::Raw(why));
        Some(Decoded::WentRaw)
    }

    fn head(&mut self, buf: &mut BytesMut, interest: Interest) -> Option<Decoded> {
        match self.conn.exchange.switch() {
            Switch::WebSocket(tagger) => {
                self.mode = Mode::WebSocket(Parser::new(self.conn.shared.limits.message_max_bytes), tagger);
                return None;
            }
            Switch::Raw(why) => {
                self.mode = Mode::Raw(why);
                return None;
            }
            Switch::Http | Switch::Asked => {}
        }
        if buf.is_empty() {
            return Some(Decoded::More);
        }
        let to_lane = self.direction == Direction::Upstream;
        // The offer of extensions is removed where later messages are read, in either direction.
        let whole = interest.http(self.direction) || (to_lane && interest.any());
        match if to_lane { http::request(buf) } else { http::response(buf) } {
            Parsed::Request(head, len) => self.request(head, len, buf, interest),
            Parsed::Response(head, len) => self.response(head, len, buf, interest),
            Parsed::Partial if buf.len() < self.conn.shared.limits.head_max_bytes => {
                if whole && self.passed == 0 {
                    return Some(Decoded::More);
                }
                let fresh = self.passed..buf.len();
                self.passed = buf.len();
                Some(if fresh.is_empty() { Decoded::More } else { Decoded::Peeked(fresh) })
            }
            Parsed::Partial => self.go_raw("an HTTP head has no end"),
            Parsed::Bad(why) => self.go_raw(why),
        }
    }

    fn request(&mut self, head: RequestHead, len: usize, buf: &mut BytesMut, interest: Interest) -> Option<Decoded> {
        let upgrade = head.upgrade && head.framing == Framing::Length(0);
        let request = Request { method: head.method, target: head.target, upgrade };
        if !self.conn.exchange.asked(request.clone()) {
            return self.go_raw("too many requests wait for their responses");
        }
        if upgrade {
            self.mode = Mode::AwaitSwitch;
            if interest.any() && self.passed == 0 {
                let head = http::without_extensions(&buf.split_to(len));
                return Some(Decoded::Bytes(head));
            }
            return Some(self.head_bytes(len, buf));
        }
        self.begin_body(&request, head.framing, !head.expects, len, buf, interest)
    }

    fn head_bytes(&mut self, len: usize, buf: &mut BytesMut) -> Decoded {
        let mut head = buf.split_to(len);
        head.advance(std::mem::take(&mut self.passed).min(len));
        Decoded::Bytes(head.freeze())
    }

    fn response(&mut self, head: ResponseHead, len: usize, buf: &mut BytesMut, interest: Interest) -> Option<Decoded> {
        if matches!(head.code, 100 | 102..=199) {
            return Some(self.head_bytes(len, buf));
        }
        let Some(request) = self.conn.exchange.answered() else {
            return self.go_raw("the lane answered what was not asked");
        };
        if head.code == 101 {
            return self.switch(&head, &request, len, buf);
        }
        if request.upgrade {
            self.conn.exchange.set(Switch::Http);
        }
        if request.method == "CONNECT" && matches!(head.code, 200..=299) {
            return self.go_raw("the client asked for a tunnel");
        }
        let framing = if request.method == "HEAD" { Framing::Length(0) } else { head.framing };
        let ends = framing != Framing::ToEof && !head.stream;
        self.begin_body(&request, framing, ends, len, buf, interest)
    }

    fn switch(&mut self, head: &ResponseHead, request: &Request, len: usize, buf: &mut BytesMut) -> Option<Decoded> {
        if !head.upgrade {
            return self.go_raw("the connection became something other than a WebSocket");
        }
        if head.extensions {
            return self.go_raw("the WebSocket has an extension that changes its frames");
        }
        let tagger = self.conn.shared.factory.tagger(&request.target, head.subprotocol.as_deref());
        self.conn.exchange.set(Switch::WebSocket(Arc::clone(&tagger)));
        self.mode = Mode::WebSocket(Parser::new(self.conn.shared.limits.message_max_bytes), tagger);
        Some(self.head_bytes(len, buf))
    }

    fn await_switch(&mut self) -> Option<Decoded> {
        match self.conn.exchange.switch() {
            Switch::Asked => return Some(Decoded::AwaitSwitch),
            Switch::Http | Switch::WebSocket(_) | Switch::Raw(_) => self.mode = Mode::Head,
        }
        None
    }

    /// An HTTP message's head has arrived. The message is assembled where a fault may apply to it, with its body where
    /// that comes without waiting for anything (`ends`).
    fn begin_body(
        &mut self,
        request: &Request,
        framing: Framing,
        ends: bool,
        head_bytes: usize,
        buf: &mut BytesMut,
        interest: Interest,
    ) -> Option<Decoded> {
        let passed = std::mem::take(&mut self.passed);
        buf.advance(passed);
        let front = head_bytes - passed;
        // A message whose head was passed on in part is not shown to the faults.
        let shown = (passed == 0 && interest.http(self.direction)).then(|| {
            let tagger = self.conn.shared.factory.tagger(&request.target, None);
            let about = interest.any_http(self.direction) || publishes(&*tagger, request);
            let most = if ends { self.conn.shared.limits.http_shown_max_bytes } else { 0 };
            about.then_some((most.max(front), tagger))
        });
        self.mode = Mode::Body(HttpBody::new(framing, front, shown.flatten()));
        None
    }

    fn body(&mut self, buf: &mut BytesMut) -> Option<Decoded> {
        let Mode::Body(body) = &mut self.mode else { return None };
        match body.next(self.direction, buf) {
            Ok((step, done)) => {
                if done {
                    self.mode = Mode::Head;
                }
                step
            }
            Err(why) => self.go_raw(why),
        }
    }

    fn websocket(&mut self, buf: &mut BytesMut, armed: bool) -> Option<Decoded> {
        let Mode::WebSocket(parser, tagger) = &mut self.mode else {
            return None;
        };
        let read = if !armed && parser.skims() {
            match parser.skim(buf) {
                Ok(skimmed) => return Some(skim(skimmed)),
                Err(error) => Err(error),
            }
        } else {
            parser.next(buf)
        };
        match read {
            Ok(None) => Some(Decoded::More),
            Ok(Some(Read::OverLimit(bytes))) => Some(Decoded::OverLimit(bytes)),
            Ok(Some(Read::Skimmed(raw))) => Some(Decoded::Unread(raw)),
            Ok(Some(Read::Message { body, raw })) => {
                let frame = Frame { direction: self.direction, body };
                Some(Decoded::Message(Message { frame, raw, tagger: Arc::clone(tagger), is_whole: true }))
            }
            // Only this direction becomes unreadable.
            Err(Unreadable(why)) => {
                let mut pending = BytesMut::from(&parser.take_pending()[..]);
                pending.unsplit(buf.split());
                *buf = pending;
                self.mode = Mode::Raw(why);
                Some(Decoded::WentRaw)
            }
        }
    }
}
