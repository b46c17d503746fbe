//! A WebSocket message between a client and a lane, and what it carries, in terms that fit every protocol.

#![allow(missing_docs, reason = "the names say it")]

mod kinds;
pub mod pointer;
mod view;

use bytes::Bytes;
use cutover_core::history::{Refusal, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};

pub use cutover_core::plan::Direction;
pub use kinds::Kinds;
pub use view::{Carried, Contents, Facts, View};

/// The content of a frame. Fragmented messages are assembled first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The bytes of a text message. The proxy does not check that they are UTF-8.
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong(Bytes),
    /// Nothing, or a code and a reason (RFC 6455, 5.5.1).
    Close(Bytes),
    /// An HTTP request or response that is no WebSocket upgrade: the writer's traffic, with head and body.
    Http(Bytes),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub direction: Direction,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameTag {
    /// The client asks to join (Phoenix), or the lane greets (SpacetimeDB).
    Join,
    Resume {
        /// Each stream with its cursor, or `None` for a bootstrap.
        cursors: Vec<(StreamId, Option<Cursor>)>,
        /// Whether this frame begins the resume. Where a lane resumes in two frames (check, then subscribe), the second
        /// one has `false`, so that a fault counts the resume once and rewrites both.
        opens: bool,
    },
    ResumeReply,
    /// The lane delivers events, in this order.
    Delivery {
        events: Vec<(StreamId, Seq)>,
        via: Via,
    },
    Publish,
    Ack,
    Heartbeat,
    HeartbeatReply,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    Cursor {
        stream: StreamId,
        to: Cursor,
    },
    RemoveEvent {
        stream: StreamId,
        seq: Seq,
    },
    /// The event has another payload (JSON text), with the hash of that.
    ReplacePayload {
        stream: StreamId,
        seq: Seq,
        payload: String,
    },
    Misdeliver {
        stream: StreamId,
        seq: Seq,
        to_stream: StreamId,
        to_seq: Seq,
    },
    /// A JSON value changes: in the payloads of these events, or in the message itself where none of them has the
    /// pointer. Published events have no seq. Without a list every event changes. What an event says of its payload
    /// stays.
    SetJson {
        events: Vec<(StreamId, Option<Seq>)>,
        pointer: String,
        value: String,
    },
    /// A column or field of these events has another value (JSON text) of its type. Without a list all events change.
    SetColumn {
        events: Vec<(StreamId, Option<Seq>)>,
        column: String,
        value: String,
    },
}

/// Says what the frames of one protocol carry. It is pure: the same frame gives the same tag. An unreadable frame is
/// [`FrameTag::Other`], never an error.
pub trait FrameTagger: Send + Sync {
    fn tag(&self, frame: &Frame) -> FrameTag;

    fn facts(&self, frame: &Frame) -> Facts {
        Facts::of(frame, self.tag(frame))
    }

    /// Whether all JSON of the frame is in its bytes without encoding or compression. Then a key that is not in the
    /// bytes is not in the JSON either.
    fn is_plain(&self, _frame: &Frame) -> bool {
        false
    }

    /// Names and payloads. They cost more, and are only read where a fault needs them.
    fn contents(&self, _frame: &Frame) -> Contents {
        Contents::default()
    }

    /// How the lane answers a resume in this frame: with the heads that it names, or with a refusal.
    fn answer(&self, _frame: &Frame) -> Option<Result<Vec<(StreamId, Seq)>, Refusal>> {
        None
    }

    /// The changed frame, which stays well-formed without events; `None` where the change does not apply to it.
    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame>;
}

/// Chooses the tagger for a connection once its upgrade is answered.
pub trait TaggerFactory: Send + Sync {
    /// `request_target` is the path and query of the upgrade request, `subprotocol` the one that the lane chose.
    fn tagger(&self, request_target: &str, subprotocol: Option<&str>) -> std::sync::Arc<dyn FrameTagger>;

    /// The same for clients that are not ours, where ours say in their messages what each is for.
    fn for_others(&self) -> Option<std::sync::Arc<dyn TaggerFactory>> {
        None
    }
}
