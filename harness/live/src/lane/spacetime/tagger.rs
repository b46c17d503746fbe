//! Says what a SpacetimeDB frame carries.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq, StreamId};
use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::edit;
use super::incoming::{Call, Kind, read};
use super::protocol::{ClientMessage, Protocol, decode_client, decode_server};
use super::request::{APPEND_REDUCER, Purpose, RESUME_REDUCER, read_events_query, read_resume_args};
use super::rows::EventSchema;
use crate::frame::{Body, Direction, Edit, Frame, FrameTag, FrameTagger, TaggerFactory};
use crate::lane::names::Names;

/// Knows the frames of one connection's subprotocol.
#[derive(Debug, Clone)]
pub struct Tagger {
    pub(super) protocol: Protocol,
    pub(super) names: Arc<Names>,
    pub(super) schema: EventSchema,
}

/// Chooses the tagger by the subprotocol that the server picked.
#[derive(Debug, Clone)]
pub struct SpacetimeTaggers {
    names: Arc<Names>,
}

impl SpacetimeTaggers {
    /// Taggers for a lane with these streams.
    pub fn new(names: Arc<Names>) -> SpacetimeTaggers {
        SpacetimeTaggers { names }
    }
}

impl TaggerFactory for SpacetimeTaggers {
    fn tagger(&self, _request_target: &str, subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        // Where none was picked the connection is the writer's HTTP, whose frames are no BSATN at all.
        let protocol = subprotocol.and_then(Protocol::of).unwrap_or(Protocol::V1);
        Arc::new(Tagger::new(protocol, Arc::clone(&self.names), EventSchema::module()))
    }
}

/// What a client's message asks for.
pub(super) enum Asked<'a> {
    /// A reducer, with its arguments.
    Reducer(&'a str, &'a Bytes),
    /// Queries.
    Queries(&'a [Box<str>]),
    /// Anything else.
    Other,
}

/// Takes a client's message apart, with its request id.
pub(super) fn asked(message: &ClientMessage) -> (u32, Asked<'_>) {
    match message {
        ClientMessage::V1(v1::ClientMessage::CallReducer(call)) => {
            (call.request_id, Asked::Reducer(&call.reducer, &call.args))
        }
        ClientMessage::V1(v1::ClientMessage::SubscribeMulti(set)) => {
            (set.request_id, Asked::Queries(&set.query_strings))
        }
        ClientMessage::V1(v1::ClientMessage::Subscribe(set)) => (set.request_id, Asked::Queries(&set.query_strings)),
        ClientMessage::V1(v1::ClientMessage::SubscribeSingle(one)) => {
            (one.request_id, Asked::Queries(std::slice::from_ref(&one.query)))
        }
        ClientMessage::V2(v2::ClientMessage::CallReducer(call)) => {
            (call.request_id, Asked::Reducer(&call.reducer, &call.args))
        }
        ClientMessage::V2(v2::ClientMessage::Subscribe(set)) => (set.request_id, Asked::Queries(&set.query_strings)),
        _ => (0, Asked::Other),
    }
}

impl Tagger {
    /// A tagger for one subprotocol and one schema of events.
    pub fn new(protocol: Protocol, names: Arc<Names>, schema: EventSchema) -> Tagger {
        Tagger {
            protocol,
            names,
            schema,
        }
    }

    fn tag_to_lane(&self, bytes: &[u8]) -> FrameTag {
        let messages = decode_client(self.protocol, bytes).unwrap_or_default();
        let tags = messages.iter().map(|message| self.tag_asked(message));
        tags.reduce(|first, next| if first == FrameTag::Other { next } else { first })
            .unwrap_or(FrameTag::Other)
    }

    fn tag_asked(&self, message: &ClientMessage) -> FrameTag {
        let (request_id, asked) = asked(message);
        let purpose = Purpose::of(request_id);
        match asked {
            Asked::Reducer(RESUME_REDUCER, _) if purpose == Some(Purpose::Heartbeat) => FrameTag::Heartbeat,
            Asked::Reducer(RESUME_REDUCER, args) => match read_resume_args(args) {
                Some(cursors) => FrameTag::Resume {
                    cursors: self.cursors(cursors, false),
                    opens: true,
                },
                None => FrameTag::Other,
            },
            Asked::Queries(queries) => {
                let cursors: Vec<(String, u64)> = queries.iter().filter_map(|query| read_events_query(query)).collect();
                let opens = purpose == Some(Purpose::Bootstrap);
                match cursors.is_empty() {
                    true => FrameTag::Other,
                    false => FrameTag::Resume {
                        cursors: self.cursors(cursors, opens),
                        opens,
                    },
                }
            }
            _ => FrameTag::Other,
        }
    }

