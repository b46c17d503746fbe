//! A frame as picks see it: what is cheap to tell at once, what is dear only when it is asked for.

use std::cell::OnceCell;

use bytes::Bytes;
use cutover_core::ids::{Seq, StreamId};

use super::{Body, Edit, Frame, FrameTag, FrameTagger, Kinds};

/// What is told of a frame at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it carries.
    pub tag: FrameTag,
    /// What sorts of message it is.
    pub kinds: Kinds,
    /// The streams that it delivers, asks for or publishes to; with a seq for each event delivered.
    pub streams: Vec<(StreamId, Option<Seq>)>,
}

impl Look {
    /// What a tag tells of a frame.
    pub fn of(frame: &Frame, tag: FrameTag) -> Look {
        let own = Kinds::of_body(&frame.body);
        let look = Look::of_tag(tag);
        Look { kinds: own.map_or(look.kinds, Kinds::from), ..look }
    }

    /// What a tag tells by itself.
    pub fn of_tag(tag: FrameTag) -> Look {
        let streams = match &tag {
            FrameTag::Resume { cursors, .. } => cursors.iter().map(|(stream, _)| (stream.clone(), None)).collect(),
            FrameTag::Delivery { events, .. } => {
                let seqs = events.iter().map(|(stream, seq)| (stream.clone(), Some(*seq)));
                seqs.collect()
            }
            _ => Vec::new(),
        };
        Look { kinds: Kinds::from(&tag), tag, streams }
    }
}

/// An event in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The stream.
    pub stream: StreamId,
    /// The seq; `None` of an event that is being published.
    pub seq: Option<Seq>,
    /// The payload's JSON text.
    pub payload: String,
}

/// What a frame holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The lane's own names of its messages, and of the reducers that they call or report.
    pub names: Vec<String>,
    /// The events that it delivers or publishes.
    pub events: Vec<Carried>,
    /// The whole message, where it is JSON text.
    pub message: Option<Bytes>,
}

impl Contents {
    /// The whole message, where it is JSON text.
    pub fn message(&self) -> Option<&str> {
        std::str::from_utf8(self.message.as_deref()?).ok()
    }
}

/// A frame with its tagger, looked into once however many faults ask.
pub struct View<'a> {
    tagger: &'a dyn FrameTagger,
    frame: Frame,
    look: Look,
    plain: OnceCell<bool>,
    contents: OnceCell<Contents>,
}

impl<'a> View<'a> {
    /// Looks at a frame.
    pub fn new(tagger: &'a dyn FrameTagger, frame: Frame) -> View<'a> {
        View { look: tagger.look(&frame), tagger, frame, plain: OnceCell::new(), contents: OnceCell::new() }
    }

    /// The frame.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// What it carries.
    pub fn tag(&self) -> &FrameTag {
        &self.look.tag
    }

    /// What it carries, in a few words for the ledger: its sorts, and the first of the streams and events that it names.
    pub fn summary(&self) -> String {
        let Look { kinds, streams, .. } = &self.look;
        let first = streams.iter().find(|(_, seq)| seq.is_some()).or(streams.first());
        let mut said = kinds.to_string();
        if let Some((stream, seq)) = first {
            said += &format!(" {stream}");
            said += &seq.map(|seq| format!(" {seq}")).unwrap_or_default();
        }
        if streams.len() > 1 {
            said += &format!(" (+{})", streams.len() - 1);
        }
        said
    }

    /// What is told at once.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Whether an object in it may have a member of this name. `false` is certain and costs a scan of the bytes, where
    /// [`View::contents`] costs a reading of them.
    pub fn may_name(&self, name: &str) -> bool {
        let (Body::Text(bytes) | Body::Binary(bytes)) = &self.frame.body else {
            return true;
        };
        let plain = || self.tagger.is_plain(&self.frame) && memchr::memchr(b'\\', bytes).is_none();
        !*self.plain.get_or_init(plain) || memchr::memmem::find(bytes, name.as_bytes()).is_some()
    }

    /// What it holds.
    pub fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| self.tagger.contents(&self.frame))
    }

    /// The frame with a change made, or `None` where the change does not apply to it.
    pub fn edited(&self, edit: &Edit) -> Option<Frame> {
        self.tagger.edit(&self.frame, edit)
    }
}
