//! Changes to what a SpacetimeDB frame carries: rows are read, changed and written again, compressed as they came.

use bytes::Bytes;
use cutover_core::hash::payload_hash;
use cutover_core::ids::{Cursor, Seq, StreamId};
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::classify::{Ask, Classifier};
use super::compression::Compressed;
use super::protocol::{
    Asked, ClientMessage, Protocol, Side, WireError, asked, decode_client, decode_server, each_row_list, encode_client,
    encode_server,
};
use super::publish::{PublishArgs, quoted};
use super::request::{read_resume_args, resume_args};
use super::rows::{EVENT_TABLE, Row, RowError, join, split};
use super::schema::Schema;
use crate::frame::{Edit, FrameTag, pointer};

/// An event's row whose columns can be changed, in whichever form it came.
pub(super) trait EditRow: Clone {
    fn text(&self, column: &str) -> Option<String>;

    /// Gives a column another value, written as JSON. `None` where there is no such column, or it has another type.
    fn set(&mut self, column: &str, json: &str) -> Option<()>;
}

impl EditRow for Row {
    fn text(&self, column: &str) -> Option<String> {
        self.text(column).ok()
    }

    fn set(&mut self, column: &str, json: &str) -> Option<()> {
        self.set(column, json)
    }
}

/// What replaces the row: no row, another one, or the row and a second. `None` where the edit does not apply.
pub(super) fn edited_row<R: EditRow>(row: &R, edit: &Edit, classifier: &Classifier) -> Option<Vec<R>> {
    let with = |changes: &[(&str, String)]| {
        let mut row = row.clone();
        changes.iter().try_for_each(|(column, json)| row.set(column, json))?;
        Some(row)
    };
    Some(match edit {
        Edit::Cursor { .. } => return None,
        Edit::RemoveEvent { .. } => Vec::new(),
        Edit::ReplacePayload { payload, .. } => {
            // A payload without a canonical form has no hash to declare.
            let hash = payload_hash(payload.as_bytes()).map(|hash| hash.to_string()).unwrap_or_default();
            let mut changes = vec![("payload", quoted(payload))];
            if !classifier.shape.events.payload_hash.is_empty() {
                changes.push(("payload_hash", quoted(&hash)));
            }
            vec![with(&changes)?]
        }
        Edit::Misdeliver { to_stream, to_seq, .. } => {
            let stream_id = quoted(classifier.names.stream_id(to_stream)?);
            vec![row.clone(), with(&[("stream_id", stream_id), ("seq", to_seq.to_string())])?]
        }
        Edit::SetJson { pointer, value, .. } => {
            vec![with(&[("payload", quoted(&pointer::replaced(&row.text("payload")?, pointer, value)?))])?]
        }
        Edit::SetColumn { column, value, .. } => vec![with(&[(column, value.clone())])?],
    })
}

/// A client's frame with another cursor for a stream. `None` where it does not ask for the stream.
pub(super) fn with_cursor(
    protocol: Protocol,
    classifier: &Classifier,
    frame: &[u8],
    stream: &StreamId,
    to: Cursor,
) -> Option<Bytes> {
    let stream_id = classifier.names.stream_id(stream)?;
    let mut messages = decode_client(protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let (request_id, what) = asked(message);
        match what {
            Asked::Reducer(reducer, args) if classifier.checks(reducer) => {
                let mut cursors = read_resume_args(args)?;
                let ask = Ask::Check(Some(cursors.clone()));
                if classifier.request(request_id, ask).tag == FrameTag::Heartbeat {
                    continue;
                }
                for (_, cursor) in cursors.iter_mut().filter(|(name, _)| name == stream_id) {
                    *cursor = to.0;
                    hit = true;
                }
                set_args(message, resume_args(&cursors));
            }
            Asked::Queries(queries) => {
                let mut changed: Vec<Box<str>> = queries.to_vec();
                for query in &mut changed {
                    if classifier.shape.read_events_query(query).is_some_and(|(name, _)| name == stream_id) {
                        *query = classifier.shape.events_query(stream_id, to.0).into_boxed_str();
                        hit = true;
                    }
                }
                set_queries(message, changed.into_boxed_slice());
            }
            _ => {}
        }
    }
    hit.then(|| encode_client(&messages).ok()).flatten()
}

fn set_args(message: &mut ClientMessage, args: Bytes) {
    match message {
        ClientMessage::V1(v1::ClientMessage::CallReducer(call)) => call.args = args,
        ClientMessage::V2(v2::ClientMessage::CallReducer(call)) => call.args = args,
        _ => {}
    }
}

fn set_queries(message: &mut ClientMessage, queries: Box<[Box<str>]>) {
    match message {
        ClientMessage::V1(v1::ClientMessage::SubscribeMulti(set)) => set.query_strings = queries,
        ClientMessage::V1(v1::ClientMessage::Subscribe(set)) => set.query_strings = queries,
        ClientMessage::V1(v1::ClientMessage::SubscribeSingle(one)) => {
            if let Some(query) = queries.into_vec().pop() {
                one.query = query;
            }
        }
        ClientMessage::V2(v2::ClientMessage::Subscribe(set)) => set.query_strings = queries,
        _ => {}
    }
}

/// A client's frame with a value of its publish changed. `None` where it publishes nothing that the edit applies to.
pub(super) fn with_publish_edited(
    protocol: Protocol,
    classifier: &Classifier,
    schema: &Schema,
    frame: &[u8],
    edit: &Edit,
) -> Option<Bytes> {
    let mut messages = decode_client(protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let (_, Asked::Reducer(reducer, args)) = asked(message) else {
            continue;
        };
        if !classifier.appends(reducer) {
            continue;
        }
        let changed = PublishArgs::of_bsatn(schema, args).and_then(|args| args.edited(classifier, edit)?.to_bsatn());
        if let Some(changed) = changed {
            set_args(message, changed);
            hit = true;
        }
    }
    hit.then(|| encode_client(&messages).ok()).flatten()
}

/// A server's frame with an event changed. `None` where it does not carry the event, or the edit does not apply to it.
pub(super) fn with_rows_edited(
    protocol: Protocol,
    classifier: &Classifier,
    schema: &Schema,
    frame: &[u8],
    edit: &Edit,
) -> Option<Bytes> {
    let how = Compressed::of(*frame.first()?)?;
    let mut messages = decode_server(protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let seen = each_row_list(message, &mut |side, table, list| {
            let changed = side == Side::Inserted
                && table == classifier.shape.events.table
                && edit_list(classifier, schema, list, edit).map_err(|error| WireError::Encode(error.to_string()))?;
            hit |= changed;
            Ok(changed)
        });
        seen.ok()?;
    }
    hit.then(|| encode_server(&messages, how).ok()).flatten()
}

fn edit_list(classifier: &Classifier, schema: &Schema, list: &mut BsatnRowList, edit: &Edit) -> Result<bool, RowError> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut hit = false;
    for bytes in split(EVENT_TABLE, list)? {
        let row = Row::read(schema, EVENT_TABLE, &bytes)?;
        let applies = classifier.applies(edit, &row.text("stream_id")?, Some(Seq(row.number("seq")?)));
        match applies.then(|| edited_row(&row, edit, classifier)).flatten() {
            None => rows.push(bytes.to_vec()),
            Some(edited) => {
                hit = true;
                for row in edited {
                    rows.push(row.write()?);
                }
            }
        }
    }
    if hit {
        *list = join(&rows);
    }
    Ok(hit)
}
