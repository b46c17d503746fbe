//! What a direction is cut into.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::ws::Skimmed;
use crate::frame::{Frame, FrameTagger};

/// What comes next in a direction.
pub(super) enum Step {
    /// Something to pass on.
    Unit(Unit),
    /// Bytes at the front of the buffer that go on as they are, and how many messages begin in them.
    Skim(Skimmed),
    /// Bytes of the buffer that go on as they are, and stay in it: they are still being read.
    Peeked(Range<usize>),
    /// More bytes are needed.
    More,
    /// Nothing can be said before the other direction has switched (or not).
    AwaitSwitch,
    /// The direction can't be read from here on ([`Decoder::unread`] says why); ask again for its bytes.
    WentRaw,
    /// A message is too long to be put together, and passes unread; it has at least so many bytes.
    OverLimit(u64),
}

/// Something to pass on, whole.
pub(super) enum Unit {
    /// Bytes that no fault looks at.
    Bytes(Bytes),
    /// Bytes of a message that faults would look at, and that can't be read.
    Unread(Bytes),
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
}

/// What passes unread, or a wish for more where nothing does.
pub(super) fn skim(bytes: usize, messages: u64) -> Step {
    if bytes == 0 { Step::More } else { Step::Skim(Skimmed { bytes, messages }) }
}
