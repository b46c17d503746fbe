//! Says what each of SpacetimeDB's messages is, in whichever form it came.
//!
//! A lane of this harness numbers its requests so that the number says what each was for (`request.rs`). For any other
//! client only the message itself says it.

use std::sync::Arc;

use cutover_core::history::{Refusal, Via};
use cutover_core::ids::{Cursor, Seq, StreamId};
use cutover_core::plan::MessageKind;

use super::incoming::{Call, Kind};
use super::request::{Purpose, read_resume_args};
use super::rows::EventRow;
use super::shape::ModuleShape;
use crate::frame::{Carried, Edit, Facts, FrameTag, Kinds};
use crate::lane::names::Names;
use crate::lane::refusal::{read_refusal, refusal};
use serde_json::Value;

pub(super) struct Message {
    pub(super) names: Vec<String>,
    pub(super) content: Content,
}

pub(super) enum Content {
    Request { request_id: u32, ask: Ask },
    Incoming { kind: Kind, events: Vec<EventRow> },
}

pub(super) enum Ask {
    Check(Option<Vec<(String, u64)>>),
    Publish(Option<Carried>),
    Queries(Vec<String>),
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Classifier {
    pub(super) names: Arc<Names>,
    pub(super) shape: Arc<ModuleShape>,
    numbered: bool,
}

impl Classifier {
    pub(super) fn new(names: Arc<Names>, shape: Arc<ModuleShape>) -> Classifier {
        Classifier { numbered: !names.is_any(), names, shape }
    }

    pub(super) fn appends(&self, reducer: &str) -> bool {
        reducer == self.shape.append.reducer
    }

    pub(super) fn checks(&self, reducer: &str) -> bool {
        self.shape.checks_cursors() && reducer == self.shape.resume.reducer
    }

    pub(super) fn facts(&self, message: Message) -> Facts {
        match message.content {
            Content::Request { request_id, ask } => self.request(request_id, ask),
            Content::Incoming { kind, events } => self.incoming(&kind, events),
        }
    }

    pub(super) fn events(&self, content: Content) -> Vec<Carried> {
        match content {
            Content::Request { ask: Ask::Publish(event), .. } => event.into_iter().collect(),
            Content::Request { .. } => Vec::new(),
            Content::Incoming { events, .. } => {
                let carried = events.into_iter().filter_map(|row| {
                    let stream = self.names.stream_of_id(&row.stream_id)?;
                    Some(Carried { stream, seq: Some(Seq(row.seq)), payload: row.payload })
                });
                carried.collect()
            }
        }
    }

    /// For clients whose requests are not numbered as ours.
    pub(super) fn of_others(names: Arc<Names>, shape: Arc<ModuleShape>) -> Classifier {
        Classifier { names, shape, numbered: false }
    }

    pub(super) fn answer(&self, content: &Content) -> Option<Result<Vec<(StreamId, Seq)>, Refusal>> {
        let Content::Incoming { kind, .. } = content else { return None };
        match kind {
            Kind::Applied { .. } => Some(Ok(Vec::new())),
            Kind::SubscribeFailed { message, .. } | Kind::Called { result: Err(message), .. } => {
                let json: Value = serde_json::from_str(message).unwrap_or_default();
                let read = read_refusal(&json, |name| self.names.stream_of_id(name));
                Some(Err(read.unwrap_or_else(|| refusal("unknown", message.as_str()))))
            }
            _ => None,
        }
    }

    fn purpose(&self, request_id: u32) -> Option<Purpose> {
        self.numbered.then(|| Purpose::of(request_id)).flatten()
    }

    pub(super) fn request(&self, request_id: u32, ask: Ask) -> Facts {
        let purpose = self.purpose(request_id);
        let untagged =
            |kind: MessageKind| Facts { tag: FrameTag::Other, kinds: Kinds::from(kind), streams: Vec::new() };
        match ask {
            _ if purpose == Some(Purpose::Heartbeat) => Facts::of_tag(FrameTag::Heartbeat),
            Ask::Check(Some(cursors)) if !self.numbered && is_heartbeat(&cursors) => Facts::of_tag(FrameTag::Heartbeat),
            Ask::Check(Some(cursors)) => {
                Facts::of_tag(FrameTag::Resume { cursors: self.cursors(cursors, false), opens: true })
            }
            Ask::Publish(event) => {
                let mut facts = untagged(MessageKind::Publish);
                facts.streams.extend(event.map(|event| (event.stream, None)));
                facts
            }
            Ask::Queries(queries) => {
                let cursors: Vec<(String, u64)> =
                    queries.iter().filter_map(|query| self.shape.read_events_query(query)).collect();
                let opens = !self.numbered || purpose == Some(Purpose::Bootstrap);
                match cursors.is_empty() {
                    true if self.numbered => Facts::of_tag(FrameTag::Other),
                    true => untagged(MessageKind::Resume),
                    false => Facts::of_tag(FrameTag::Resume { cursors: self.cursors(cursors, opens), opens }),
                }
            }
            Ask::Check(None) | Ask::Other => Facts::of_tag(FrameTag::Other),
        }
    }

