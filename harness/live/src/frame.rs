//! A WebSocket message on its way between a client and a lane, and what it carries, in words that fit every lane.

mod kinds;
pub mod pointer;
mod view;

use bytes::Bytes;
use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq, StreamId};

pub use cutover_core::plan::Direction;
pub use kinds::Kinds;
pub use view::{Carried, Contents, Look, View};

/// What a frame is made of. Fragmented messages are put together before they are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A text message (its bytes; UTF-8 is the lane's affair, not the proxy's).
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// A close frame's payload: nothing, or a code and a reason (RFC 6455, 5.5.1).
    Close(Bytes),
    /// An HTTP request or response that is no WebSocket upgrade: the writer's traffic, head and body whole.
    Http(Bytes),
}

/// A message with its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which way it goes.
    pub direction: Direction,
    /// What it is made of.
    pub body: Body,
}

/// What a frame carries, whatever the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameTag {
    /// The client asks to join (Phoenix), or the lane greets (SpacetimeDB).
    Join,
    /// The client asks for streams from its cursors.
    Resume {
        /// Each stream with its cursor, or `None` for a bootstrap.
        cursors: Vec<(StreamId, Option<Cursor>)>,
        /// Whether this frame begins the resume. A lane that asks in two frames (check, then subscribe) tags the second
        /// `false`, so that a fault counts the resume once and rewrites both.
        opens: bool,
    },
    /// The lane answers a resume, well or badly, after the replay.
    ResumeReply,
    /// The lane delivers events, in this order.
    Delivery {
        /// Stream and seq of each.
        events: Vec<(StreamId, Seq)>,
        /// In which of the lane's messages.
        via: Via,
    },
    /// The writer publishes.
    Publish,
    /// The lane answers the writer's publish.
    Ack,
    /// The client asks whether the lane is alive.
    Heartbeat,
    /// The lane answers that it is.
    HeartbeatReply,
    /// Anything else.
    Other,
}

/// A change to what a frame carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The resume of this stream asks for another cursor.
    Cursor {
        /// The stream.
        stream: StreamId,
        /// What the lane is to see.
        to: Cursor,
    },
    /// The event is taken out.
    RemoveEvent {
        /// The stream.
        stream: StreamId,
        /// The event.
        seq: Seq,
    },
    /// The event's payload is another one, the declared hash with it.
    ReplacePayload {
        /// The stream.
        stream: StreamId,
        /// The event.
        seq: Seq,
        /// The other payload's JSON text.
        payload: String,
    },
    /// The event also stands in the frame under another stream and seq.
    Misdeliver {
        /// The stream.
        stream: StreamId,
        /// The event.
        seq: Seq,
        /// The other stream.
        to_stream: StreamId,
        /// The other seq.
        to_seq: Seq,
    },
    /// A value is another one: in the payloads of these events, or, where none of them has the place, in the message
    /// itself. What an event declares of its payload stays as it was.
    SetJson {
        /// The events, those that are published without a seq; every event where there are none.
        events: Vec<(StreamId, Option<Seq>)>,
        /// Where: a JSON Pointer to a value that is there.
        pointer: String,
        /// The other value's JSON text.
        value: String,
    },
    /// A column of these events' rows, or a field of theirs, has another value of the same type.
    SetColumn {
        /// The events; every event where there are none.
        events: Vec<(StreamId, Option<Seq>)>,
        /// The column.
        column: String,
        /// The other value's JSON text.
        value: String,
    },
}

/// Knows one protocol well enough to say what a frame carries. Pure: the same frame gives the same tag, and a frame that
/// can't be read is [`FrameTag::Other`], never an error.
pub trait FrameTagger: Send + Sync {
    /// What the frame carries.
    fn tag(&self, frame: &Frame) -> FrameTag;

    /// What picks ask first of a frame, its tag included.
    fn look(&self, frame: &Frame) -> Look {
        Look::of(frame, self.tag(frame))
    }

    /// Whether all JSON that the frame carries stands in its bytes as it is, with nothing encoded or compressed within: then
    /// a key that is not to be found in them is in none of it.
    fn is_plain(&self, _frame: &Frame) -> bool {
        false
    }

    /// What picks ask last, since it costs more: names and payloads. Asked for only where a pick wants them.
    fn contents(&self, _frame: &Frame) -> Contents {
        Contents::default()
    }

    /// The frame with a change made, or `None` where the change does not apply to it. A frame that the change leaves with
    /// nothing in it comes back empty of events, still well-formed.
    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame>;
}

/// Chooses the tagger for a connection once its upgrade is answered.
pub trait TaggerFactory: Send + Sync {
    /// `request_target` is the path and query of the upgrade request; `subprotocol` the one that the lane chose.
    fn tagger(&self, request_target: &str, subprotocol: Option<&str>) -> std::sync::Arc<dyn FrameTagger>;
}
