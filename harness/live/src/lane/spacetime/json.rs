//! The JSON subprotocol of v1: the same messages as text, each an object with one member, named after the message. Rows and
//! arguments are JSON in a string.

use std::ops::Range;
use std::sync::Arc;

use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq, StreamId};
use spacetimedb_lib::ConnectionId;

use super::edit::declared;
use super::incoming::{Call, Kind};
use super::publish;
use super::request::{APPEND_REDUCER, RESUME_REDUCER, events_query, read_events_query, resume_args};
use super::rows::{EVENT_TABLE, EventSchema};
use super::sort::{Ask, Sorter};
use crate::frame::{Body, Carried, Contents, Direction, Edit, Frame, FrameTag, FrameTagger, Look, pointer};
use crate::lane::generic;
use crate::lane::names::Names;

/// Knows the frames of a connection that speaks JSON.
#[derive(Debug, Clone)]
pub struct JsonTagger {
    sorter: Sorter,
    schema: EventSchema,
}

/// A message: its name, what is in it, and the whole text.
#[derive(Clone, Copy)]
struct Message<'a> {
    name: &'a str,
    inner: &'a str,
    text: &'a str,
}

/// A row as it stands in the message.
struct Row<'a> {
    /// The element of its list.
    standing: &'a str,
    /// The row's own JSON.
    json: String,
    stream_id: String,
    seq: u64,
}

impl JsonTagger {
    /// A tagger for these streams and one schema of events.
    pub fn new(names: Arc<Names>, schema: EventSchema) -> JsonTagger {
        JsonTagger { sorter: Sorter::new(names), schema }
    }

    /// A row's column: by name where the row is an object, by place where it is a list.
    fn column<'r>(&self, row: &'r str, name: &str) -> Option<&'r str> {
        if row.starts_with('{') {
            return pointer::member(row, name);
        }
        pointer::elements(row)?.get(self.schema.column(name)?).copied()
    }

    fn row<'a>(&self, standing: &'a str) -> Option<Row<'a>> {
        let json = text_of(standing).unwrap_or_else(|| standing.to_owned());
        Some(Row {
            stream_id: text_of(self.column(&json, "stream_id")?)?,
            seq: self.column(&json, "seq")?.parse().ok()?,
            standing,
            json,
        })
    }

    fn rows<'a>(&self, message: Message<'a>) -> Vec<Row<'a>> {
        let rows = event_lists(message).into_iter().flat_map(|list| pointer::elements(list).unwrap_or_default());
        rows.filter_map(|standing| self.row(standing)).collect()
    }

    fn look_asked(&self, message: Message<'_>) -> Look {
        let request_id = number(message.inner, "/request_id");
        self.sorter.asked(request_id, asked(message))
    }

    fn look_incoming(&self, message: Message<'_>) -> Look {
        let kind = kind_of(message);
        let via = match kind {
            Kind::Applied { .. } => Via::Snapshot,
            _ => Via::Transaction,
        };
        let rows = self.rows(message);
        self.sorter.incoming(&kind, via, rows.into_iter().map(|row| (row.stream_id, row.seq)))
    }

    /// A row's JSON with a change made: nothing, another one, or it and a second one.
    fn edited(&self, row: &Row<'_>, edit: &Edit) -> Option<Vec<String>> {
        let set = |json: &str, changes: &[(&str, String)]| {
            let mut json = json.to_owned();
            for (column, value) in changes {
                let standing = self.column(&json, column)?;
                let range = pointer::range_in(&json, standing)?;
                json = pointer::spliced(&json, vec![(range, value.clone())])?;
            }
            Some(json)
        };
        match edit {
            Edit::Cursor { .. } => None,
            Edit::RemoveEvent { .. } => Some(Vec::new()),
            Edit::ReplacePayload { payload, .. } => {
                let hash = quoted(&declared(payload));
                Some(vec![set(&row.json, &[("payload", quoted(payload)), ("payload_hash", hash)])?])
            }
            Edit::Misdeliver { to_stream, to_seq, .. } => {
                let stream_id = quoted(self.sorter.names.candidate(to_stream)?);
                let second = set(&row.json, &[("stream_id", stream_id), ("seq", to_seq.to_string())])?;
                Some(vec![row.json.clone(), second])
            }
            Edit::SetJson { pointer: at, value, .. } => {
                let payload = text_of(self.column(&row.json, "payload")?)?;
                let payload = quoted(&pointer::replaced(&payload, at, value)?);
                Some(vec![set(&row.json, &[("payload", payload)])?])
            }
            Edit::SetColumn { column, value, .. } => {
                let value = pointer::find(value, "")?;
                let same = kind_of_value(self.column(&row.json, column)?) == kind_of_value(value);
                same.then(|| set(&row.json, &[(column, value.to_owned())])).flatten().map(|json| vec![json])
            }
        }
    }

    fn with_rows_edited(&self, message: Message<'_>, edit: &Edit) -> Option<String> {
        let mut places = Vec::new();
        for list in event_lists(message) {
            places.extend(self.list_edited(message.text, list, edit)?);
        }
        if places.is_empty() {
            return None;
        }
        pointer::spliced(message.text, places)
    }

    /// What changes of a list, and where in the text.
    fn list_edited(&self, text: &str, list: &str, edit: &Edit) -> Option<Vec<(Range<usize>, String)>> {
        let mut places = Vec::new();
        let mut whole = Vec::new();
        let mut gone = false;
        for standing in pointer::elements(list)? {
            let row = self.row(standing);
            let meant = row.filter(|row| self.sorter.means(edit, &row.stream_id, Some(Seq(row.seq))));
            let Some(rows) = meant.and_then(|row| Some((self.edited(&row, edit)?, row))) else {
                whole.push(standing.to_owned());
                continue;
            };
            let (rows, row) = rows;
            let in_strings = row.standing.starts_with('"');
            let rows: Vec<String> =
                rows.into_iter().map(|json| if in_strings { quoted(&json) } else { json }).collect();
            gone |= rows.is_empty();
            places.push((pointer::range_in(text, standing)?, rows.join(",")));
            whole.extend(rows);
        }
        if gone {
            return Some(vec![(pointer::range_in(text, list)?, format!("[{}]", whole.join(",")))]);
        }
        Some(places)
    }

    fn with_cursor(&self, message: Message<'_>, stream: &StreamId, to: Cursor) -> Option<String> {
        let stream_id = self.sorter.names.candidate(stream)?;
        let mut places = Vec::new();
        for query in query_texts(message) {
            if read_events_query(&text_of(query)?).is_some_and(|(name, _)| name == stream_id) {
                places.push((pointer::range_in(message.text, query)?, quoted(&events_query(stream_id, to.0))));
            }
        }
        if let (Ask::Check(Some(cursors)), FrameTag::Resume { .. }) = (asked(message), self.look_asked(message).tag)
            && let Some(index) = cursors.iter().position(|(name, _)| name == stream_id)
        {
            let standing = pointer::member(message.inner, "args")?;
            let args = pointer::replaced(&text_of(standing)?, &format!("/0/{index}/resume_after"), &to.to_string())?;
            places.push((pointer::range_in(message.text, standing)?, quoted(&args)));
        }
        if places.is_empty() {
            return None;
        }
        pointer::spliced(message.text, places)
    }

    fn with_publish_edited(&self, message: Message<'_>, edit: &Edit) -> Option<String> {
        if called(message)? != APPEND_REDUCER {
            return None;
        }
        let standing = pointer::member(message.inner, "args")?;
        let args = text_of(standing)?;
        let changed = publish::Call::of_json(&args)?.edited(&self.sorter, edit)?.to_json()?;
        pointer::spliced(message.text, vec![(pointer::range_in(message.text, standing)?, quoted(&changed))])
    }
}

