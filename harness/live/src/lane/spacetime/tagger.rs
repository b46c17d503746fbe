//! Says what a SpacetimeDB frame carries, and changes it.

#![allow(missing_docs, reason = "the names say it")]

use std::sync::Arc;

use cutover_core::history::Refusal;
use cutover_core::ids::{Seq, StreamId};

use super::classify::{Ask, Classifier, Content, Message, merged};
use super::edit;
use super::incoming::{Kind, read};
use super::json::JsonMessage;
use super::protocol::{Asked, ClientMessage, Protocol, ServerMessage, asked, decode_client, decode_server, names};
use super::publish::PublishArgs;
use super::request::read_resume_args;
use super::schema::Schema;
use crate::frame::{Body, Carried, Contents, Direction, Edit, Facts, Frame, FrameTag, FrameTagger, TaggerFactory};
use crate::lane::generic::{self, json_of};
use crate::lane::names::Names;
use crate::lane::wire_http;

#[derive(Debug, Clone)]
pub struct Tagger {
    format: Format,
    classifier: Classifier,
    schema: Arc<Schema>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Bsatn(Protocol),
    /// As JSON text ([`JSON_PROTOCOL`](super::JSON_PROTOCOL)).
    Json,
}

#[derive(Debug, Clone)]
pub struct SpacetimeTaggers {
    names: Arc<Names>,
    schema: Arc<Schema>,
    /// Whether they read clients that do not number their requests as ours.
    of_others: bool,
}

impl SpacetimeTaggers {
    /// Taggers for a lane with these streams and this module.
    pub fn new(names: Arc<Names>, schema: Arc<Schema>) -> SpacetimeTaggers {
        SpacetimeTaggers { names, schema, of_others: false }
    }
}

impl TaggerFactory for SpacetimeTaggers {
    fn tagger(&self, _request_target: &str, subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        // A connection without a subprotocol is the writer's HTTP, whose frames are no BSATN.
        let protocol = subprotocol.and_then(Protocol::of).unwrap_or(Protocol::V1);
        let mut tagger = Tagger::new(protocol, Arc::clone(&self.names), Arc::clone(&self.schema));
        if self.of_others {
            tagger.classifier = Classifier::of_others(Arc::clone(&self.names), Arc::clone(self.schema.shape()));
        }
        Arc::new(tagger)
    }

    fn for_others(&self) -> Option<Arc<dyn TaggerFactory>> {
        Some(Arc::new(SpacetimeTaggers { of_others: true, ..self.clone() }))
    }
}

impl Tagger {
    pub fn new(protocol: Protocol, names: Arc<Names>, schema: Arc<Schema>) -> Tagger {
        let classifier = Classifier::new(names, Arc::clone(schema.shape()));
        Tagger { format: Format::Bsatn(protocol), classifier, schema }
    }

    pub fn json(names: Arc<Names>, schema: Arc<Schema>) -> Tagger {
        let classifier = Classifier::new(names, Arc::clone(schema.shape()));
        Tagger { format: Format::Json, classifier, schema }
    }

