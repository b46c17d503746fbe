//! The kinds of message that a frame is. Most frames are of one kind; a frame with several messages can be of several.

#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use cutover_core::plan::MessageKind;

use super::{Body, FrameTag};

/// A set of kinds, never empty. It has [`MessageKind::Other`] only where it has nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u16);

const OTHER: u16 = 1 << MessageKind::Other as u16;

impl Kinds {
    pub fn has(self, kind: MessageKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    #[must_use]
    pub fn and(self, other: impl Into<Kinds>) -> Kinds {
        let all = self.0 | other.into().0;
        Kinds(if all == OTHER { OTHER } else { all & !OTHER })
    }

    /// The kind of a control frame; `None` for other frames.
    pub fn of_body(body: &Body) -> Option<MessageKind> {
        match body {
            Body::Ping(_) => Some(MessageKind::Heartbeat),
            Body::Pong(_) => Some(MessageKind::HeartbeatReply),
            Body::Close(_) => Some(MessageKind::Close),
            Body::Text(_) | Body::Binary(_) | Body::Http(_) => None,
        }
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = MessageKind::WORDS.into_iter().filter(|(_, kind)| self.has(*kind));
        let words: Vec<&str> = ours.map(|(word, _)| word).collect();
        f.write_str(&words.join("+"))
    }
}

/// The kind of a tag. The second frame of a resume is no resume of its own.
impl From<&FrameTag> for Kinds {
    fn from(tag: &FrameTag) -> Kinds {
        Kinds::from(match tag {
            FrameTag::Join => MessageKind::Join,
            FrameTag::Resume { opens: true, .. } => MessageKind::Resume,
            FrameTag::Resume { opens: false, .. } | FrameTag::Other => MessageKind::Other,
            FrameTag::ResumeReply => MessageKind::ResumeReply,
            FrameTag::Delivery { .. } => MessageKind::Delivery,
            FrameTag::Publish => MessageKind::Publish,
            FrameTag::Ack => MessageKind::Ack,
            FrameTag::Heartbeat => MessageKind::Heartbeat,
            FrameTag::HeartbeatReply => MessageKind::HeartbeatReply,
        })
    }
}

impl From<MessageKind> for Kinds {
    fn from(kind: MessageKind) -> Kinds {
        Kinds(1 << kind as u16)
    }
}

#[cfg(test)]
mod tests;