impl FrameTagger for JsonTagger {
    fn tag(&self, frame: &Frame) -> FrameTag {
        self.look(frame).tag
    }

    fn look(&self, frame: &Frame) -> Look {
        let look = with_message(frame, |message| match frame.direction {
            Direction::Upstream => self.look_asked(message),
            Direction::Downstream => self.look_incoming(message),
        });
        look.unwrap_or_else(|| Look::of(frame, FrameTag::Other))
    }

    fn contents(&self, frame: &Frame) -> Contents {
        let mut contents = generic::GenericTagger.contents(frame);
        let _ = with_message(frame, |message| {
            contents.names = std::iter::once(message.name.to_owned()).chain(called(message)).collect();
            let event = |stream_id: &str, seq, payload| {
                let stream = self.sorter.names.stream_of_candidate(stream_id)?;
                Some(Carried { stream, seq, payload })
            };
            let delivered = self.rows(message).into_iter().filter_map(|row| {
                let payload = text_of(self.column(&row.json, "payload")?)?;
                event(&row.stream_id, Some(Seq(row.seq)), payload)
            });
            contents.events.extend(delivered);
            if called(message).as_deref() == Some(APPEND_REDUCER) && frame.direction == Direction::Upstream {
                let args = pointer::member(message.inner, "args").and_then(text_of).unwrap_or_default();
                contents.events.extend(publish::Call::of_json(&args).and_then(|call| call.event(&self.sorter)));
            }
        });
        contents
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let edited = with_message(frame, |message| match (frame.direction, edit) {
            (Direction::Upstream, Edit::Cursor { stream, to }) => self.with_cursor(message, stream, *to),
            (Direction::Upstream, _) => self.with_publish_edited(message, edit),
            (Direction::Downstream, _) => self.with_rows_edited(message, edit),
        });
        match (edited.flatten(), edit) {
            (Some(text), _) => generic::with_json(frame, text),
            (None, Edit::SetJson { pointer, value, .. }) => generic::with_value(frame, pointer, value),
            (None, _) => None,
        }
    }
}

