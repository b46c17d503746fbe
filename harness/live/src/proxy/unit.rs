//! What a direction is cut into.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::ws::Skimmed;
use crate::frame::{Frame, FrameTagger};

pub(super) enum Decoded {
    Bytes(Bytes),
    /// Bytes of an unreadable message that a fault may need.
    Unread(Bytes),
    Message(Message),
    /// Bytes at the front of the buffer to pass on as they are, and how many messages begin in them.
    Skim(Skimmed),
    /// Bytes of the buffer to pass on as they are. They stay in the buffer, since the decoder still needs them.
    Peeked(Range<usize>),
    More,
    /// The other direction decides first whether the connection becomes a WebSocket.
    AwaitSwitch,
    /// The direction is unreadable from here on (`Decoder::unread` says why). Ask again for its bytes.
    WentRaw,
    /// A message is too long to assemble, and passes unread. It has at least so many bytes.
    OverLimit(u64),
}

pub(super) struct Message {
    pub(super) frame: Frame,
    pub(super) raw: Bytes,
    pub(super) tagger: Arc<dyn FrameTagger>,
    /// Otherwise this is its beginning, and the rest follows as bytes.
    pub(super) is_whole: bool,
}

/// Bytes that pass unread. Where there are none, more are needed.
pub(super) fn skim(skimmed: Skimmed) -> Decoded {
    if skimmed.bytes == 0 { Decoded::More } else { Decoded::Skim(skimmed) }
}
