//! One HTTP message of a direction: assembled for the faults that may apply to it, or passed as it comes.

use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::exchange::Request;
use super::http::{BodyScan, Framing};
use super::unit::{Decoded, Message, skim};
use super::ws::Skimmed;
use crate::frame::{Body, Direction, Frame, FrameTag, FrameTagger};

pub(super) struct HttpBody {
    scan: BodyScan,
    /// How many bytes at the front of the buffer belong to the message and were scanned. They begin with its head.
    front: usize,
    /// Where it is assembled for the faults: at most how many bytes, and its tagger. The rest of it passes unread.
    shown: Option<(usize, Arc<dyn FrameTagger>)>,
    begun: bool,
    discard: bool,
}

impl HttpBody {
    /// A message whose head is at the front of the buffer.
    pub(super) fn new(framing: Framing, front: usize, shown: Option<(usize, Arc<dyn FrameTagger>)>) -> HttpBody {
        HttpBody { scan: BodyScan::new(framing), front, shown, begun: false, discard: false }
    }

    pub(super) fn discard(&mut self) {
        self.discard = true;
    }

    /// The next part of it, and whether it is complete.
    pub(super) fn next(
        &mut self,
        direction: Direction,
        buf: &mut BytesMut,
    ) -> Result<(Option<Decoded>, bool), &'static str> {
        let most = self.shown.as_ref().map_or(usize::MAX, |(most, _)| *most);
        let ahead = buf.get(self.front..most.min(buf.len())).unwrap_or_default();
        self.front += self.scan.advance(ahead)?;
        let done = self.scan.done();
        if self.shown.is_some() && !done && self.front < most {
            return Ok((Some(Decoded::More), false));
        }
        let bytes = std::mem::take(&mut self.front);
        let begun = std::mem::replace(&mut self.begun, true);
        let step = match self.shown.take() {
            Some((_, tagger)) => {
                let raw = buf.split_to(bytes).freeze();
                let body = Body::Http(raw.clone());
                let frame = Frame { direction, body };
                Some(Decoded::Message(Message { frame, raw, tagger, is_whole: done }))
            }
            None if bytes == 0 => (!done).then_some(Decoded::More),
            None if self.discard => {
                buf.advance(bytes);
                None
            }
            // Head and body in one write, where both have arrived.
            None => Some(skim(Skimmed { bytes, messages: u64::from(!begun) })),
        };
        Ok((step, done))
    }
}

pub(super) fn publishes(tagger: &dyn FrameTagger, request: &Request) -> bool {
    let head = format!("{} {} HTTP/1.1\r\n\r\n", request.method, request.target);
    let frame = Frame { direction: Direction::Upstream, body: Body::Http(head.into()) };
    tagger.tag(&frame) == FrameTag::Publish
}