    fn cursors(&self, cursors: Vec<(String, u64)>, bootstrap: bool) -> Vec<(StreamId, Option<Cursor>)> {
        let named = cursors.into_iter().filter_map(|(name, cursor)| {
            let stream = self.names.stream_of_id(&name)?;
            // In a bootstrap `seq > 0` stands for no cursor.
            Some((stream, (!bootstrap || cursor > 0).then_some(Cursor(cursor))))
        });
        named.collect()
    }

    fn incoming(&self, kind: &Kind, events: Vec<EventRow>) -> Facts {
        let known = events.into_iter().filter_map(|row| Some((self.names.stream_of_id(&row.stream_id)?, Seq(row.seq))));
        let events: Vec<(StreamId, Seq)> = known.collect();
        let own = match kind {
            Kind::Greeting { .. } => Facts::of_tag(FrameTag::Join),
            Kind::Applied { request_id } if self.purpose(*request_id) == Some(Purpose::Heartbeat) => {
                Facts::of_tag(FrameTag::HeartbeatReply)
            }
            Kind::Applied { request_id } if self.ends_resume(*request_id) => Facts::of_tag(FrameTag::ResumeReply),
            Kind::SubscribeFailed { .. } => Facts::of_tag(FrameTag::ResumeReply),
            Kind::Called { request_id, call, result } => self.called(*request_id, call.as_ref(), result.is_err()),
            _ => Facts::of_tag(FrameTag::Other),
        };
        if events.is_empty() {
            return own;
        }
        let delivery = Facts::of_tag(FrameTag::Delivery { events, via: kind.via() });
        Facts { kinds: own.kinds.and(MessageKind::Delivery), ..delivery }
    }

    fn ends_resume(&self, request_id: u32) -> bool {
        !self.numbered || self.purpose(request_id) == Some(Purpose::Heads)
    }

    fn called(&self, request_id: u32, call: Option<&Call>, failed: bool) -> Facts {
        let purpose = self.purpose(request_id).or_else(|| self.unnumbered(call?));
        let publishes = call.is_some_and(|call| self.appends(&call.reducer));
        match purpose {
            Some(Purpose::Heartbeat) => Facts::of_tag(FrameTag::HeartbeatReply),
            Some(Purpose::Check) if failed || !self.numbered => Facts::of_tag(FrameTag::ResumeReply),
            // v2 reports a client's own calls only; v1 reports every call to every client, with the reducer's name.
            None if !self.numbered && (publishes || call.is_none()) => {
                Facts { kinds: Kinds::from(MessageKind::Ack), ..Facts::of_tag(FrameTag::Other) }
            }
            _ => Facts::of_tag(FrameTag::Other),
        }
    }

    /// What a call was for whose answer does not name the request.
    fn unnumbered(&self, call: &Call) -> Option<Purpose> {
        if !self.checks(&call.reducer) {
            return None;
        }
        let cursors = read_resume_args(&call.args)?;
        Some(if is_heartbeat(&cursors) { Purpose::Heartbeat } else { Purpose::Check })
    }

    pub(super) fn applies(&self, edit: &Edit, stream_id: &str, seq: Option<Seq>) -> bool {
        match edit {
            Edit::Cursor { .. } => false,
            Edit::RemoveEvent { stream, seq: of }
            | Edit::ReplacePayload { stream, seq: of, .. }
            | Edit::Misdeliver { stream, seq: of, .. } => {
                self.names.stream_id(stream) == Some(stream_id) && seq == Some(*of)
            }
            Edit::SetJson { events, .. } | Edit::SetColumn { events, .. } => {
                let event = self.names.stream_of_id(stream_id).map(|stream| (stream, seq));
                event.is_some_and(|event| events.is_empty() || events.contains(&event))
            }
        }
    }
}

/// A heartbeat checks cursors that lie beyond any head.
fn is_heartbeat(cursors: &[(String, u64)]) -> bool {
    cursors.iter().all(|(_, cursor)| *cursor == u64::MAX)
}

/// Two messages in one frame: the frame is of both kinds. A delivery takes precedence over any other tag.
pub(super) fn merged(first: Facts, next: Facts) -> Facts {
    let mut streams = first.streams;
    streams.extend(next.streams);
    Facts { tag: merged_tags(first.tag, next.tag), kinds: first.kinds.and(next.kinds), streams }
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