    fn cursors(&self, cursors: Vec<(String, u64)>, bootstrap: bool) -> Vec<(StreamId, Option<Cursor>)> {
        let named = cursors.into_iter().filter_map(|(name, cursor)| {
            let stream = self.names.stream_of_candidate(&name)?.clone();
            // Where everything begins at the bootstrap, `seq > 0` is no cursor but the lack of one.
            Some((stream, (!bootstrap || cursor > 0).then_some(Cursor(cursor))))
        });
        named.collect()
    }

    fn tag_to_client(&self, bytes: &[u8]) -> FrameTag {
        let messages = decode_server(self.protocol, bytes).unwrap_or_default();
        let tags = messages.into_iter().map(|mut message| self.tag_incoming(&mut message));
        tags.reduce(merged).unwrap_or(FrameTag::Other)
    }

    fn tag_incoming(&self, message: &mut super::protocol::ServerMessage) -> FrameTag {
        let incoming = read(message, &self.schema);
        let via = incoming.via();
        let events: Vec<(StreamId, Seq)> = incoming
            .events
            .iter()
            .flatten()
            .filter_map(|row| Some((self.names.stream_of_candidate(&row.stream_id)?.clone(), Seq(row.seq))))
            .collect();
        if !events.is_empty() {
            return FrameTag::Delivery { events, via };
        }
        let purpose = |request_id| Purpose::of(request_id);
        match incoming.kind {
            Kind::Greeting { .. } => FrameTag::Join,
            Kind::Applied { request_id } if purpose(request_id) == Some(Purpose::Heads) => FrameTag::ResumeReply,
            Kind::SubscribeFailed { .. } => FrameTag::ResumeReply,
            Kind::Called {
                request_id,
                call,
                result,
            } => match purpose(request_id).or_else(|| unnumbered(call.as_ref()?)) {
                Some(Purpose::Heartbeat) => FrameTag::HeartbeatReply,
                Some(Purpose::Check) if result.is_err() => FrameTag::ResumeReply,
                _ => FrameTag::Other,
            },
            _ => FrameTag::Other,
        }
    }

    fn tag_http(direction: Direction, bytes: &[u8]) -> FrameTag {
        let text = String::from_utf8_lossy(bytes);
        match direction {
            Direction::ToLane => {
                let mut line = text.split_whitespace();
                let post = line.next() == Some("POST");
                let path = line
                    .next()
                    .and_then(|target| target.split('?').next())
                    .unwrap_or_default();
                let publishes = post && path.ends_with(&format!("/call/{APPEND_REDUCER}"));
                if publishes { FrameTag::Publish } else { FrameTag::Other }
            }
            Direction::ToClient => {
                // A reducer's success has no body and its refusal is an object; what SQL finds is a list.
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                let status = head.split_whitespace().nth(1).unwrap_or_default();
                let acks = (status == "200" && body.is_empty()) || status == "530";
                if acks { FrameTag::Ack } else { FrameTag::Other }
            }
        }
    }
}

/// What a call was for whose answer does not name the request.
fn unnumbered(call: &Call) -> Option<Purpose> {
    if call.reducer != RESUME_REDUCER {
        return None;
    }
    let cursors = read_resume_args(&call.args)?;
    let beyond_any_head = cursors.iter().all(|(_, cursor)| *cursor == u64::MAX);
    Some(if beyond_any_head {
        Purpose::Heartbeat
    } else {
        Purpose::Check
    })
}

/// Two messages in one frame: deliveries are put together, and go before anything else.
fn merged(first: FrameTag, next: FrameTag) -> FrameTag {
    match (first, next) {
        (
            FrameTag::Delivery { mut events, via },
            FrameTag::Delivery {
                events: more,
                via: other,
            },
        ) => {
            events.extend(more);
            let via = if via == other { via } else { Via::Transaction };
            FrameTag::Delivery { events, via }
        }
        (first @ FrameTag::Delivery { .. }, _) => first,
        (FrameTag::Other, next) | (_, next @ FrameTag::Delivery { .. }) => next,
        (first, _) => first,
    }
}

impl FrameTagger for Tagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        match (&frame.body, frame.direction) {
            (Body::Http(bytes), direction) => Tagger::tag_http(direction, bytes),
            (Body::Binary(bytes), Direction::ToLane) => self.tag_to_lane(bytes),
            (Body::Binary(bytes), Direction::ToClient) => self.tag_to_client(bytes),
            _ => FrameTag::Other,
        }
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let Body::Binary(bytes) = &frame.body else { return None };
        let edited = match (frame.direction, edit) {
            (Direction::ToLane, Edit::Cursor { stream, to }) => edit::with_cursor(self, bytes, stream, *to)?,
            (Direction::ToLane, _) | (_, Edit::Cursor { .. }) => return None,
            (Direction::ToClient, edit) => edit::with_rows_edited(self, bytes, edit)?,
        };
        Some(Frame {
            direction: frame.direction,
            body: Body::Binary(edited),
        })
    }
}

#[cfg(test)]
mod tests;
