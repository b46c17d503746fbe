//! The JSON subprotocol of v1: the same messages as text, each an object with one member, named after the message. Rows
//! and arguments are JSON in a string.

use std::ops::Range;

use cutover_core::ids::{Cursor, Seq, StreamId};
use spacetimedb_lib::ConnectionId;

use super::classify::{Ask, Classifier, Content, Message};
use super::edit::{EditRow, edited_row};
use super::incoming::{Call, Kind};
use super::publish::{PublishArgs, quoted};
use super::request::resume_args;
use super::rows::{EVENT_TABLE, EventRow};
use super::schema::Schema;
use crate::frame::{Direction, Edit, FrameTag, pointer};

pub(super) struct JsonMessage<'a> {
    name: String,
    inner: &'a str,
    text: &'a str,
}

#[derive(Clone)]
struct JsonRow<'s> {
    schema: &'s Schema,
    json: String,
}

impl JsonRow<'_> {
    /// Reads an element of a list of rows: JSON, or JSON in a string.
    fn of<'s>(schema: &'s Schema, element: &str) -> JsonRow<'s> {
        JsonRow { schema, json: text_of(element).unwrap_or_else(|| element.to_owned()) }
    }

    /// A column's value: by name where the row is an object, by place where it is a list.
    fn column(&self, name: &str) -> Option<&str> {
        if self.json.starts_with('{') {
            return pointer::member(&self.json, self.schema.shape().column(EVENT_TABLE, name));
        }
        let at = self.schema.place_of(EVENT_TABLE, name)?;
        pointer::elements(&self.json)?.get(at).copied()
    }

    fn event(&self) -> Option<EventRow> {
        Some(EventRow {
            stream_id: self.text("stream_id")?,
            seq: self.column("seq")?.parse().ok()?,
            idempotency_key: self.text("idempotency_key").unwrap_or_default(),
            committed_at: None,
            confirmed_read: None,
            payload_hash: self.text("payload_hash").unwrap_or_default(),
            payload: self.text("payload").unwrap_or_default(),
        })
    }
}

impl EditRow for JsonRow<'_> {
    fn text(&self, column: &str) -> Option<String> {
        text_of(self.column(column)?)
    }

    fn set(&mut self, column: &str, json: &str) -> Option<()> {
        let (found, value) = (self.column(column)?, pointer::find(json, "")?);
        if kind_of_value(found) != kind_of_value(value) {
            return None;
        }
        let place = pointer::range_in(&self.json, found)?;
        self.json = pointer::spliced(&self.json, vec![(place, value.to_owned())])?;
        Some(())
    }
}

