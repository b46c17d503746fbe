//! Says what a SpacetimeDB frame carries.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::ids::Seq;
use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::edit;
use super::incoming::read;
use super::naming;
use super::protocol::{ClientMessage, Protocol, ServerMessage, decode_client, decode_server};
use super::publish;
use super::request::{APPEND_REDUCER, RESUME_REDUCER, read_resume_args};
use super::rows::EventSchema;
use super::sort::{Ask, Sorter, merged};
use crate::frame::{Body, Carried, Contents, Direction, Edit, Frame, FrameTag, FrameTagger, Look, TaggerFactory};
use crate::lane::generic::{self, json_of};
use crate::lane::names::Names;
use crate::lane::wire_http;

/// Knows the frames of one connection's subprotocol.
#[derive(Debug, Clone)]
pub struct Tagger {
    pub(super) protocol: Protocol,
    pub(super) sorter: Sorter,
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
        Tagger { protocol, sorter: Sorter::new(names), schema }
    }

    fn look_asked(&self, message: &ClientMessage) -> Look {
        let (request_id, what) = asked(message);
        let ask = match what {
            Asked::Reducer(RESUME_REDUCER, args) => Ask::Check(read_resume_args(args)),
            Asked::Reducer(APPEND_REDUCER, args) => {
                Ask::Publish(publish::Call::of_bsatn(args).map(|call| call.stream_id().to_owned()))
            }
            Asked::Queries(queries) => Ask::Queries(queries.iter().map(|query| query.to_string()).collect()),
            _ => Ask::Other,
        };
        self.sorter.asked(request_id, ask)
    }

    fn look_incoming(&self, message: &mut ServerMessage) -> Look {
        let incoming = read(message, &self.schema);
        let via = incoming.via();
        let events = incoming.events.into_iter().flatten();
        self.sorter.incoming(&incoming.kind, via, events.map(|row| (row.stream_id, row.seq)))
    }

    fn asked_contents(&self, bytes: &[u8]) -> Contents {
        let mut contents = Contents::default();
        for message in decode_client(self.protocol, bytes).unwrap_or_default() {
            contents.names.extend(naming::of_client(&message));
            if let (_, Asked::Reducer(APPEND_REDUCER, args)) = asked(&message) {
                let event = publish::Call::of_bsatn(args).and_then(|call| call.event(&self.sorter));
                contents.events.extend(event);
            }
        }
        contents
    }

    fn incoming_contents(&self, bytes: &[u8]) -> Contents {
        let mut contents = Contents::default();
        for mut message in decode_server(self.protocol, bytes).unwrap_or_default() {
            contents.names.extend(naming::of_server(&message));
            let rows = read(&mut message, &self.schema).events.into_iter().flatten();
            let carried = rows.filter_map(|row| {
                Some(Carried {
                    stream: self.sorter.names.stream_of_candidate(&row.stream_id)?,
                    seq: Some(Seq(row.seq)),
                    payload: row.payload,
                })
            });
            contents.events.extend(carried);
        }
        contents
    }
}

/// The writer's HTTP.
impl Tagger {
    fn tag_http(direction: Direction, bytes: &[u8]) -> FrameTag {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        match direction {
            Direction::Upstream if called_over_http(head).as_deref() == Some(APPEND_REDUCER) => FrameTag::Publish,
            Direction::Upstream => FrameTag::Other,
            Direction::Downstream => {
                // A reducer's success has no body and its refusal is an object; what SQL finds is a list.
                let status = head.split_whitespace().nth(1).unwrap_or_default();
                let acks = (status == "200" && body.is_empty()) || status == "530";
                if acks { FrameTag::Ack } else { FrameTag::Other }
            }
        }
    }

    /// The event of a publish.
    fn published(&self, frame: &Frame) -> Option<Carried> {
        let body = json_of(frame)?;
        publish::Call::of_json(std::str::from_utf8(&body).ok()?)?.event(&self.sorter)
    }

    fn look_http(&self, frame: &Frame, bytes: &[u8]) -> Look {
        let mut look = Look::of(frame, Tagger::tag_http(frame.direction, bytes));
        if look.tag == FrameTag::Publish {
            look.streams.extend(self.published(frame).map(|event| (event.stream, None)));
        }
        look
    }

    fn http_contents(&self, frame: &Frame, bytes: &[u8]) -> Contents {
        let mut contents = generic::GenericTagger.contents(frame);
        let head = wire_http::parts(bytes).map(|(head, _)| head).unwrap_or_default();
        contents.names = called_over_http(head).into_iter().collect();
        if Tagger::tag_http(frame.direction, bytes) == FrameTag::Publish {
            contents.events.extend(self.published(frame));
        }
        contents
    }

    fn http_edited(&self, frame: &Frame, bytes: &[u8], edit: &Edit) -> Option<Frame> {
        let publishes = Tagger::tag_http(frame.direction, bytes) == FrameTag::Publish;
        let edited = publishes.then(|| {
            let body = json_of(frame)?;
            let call = publish::Call::of_json(std::str::from_utf8(&body).ok()?)?;
            generic::with_json(frame, call.edited(&self.sorter, edit)?.to_json()?)
        });
        match (edited.flatten(), edit) {
            (None, Edit::SetJson { pointer, value, .. }) => generic::with_value(frame, pointer, value),
            (edited, _) => edited,
        }
    }
}

/// The reducer that a request calls.
fn called_over_http(head: &str) -> Option<String> {
    let (method, path) = wire_http::method_and_path(head)?;
    let (_, reducer) = path.rsplit_once("/call/")?;
    (method == "POST" && !reducer.contains('/')).then(|| reducer.to_owned())
}

impl FrameTagger for Tagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        self.look(frame).tag
    }

    fn look(&self, frame: &Frame) -> Look {
        let looks: Vec<Look> = match (&frame.body, frame.direction) {
            (Body::Http(bytes), _) => return self.look_http(frame, bytes),
            (Body::Binary(bytes), Direction::Upstream) => {
                let messages = decode_client(self.protocol, bytes).unwrap_or_default();
                messages.iter().map(|message| self.look_asked(message)).collect()
            }
            (Body::Binary(bytes), Direction::Downstream) => {
                let messages = decode_server(self.protocol, bytes).unwrap_or_default();
                messages.into_iter().map(|mut message| self.look_incoming(&mut message)).collect()
            }
            _ => Vec::new(),
        };
        looks.into_iter().reduce(merged).unwrap_or_else(|| Look::of(frame, FrameTag::Other))
    }

    fn contents(&self, frame: &Frame) -> Contents {
        match (&frame.body, frame.direction) {
            (Body::Http(bytes), _) => self.http_contents(frame, bytes),
            (Body::Binary(bytes), Direction::Upstream) => self.asked_contents(bytes),
            (Body::Binary(bytes), Direction::Downstream) => self.incoming_contents(bytes),
            _ => Contents::default(),
        }
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let bytes = match &frame.body {
            Body::Binary(bytes) => bytes,
            Body::Http(bytes) => return self.http_edited(frame, bytes, edit),
            _ => return None,
        };
        let edited = match (frame.direction, edit) {
            (Direction::Upstream, Edit::Cursor { stream, to }) => edit::with_cursor(self, bytes, stream, *to)?,
            (Direction::Upstream, edit) => edit::with_publish_edited(self, bytes, edit)?,
            (Direction::Downstream, Edit::Cursor { .. }) => return None,
            (Direction::Downstream, edit) => edit::with_rows_edited(self, bytes, edit)?,
        };
        Some(Frame { direction: frame.direction, body: Body::Binary(edited) })
    }
}

#[cfg(test)]
mod tests;