    fn messages(&self, frame: &Frame) -> Vec<Message> {
        match (self.format, &frame.body, frame.direction) {
            (Format::Bsatn(protocol), Body::Binary(bytes), Direction::Upstream) => {
                let messages = decode_client(protocol, bytes).unwrap_or_default();
                messages.iter().map(|message| self.request(message)).collect()
            }
            (Format::Bsatn(protocol), Body::Binary(bytes), Direction::Downstream) => {
                let messages = decode_server(protocol, bytes).unwrap_or_default();
                messages.into_iter().map(|message| self.incoming(message)).collect()
            }
            (Format::Json, Body::Text(text), direction) => {
                let message = JsonMessage::read(text).map(|message| match direction {
                    Direction::Upstream => message.request(&self.classifier),
                    Direction::Downstream => message.incoming(&self.schema),
                });
                message.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn request(&self, message: &ClientMessage) -> Message {
        let (request_id, what) = asked(message);
        let ask = match what {
            Asked::Reducer(reducer, args) if self.classifier.checks(reducer) => Ask::Check(read_resume_args(args)),
            Asked::Reducer(reducer, args) if self.classifier.appends(reducer) => {
                Ask::Publish(PublishArgs::of_bsatn(&self.schema, args).and_then(|args| args.event(&self.classifier)))
            }
            Asked::Queries(queries) => Ask::Queries(queries.iter().map(|query| query.to_string()).collect()),
            _ => Ask::Other,
        };
        Message { names: names(message), content: Content::Request { request_id, ask } }
    }

    fn incoming(&self, mut message: ServerMessage) -> Message {
        let incoming = read(&mut message, &self.schema);
        let reducer = match &incoming.kind {
            Kind::Called { call, .. } => call.as_ref().map(|call| call.reducer.clone()),
            _ => None,
        };
        let names = std::iter::once(incoming.name.to_owned()).chain(reducer).collect();
        let events = incoming.events.into_iter().flatten().collect();
        Message { names, content: Content::Incoming { kind: incoming.kind, events } }
    }

    fn edit_binary(&self, protocol: Protocol, frame: &Frame, bytes: &[u8], edit: &Edit) -> Option<Frame> {
        let edited = match (frame.direction, edit) {
            (Direction::Upstream, Edit::Cursor { stream, to }) => {
                edit::with_cursor(protocol, &self.classifier, bytes, stream, *to)?
            }
            (Direction::Upstream, edit) => {
                edit::with_publish_edited(protocol, &self.classifier, &self.schema, bytes, edit)?
            }
            (Direction::Downstream, Edit::Cursor { .. }) => return None,
            (Direction::Downstream, edit) => {
                edit::with_rows_edited(protocol, &self.classifier, &self.schema, bytes, edit)?
            }
        };
        Some(Frame { direction: frame.direction, body: Body::Binary(edited) })
    }
}

impl Tagger {
    fn tag_http(&self, direction: Direction, bytes: &[u8]) -> FrameTag {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        match direction {
            Direction::Upstream if called_over_http(head).is_some_and(|reducer| self.classifier.appends(&reducer)) => {
                FrameTag::Publish
            }
            Direction::Upstream => FrameTag::Other,
            Direction::Downstream => {
                // A reducer's success has no body and its refusal is an object; what SQL finds is a list.
                let status = head.split_whitespace().nth(1).unwrap_or_default();
                let acks = (status == "200" && body.is_empty()) || status == "530";
                if acks { FrameTag::Ack } else { FrameTag::Other }
            }
        }
    }

    fn published(&self, frame: &Frame) -> Option<Carried> {
        let body = json_of(frame)?;
        PublishArgs::of_json(&self.classifier.shape, std::str::from_utf8(&body).ok()?)?.event(&self.classifier)
    }

    fn facts_http(&self, frame: &Frame, bytes: &[u8]) -> Facts {
        let mut facts = Facts::of(frame, self.tag_http(frame.direction, bytes));
        if facts.tag == FrameTag::Publish {
            facts.streams.extend(self.published(frame).map(|event| (event.stream, None)));
        }
        facts
    }

    fn edit_http(&self, frame: &Frame, bytes: &[u8], edit: &Edit) -> Option<String> {
        if self.tag_http(frame.direction, bytes) != FrameTag::Publish {
            return None;
        }
        let body = json_of(frame)?;
        PublishArgs::of_json(&self.classifier.shape, std::str::from_utf8(&body).ok()?)?
            .edited(&self.classifier, edit)?
            .to_json()
    }
}

fn called_over_http(head: &str) -> Option<String> {
    let (method, path) = wire_http::method_and_path(head)?;
    let (_, reducer) = path.rsplit_once("/call/")?;
    (method == "POST" && !reducer.contains('/')).then(|| reducer.to_owned())
}

impl FrameTagger for Tagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        self.facts(frame).tag
    }

    fn facts(&self, frame: &Frame) -> Facts {
        if let Body::Http(bytes) = &frame.body {
            return self.facts_http(frame, bytes);
        }
        let facts = self.messages(frame).into_iter().map(|message| self.classifier.facts(message));
        facts.reduce(merged).unwrap_or_else(|| Facts::of(frame, FrameTag::Other))
    }

    fn contents(&self, frame: &Frame) -> Contents {
        let mut contents = match (self.format, &frame.body) {
            (Format::Json, _) | (_, Body::Http(_)) => generic::GenericTagger.contents(frame),
            (Format::Bsatn(_), _) => Contents::default(),
        };
        if let Body::Http(bytes) = &frame.body {
            let head = wire_http::parts(bytes).map(|(head, _)| head).unwrap_or_default();
            contents.names = called_over_http(head).into_iter().collect();
            if self.tag_http(frame.direction, bytes) == FrameTag::Publish {
                contents.events.extend(self.published(frame));
            }
            return contents;
        }
        let messages = self.messages(frame);
        if !messages.is_empty() {
            contents.names.clear();
        }
        for message in messages {
            contents.names.extend(message.names);
            contents.events.extend(self.classifier.events(message.content));
        }
        contents
    }

    fn answer(&self, frame: &Frame) -> Option<Result<Vec<(StreamId, Seq)>, Refusal>> {
        self.messages(frame).iter().find_map(|message| self.classifier.answer(&message.content))
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let edited = match (self.format, &frame.body) {
            (Format::Bsatn(protocol), Body::Binary(bytes)) => return self.edit_binary(protocol, frame, bytes, edit),
            (Format::Json, Body::Text(text)) => JsonMessage::read(text)
                .and_then(|message| message.edited(frame.direction, edit, &self.classifier, &self.schema)),
            (_, Body::Http(bytes)) => self.edit_http(frame, bytes, edit),
            _ => return None,
        };
        match (edited, edit) {
            (Some(json), _) => generic::with_json(frame, json),
            (None, Edit::SetJson { pointer, value, .. }) => generic::with_value(frame, pointer, value),
            (None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests;