fn with_message<T>(frame: &Frame, look: impl FnOnce(Message<'_>) -> T) -> Option<T> {
    let Body::Text(text) = &frame.body else { return None };
    let text = std::str::from_utf8(text).ok()?;
    let (name, inner) = pointer::first_member(text)?;
    Some(look(Message { name: &name, inner, text }))
}

fn text_of(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn number(text: &str, at: &str) -> u32 {
    pointer::find(text, at).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Of two values of one kind, one may stand for the other.
fn kind_of_value(value: &str) -> u8 {
    match value.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => b'0',
        Some(b't' | b'f') => b't',
        Some(first) => *first,
        None => 0,
    }
}

/// The lists of inserted events.
fn event_lists(message: Message<'_>) -> Vec<&str> {
    let (at, single) = match message.name {
        "InitialSubscription" => ("/database_update/tables", false),
        "TransactionUpdate" => ("/status/Committed/tables", false),
        "TransactionUpdateLight" | "SubscribeMultiApplied" => ("/update/tables", false),
        "SubscribeApplied" => ("/rows/table_rows", true),
        _ => return Vec::new(),
    };
    let Some(found) = pointer::find(message.inner, at) else {
        return Vec::new();
    };
    let tables = if single { vec![found] } else { pointer::elements(found).unwrap_or_default() };
    let of_events = |table: &&str| {
        let name = pointer::member(table, "table_name").and_then(text_of);
        name.as_deref() == Some(EVENT_TABLE)
    };
    let updates = tables.into_iter().filter(of_events).flat_map(|table| {
        let updates = pointer::member(table, "updates").and_then(pointer::elements);
        updates.unwrap_or_default()
    });
    updates.filter_map(|update| pointer::member(update, "inserts")).collect()
}

/// The queries that a client's message asks, as they stand in it.
fn query_texts(message: Message<'_>) -> Vec<&str> {
    match message.name {
        "Subscribe" | "SubscribeMulti" => {
            let queries = pointer::member(message.inner, "query_strings").and_then(pointer::elements);
            queries.unwrap_or_default()
        }
        "SubscribeSingle" => pointer::member(message.inner, "query").into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The reducer that a message calls or reports.
fn called(message: Message<'_>) -> Option<String> {
    match message.name {
        "CallReducer" => text_of(pointer::member(message.inner, "reducer")?),
        "TransactionUpdate" => text_of(pointer::find(message.inner, "/reducer_call/reducer_name")?),
        _ => None,
    }
}

/// The cursors of a resume's check.
fn cursors_in(args: &str) -> Option<Vec<(String, u64)>> {
    let cursors = pointer::elements(pointer::elements(args)?.first()?)?;
    let cursor = |cursor: &str| {
        let stream_id = text_of(pointer::member(cursor, "stream_id")?)?;
        Some((stream_id, pointer::member(cursor, "resume_after")?.parse().ok()?))
    };
    cursors.into_iter().map(cursor).collect()
}

fn asked(message: Message<'_>) -> Ask {
    let args = || pointer::member(message.inner, "args").and_then(text_of);
    match (message.name, called(message).as_deref()) {
        ("CallReducer", Some(RESUME_REDUCER)) => Ask::Check(args().and_then(|args| cursors_in(&args))),
        ("CallReducer", Some(APPEND_REDUCER)) => {
            let stream_id = args().and_then(|args| Some(publish::Call::of_json(&args)?.stream_id().to_owned()));
            Ask::Publish(stream_id)
        }
        ("Subscribe" | "SubscribeMulti" | "SubscribeSingle", _) => {
            Ask::Queries(query_texts(message).into_iter().filter_map(text_of).collect())
        }
        _ => Ask::Other,
    }
}

fn kind_of(message: Message<'_>) -> Kind {
    let request_id = number(message.inner, "/request_id");
    match message.name {
        "IdentityToken" => Kind::Greeting { connection: ConnectionId::ZERO },
        "InitialSubscription" | "SubscribeApplied" | "SubscribeMultiApplied" => Kind::Applied { request_id },
        "UnsubscribeApplied" | "UnsubscribeMultiApplied" => Kind::Unsubscribed { request_id },
        "SubscriptionError" => Kind::SubscribeFailed { request_id: Some(request_id), message: String::new() },
        "TransactionUpdate" => {
            let args = pointer::find(message.inner, "/reducer_call/args").and_then(text_of);
            let cursors = args.as_deref().and_then(cursors_in).unwrap_or_default();
            let committed = pointer::find(message.inner, "/status/Committed").is_some();
            Kind::Called {
                request_id: number(message.inner, "/reducer_call/request_id"),
                call: Some(Call {
                    caller: ConnectionId::ZERO,
                    reducer: called(message).unwrap_or_default(),
                    args: resume_args(&cursors).to_vec(),
                }),
                result: if committed { Ok(()) } else { Err(String::new()) },
            }
        }
        "TransactionUpdateLight" => Kind::Transaction,
        _ => Kind::Other,
    }
}
