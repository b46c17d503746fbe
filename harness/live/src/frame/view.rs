//! A frame as faults see it: cheap facts at once, costly facts on demand.

#![allow(missing_docs, reason = "the names say it")]

use std::cell::OnceCell;

use bytes::Bytes;
use cutover_core::history::Refusal;
use cutover_core::ids::{Seq, StreamId};

use super::{Body, Edit, Frame, FrameTag, FrameTagger, Kinds};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub tag: FrameTag,
    pub kinds: Kinds,
    /// The streams that it delivers, resumes or publishes to; with a seq for each event delivered.
    pub streams: Vec<(StreamId, Option<Seq>)>,
}

impl Facts {
    /// The facts that follow from a frame and its tag.
    pub fn of(frame: &Frame, tag: FrameTag) -> Facts {
        let own = Kinds::of_body(&frame.body);
        let facts = Facts::of_tag(tag);
        Facts { kinds: own.map_or(facts.kinds, Kinds::from), ..facts }
    }

    pub fn of_tag(tag: FrameTag) -> Facts {
        let streams = match &tag {
            FrameTag::Resume { cursors, .. } => cursors.iter().map(|(stream, _)| (stream.clone(), None)).collect(),
            FrameTag::Delivery { events, .. } => {
                let seqs = events.iter().map(|(stream, seq)| (stream.clone(), Some(*seq)));
                seqs.collect()
            }
            _ => Vec::new(),
        };
        Facts { kinds: Kinds::from(&tag), tag, streams }
    }
}

/// An event in a frame. A published event has no seq yet. The payload is JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    pub stream: StreamId,
    pub seq: Option<Seq>,
    pub payload: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    pub names: Vec<String>,
    pub events: Vec<Carried>,
    pub message: Option<Bytes>,
}

impl Contents {
    pub fn message(&self) -> Option<&str> {
        std::str::from_utf8(self.message.as_deref()?).ok()
    }
}

/// A frame with its tagger. Each fact is read at most once, for however many faults.
pub struct View<'a> {
    tagger: &'a dyn FrameTagger,
    frame: Frame,
    facts: Facts,
    plain: OnceCell<bool>,
    contents: OnceCell<Contents>,
}

impl<'a> View<'a> {
    pub fn new(tagger: &'a dyn FrameTagger, frame: Frame) -> View<'a> {
        View { facts: tagger.facts(&frame), tagger, frame, plain: OnceCell::new(), contents: OnceCell::new() }
    }

    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    pub fn tag(&self) -> &FrameTag {
        &self.facts.tag
    }

    /// What it carries, in a few words for the ledger: its kinds, and the first of its streams and events.
    pub fn summary(&self) -> String {
        let Facts { kinds, streams, .. } = &self.facts;
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

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether an object in it may have a member of this name. `false` is certain. A scan of the bytes is cheaper than
    /// [`View::contents`].
    pub fn may_name(&self, name: &str) -> bool {
        let (Body::Text(bytes) | Body::Binary(bytes)) = &self.frame.body else {
            return true;
        };
        let plain = || self.tagger.is_plain(&self.frame) && memchr::memchr(b'\\', bytes).is_none();
        !*self.plain.get_or_init(plain) || memchr::memmem::find(bytes, name.as_bytes()).is_some()
    }

    pub fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| self.tagger.contents(&self.frame))
    }

    pub fn answer(&self) -> Option<Result<Vec<(StreamId, Seq)>, Refusal>> {
        self.tagger.answer(&self.frame)
    }

    /// The changed frame, or `None` where the change does not apply to it.
    pub fn edited(&self, edit: &Edit) -> Option<Frame> {
        self.tagger.edit(&self.frame, edit)
    }
}