impl<'a> JsonMessage<'a> {
    pub(super) fn read(text: &'a [u8]) -> Option<JsonMessage<'a>> {
        let text = std::str::from_utf8(text).ok()?;
        let (name, inner) = pointer::first_member(text)?;
        Some(JsonMessage { name: name.into_owned(), inner, text })
    }

    pub(super) fn request(&self, classifier: &Classifier) -> Message {
        let request_id = self.number("/request_id");
        Message { names: self.names(), content: Content::Request { request_id, ask: self.ask(classifier) } }
    }

    pub(super) fn incoming(&self, schema: &Schema) -> Message {
        let rows = self
            .event_lists(&schema.shape().events.table)
            .into_iter()
            .flat_map(|list| pointer::elements(list).unwrap_or_default());
        let events = rows.filter_map(|row| JsonRow::of(schema, row).event()).collect();
        Message { names: self.names(), content: Content::Incoming { kind: self.kind(), events } }
    }

    /// The message's text with a change made; `None` where the edit does not apply.
    pub(super) fn edited(
        &self,
        direction: Direction,
        edit: &Edit,
        classifier: &Classifier,
        schema: &Schema,
    ) -> Option<String> {
        match (direction, edit) {
            (Direction::Upstream, Edit::Cursor { stream, to }) => self.with_cursor(classifier, stream, *to),
            (Direction::Upstream, _) => self.with_publish_edited(classifier, edit),
            (Direction::Downstream, _) => self.with_rows_edited(classifier, schema, edit),
        }
    }

    fn with_rows_edited(&self, classifier: &Classifier, schema: &Schema, edit: &Edit) -> Option<String> {
        let mut places = Vec::new();
        for list in self.event_lists(&schema.shape().events.table) {
            places.extend(self.list_edited(list, classifier, schema, edit)?);
        }
        if places.is_empty() {
            return None;
        }
        pointer::spliced(self.text, places)
    }

    fn list_edited(
        &self,
        list: &str,
        classifier: &Classifier,
        schema: &Schema,
        edit: &Edit,
    ) -> Option<Vec<(Range<usize>, String)>> {
        let mut places = Vec::new();
        let mut whole = Vec::new();
        let mut gone = false;
        for element in pointer::elements(list)? {
            let row = JsonRow::of(schema, element);
            let event = row.event().filter(|event| classifier.applies(edit, &event.stream_id, Some(Seq(event.seq))));
            let Some(rows) = event.and_then(|_| edited_row(&row, edit, classifier)) else {
                whole.push(element.to_owned());
                continue;
            };
            let in_string = element.starts_with('"');
            let rows: Vec<String> =
                rows.into_iter().map(|row| if in_string { quoted(&row.json) } else { row.json }).collect();
            gone |= rows.is_empty();
            places.push((pointer::range_in(self.text, element)?, rows.join(",")));
            whole.extend(rows);
        }
        if gone {
            return Some(vec![(pointer::range_in(self.text, list)?, format!("[{}]", whole.join(",")))]);
        }
        Some(places)
    }

    fn with_cursor(&self, classifier: &Classifier, stream: &StreamId, to: Cursor) -> Option<String> {
        let stream_id = classifier.names.stream_id(stream)?;
        let mut places = Vec::new();
        for query in self.queries() {
            if classifier.shape.read_events_query(&text_of(query)?).is_some_and(|(name, _)| name == stream_id) {
                let changed = classifier.shape.events_query(stream_id, to.0);
                places.push((pointer::range_in(self.text, query)?, quoted(&changed)));
            }
        }
        let ask = self.ask(classifier);
        let index = match &ask {
            Ask::Check(Some(cursors)) => cursors.iter().position(|(name, _)| name == stream_id),
            _ => None,
        };
        let is_resume = matches!(classifier.request(self.number("/request_id"), ask).tag, FrameTag::Resume { .. });
        if let Some(index) = index.filter(|_| is_resume) {
            let found = pointer::member(self.inner, "args")?;
            let args = pointer::replaced(&text_of(found)?, &format!("/0/{index}/resume_after"), &to.to_string())?;
            places.push((pointer::range_in(self.text, found)?, quoted(&args)));
        }
        if places.is_empty() {
            return None;
        }
        pointer::spliced(self.text, places)
    }

    fn with_publish_edited(&self, classifier: &Classifier, edit: &Edit) -> Option<String> {
        if !classifier.appends(&self.reducer()?) {
            return None;
        }
        let found = pointer::member(self.inner, "args")?;
        let args = text_of(found)?;
        let changed = PublishArgs::of_json(&classifier.shape, &args)?.edited(classifier, edit)?.to_json()?;
        pointer::spliced(self.text, vec![(pointer::range_in(self.text, found)?, quoted(&changed))])
    }

    fn names(&self) -> Vec<String> {
        std::iter::once(self.name.clone()).chain(self.reducer()).collect()
    }

    fn number(&self, at: &str) -> u32 {
        pointer::find(self.inner, at).and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    fn event_lists(&self, events: &str) -> Vec<&'a str> {
        let (at, single) = match self.name.as_str() {
            "InitialSubscription" => ("/database_update/tables", false),
            "TransactionUpdate" => ("/status/Committed/tables", false),
            "TransactionUpdateLight" | "SubscribeMultiApplied" => ("/update/tables", false),
            "SubscribeApplied" => ("/rows/table_rows", true),
            _ => return Vec::new(),
        };
        let Some(found) = pointer::find(self.inner, at) else {
            return Vec::new();
        };
        let tables = if single { vec![found] } else { pointer::elements(found).unwrap_or_default() };
        let of_events = |table: &&str| {
            let name = pointer::member(table, "table_name").and_then(text_of);
            name.as_deref() == Some(events)
        };
        let updates = tables.into_iter().filter(of_events).flat_map(|table| {
            let updates = pointer::member(table, "updates").and_then(pointer::elements);
            updates.unwrap_or_default()
        });
        updates.filter_map(|update| pointer::member(update, "inserts")).collect()
    }

    fn queries(&self) -> Vec<&'a str> {
        match self.name.as_str() {
            "Subscribe" | "SubscribeMulti" => {
                let queries = pointer::member(self.inner, "query_strings").and_then(pointer::elements);
                queries.unwrap_or_default()
            }
            "SubscribeSingle" => pointer::member(self.inner, "query").into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn reducer(&self) -> Option<String> {
        match self.name.as_str() {
            "CallReducer" => text_of(pointer::member(self.inner, "reducer")?),
            "TransactionUpdate" => text_of(pointer::find(self.inner, "/reducer_call/reducer_name")?),
            _ => None,
        }
    }

    fn ask(&self, classifier: &Classifier) -> Ask {
        let args = || pointer::member(self.inner, "args").and_then(text_of);
        match (self.name.as_str(), self.reducer().as_deref()) {
            ("CallReducer", Some(reducer)) if classifier.checks(reducer) => {
                Ask::Check(args().and_then(|args| cursors_in(&args)))
            }
            ("CallReducer", Some(reducer)) if classifier.appends(reducer) => {
                Ask::Publish(args().and_then(|args| PublishArgs::of_json(&classifier.shape, &args)?.event(classifier)))
            }
            ("Subscribe" | "SubscribeMulti" | "SubscribeSingle", _) => {
                Ask::Queries(self.queries().into_iter().filter_map(text_of).collect())
            }
            _ => Ask::Other,
        }
    }

    fn kind(&self) -> Kind {
        let request_id = self.number("/request_id");
        match self.name.as_str() {
            "IdentityToken" => Kind::Greeting { connection: ConnectionId::ZERO },
            "InitialSubscription" | "SubscribeApplied" | "SubscribeMultiApplied" => Kind::Applied { request_id },
            "UnsubscribeApplied" | "UnsubscribeMultiApplied" => Kind::Unsubscribed { request_id },
            "SubscriptionError" => Kind::SubscribeFailed { request_id: Some(request_id), message: String::new() },
            "TransactionUpdate" => {
                let args = pointer::find(self.inner, "/reducer_call/args").and_then(text_of);
                let cursors = args.as_deref().and_then(cursors_in).unwrap_or_default();
                let committed = pointer::find(self.inner, "/status/Committed").is_some();
                Kind::Called {
                    request_id: self.number("/reducer_call/request_id"),
                    call: Some(Call {
                        caller: ConnectionId::ZERO,
                        reducer: self.reducer().unwrap_or_default(),
                        args: resume_args(&cursors).to_vec(),
                    }),
                    result: if committed { Ok(()) } else { Err(String::new()) },
                }
            }
            "TransactionUpdateLight" => Kind::Transaction,
            _ => Kind::Other,
        }
    }
}

fn text_of(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// The kind of a JSON value: a value may take the place of another one of its kind.
fn kind_of_value(value: &str) -> u8 {
    match value.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => b'0',
        Some(b't' | b'f') => b't',
        Some(first) => *first,
        None => 0,
    }
}

fn cursors_in(args: &str) -> Option<Vec<(String, u64)>> {
    let cursors = pointer::elements(pointer::elements(args)?.first()?)?;
    let cursor = |cursor: &str| {
        let stream_id = text_of(pointer::member(cursor, "stream_id")?)?;
        Some((stream_id, pointer::member(cursor, "resume_after")?.parse().ok()?))
    };
    cursors.into_iter().map(cursor).collect()
}
