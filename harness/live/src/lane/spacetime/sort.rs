//! What sort of message each of SpacetimeDB's is, in whichever form it came.
//!
//! A lane of this harness numbers its requests so that the number says what each was for (`request.rs`). Of anybody else's
//! client only the message itself tells.

use std::sync::Arc;

use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::MessageKind;

use super::incoming::{Call, Kind};
use super::request::{APPEND_REDUCER, Purpose, RESUME_REDUCER, read_events_query, read_resume_args};
use crate::frame::{Edit, FrameTag, Kinds, Look};
use crate::lane::names::Names;

/// What a client's message asks for, as far as sorting it goes.
pub(super) enum Ask {
    /// A resume's check, with its cursors where they can be read.
    Check(Option<Vec<(String, u64)>>),
    /// A publish, with its stream where that can be read.
    Publish(Option<String>),
    /// These queries.
    Queries(Vec<String>),
    /// Anything else.
    Other,
}

/// Sorts messages.
#[derive(Debug, Clone)]
pub(super) struct Sorter {
    pub(super) names: Arc<Names>,
    /// Whether requests are numbered by this lane.
    numbered: bool,
}

impl Sorter {
    pub(super) fn new(names: Arc<Names>) -> Sorter {
        Sorter { numbered: !names.is_any(), names }
    }

    fn purpose(&self, request_id: u32) -> Option<Purpose> {
        self.numbered.then(|| Purpose::of(request_id)).flatten()
    }

    /// A client's message.
    pub(super) fn asked(&self, request_id: u32, ask: Ask) -> Look {
        let purpose = self.purpose(request_id);
        let untagged = |kind: MessageKind| look(FrameTag::Other, Kinds::from(kind), Vec::new());
        match ask {
            Ask::Check(_) if purpose == Some(Purpose::Heartbeat) => tagged(FrameTag::Heartbeat),
            Ask::Check(Some(cursors)) if !self.numbered && is_heartbeat(&cursors) => tagged(FrameTag::Heartbeat),
            Ask::Check(Some(cursors)) => {
                tagged(FrameTag::Resume { cursors: self.cursors(cursors, false), opens: true })
            }
            Ask::Publish(stream_id) => {
                let stream = stream_id.and_then(|stream_id| self.names.stream_of_candidate(&stream_id));
                let mut look = untagged(MessageKind::Publish);
                look.streams.extend(stream.map(|stream| (stream, None)));
                look
            }
            Ask::Queries(queries) => {
                let cursors: Vec<(String, u64)> = queries.iter().filter_map(|query| read_events_query(query)).collect();
                let opens = !self.numbered || purpose == Some(Purpose::Bootstrap);
                match cursors.is_empty() {
                    true if self.numbered => tagged(FrameTag::Other),
                    true => untagged(MessageKind::Resume),
                    false => tagged(FrameTag::Resume { cursors: self.cursors(cursors, opens), opens }),
                }
            }
            Ask::Check(None) | Ask::Other => tagged(FrameTag::Other),
        }
    }

    fn cursors(&self, cursors: Vec<(String, u64)>, bootstrap: bool) -> Vec<(StreamId, Option<Cursor>)> {
        let named = cursors.into_iter().filter_map(|(name, cursor)| {
            let stream = self.names.stream_of_candidate(&name)?;
            // Where everything begins at the bootstrap, `seq > 0` is no cursor but the lack of one.
            Some((stream, (!bootstrap || cursor > 0).then_some(Cursor(cursor))))
        });
        named.collect()
    }

    /// A server's message, with the events that it brings.
    pub(super) fn incoming(&self, kind: &Kind, via: Via, events: impl Iterator<Item = (String, u64)>) -> Look {
        let known = events.filter_map(|(stream_id, seq)| Some((self.names.stream_of_candidate(&stream_id)?, Seq(seq))));
        let events: Vec<(StreamId, Seq)> = known.collect();
        let (tag, mut kinds) = match kind {
            Kind::Greeting { .. } => told(FrameTag::Join),
            Kind::Applied { request_id } if self.ends_resume(*request_id) => told(FrameTag::ResumeReply),
            Kind::SubscribeFailed { .. } => told(FrameTag::ResumeReply),
            Kind::Called { request_id, call, result } => self.called(*request_id, call.as_ref(), result.is_err()),
            _ => told(FrameTag::Other),
        };
        if events.is_empty() {
            return look(tag, kinds, Vec::new());
        }
        kinds = kinds.and(MessageKind::Delivery);
        let streams = events.iter().map(|(stream, seq)| (stream.clone(), Some(*seq))).collect();
        look(FrameTag::Delivery { events, via }, kinds, streams)
    }

    fn ends_resume(&self, request_id: u32) -> bool {
        !self.numbered || self.purpose(request_id) == Some(Purpose::Heads)
    }

    fn called(&self, request_id: u32, call: Option<&Call>, failed: bool) -> (FrameTag, Kinds) {
        let purpose = self.purpose(request_id).or_else(|| unnumbered(call?));
        let publishes = call.is_some_and(|call| call.reducer == APPEND_REDUCER);
        match purpose {
            Some(Purpose::Heartbeat) => told(FrameTag::HeartbeatReply),
            Some(Purpose::Check) if failed || !self.numbered => told(FrameTag::ResumeReply),
            // v2 tells of one's own calls only; v1 tells every client of every call, with its name.
            None if !self.numbered && (publishes || call.is_none()) => (FrameTag::Other, Kinds::from(MessageKind::Ack)),
            _ => told(FrameTag::Other),
        }
    }

    /// Whether an edit means this event.
    pub(super) fn means(&self, edit: &Edit, stream_id: &str, seq: Option<Seq>) -> bool {
        match edit {
            Edit::Cursor { .. } => false,
            Edit::RemoveEvent { stream, seq: of }
            | Edit::ReplacePayload { stream, seq: of, .. }
            | Edit::Misdeliver { stream, seq: of, .. } => {
                self.names.candidate(stream) == Some(stream_id) && seq == Some(*of)
            }
            Edit::SetJson { events, .. } | Edit::SetColumn { events, .. } => {
                let event = self.names.stream_of_candidate(stream_id).map(|stream| (stream, seq));
                event.is_some_and(|event| events.is_empty() || events.contains(&event))
            }
        }
    }
}

fn look(tag: FrameTag, kinds: Kinds, streams: Vec<(StreamId, Option<Seq>)>) -> Look {
    Look { tag, kinds, streams }
}

/// What a tag tells.
fn told(tag: FrameTag) -> (FrameTag, Kinds) {
    let look = Look::of_tag(tag);
    (look.tag, look.kinds)
}

/// What a tag tells, streams included.
pub(super) fn tagged(tag: FrameTag) -> Look {
    Look::of_tag(tag)
}

/// A heartbeat checks cursors that lie beyond any head.
fn is_heartbeat(cursors: &[(String, u64)]) -> bool {
    cursors.iter().all(|(_, cursor)| *cursor == u64::MAX)
}

/// What a call was for whose answer does not name the request.
fn unnumbered(call: &Call) -> Option<Purpose> {
    if call.reducer != RESUME_REDUCER {
        return None;
    }
    let cursors = read_resume_args(&call.args)?;
    Some(if is_heartbeat(&cursors) { Purpose::Heartbeat } else { Purpose::Check })
}

/// Two messages in one frame: of both sorts; their deliveries are put together, and go before anything else.
pub(super) fn merged(first: Look, next: Look) -> Look {
    let mut streams = first.streams;
    streams.extend(next.streams);
    look(merged_tags(first.tag, next.tag), first.kinds.and(next.kinds), streams)
}

fn merged_tags(first: FrameTag, next: FrameTag) -> FrameTag {
    match (first, next) {
        (FrameTag::Delivery { mut events, via }, FrameTag::Delivery { events: more, via: other }) => {
            events.extend(more);
            let via = if via == other { via } else { Via::Transaction };
            FrameTag::Delivery { events, via }
        }
        (first @ FrameTag::Delivery { .. }, _) => first,
        (FrameTag::Other, next) | (_, next @ FrameTag::Delivery { .. }) => next,
        (first, _) => first,
    }
}
