//! Changes to what a SpacetimeDB frame carries: rows are read, changed and written again, compressed as they came.

use bytes::Bytes;
use cutover_core::hash::payload_hash;
use cutover_core::ids::{Cursor, Seq, StreamId};
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::compression::Compressed;
use super::protocol::{
    ClientMessage, WireError, decode_client, decode_server, each_row_list, encode_client, encode_server,
};
use super::publish::Call;
use super::request::{APPEND_REDUCER, RESUME_REDUCER, events_query, read_events_query, read_resume_args, resume_args};
use super::rows::{EVENT_TABLE, EventRow, join, split};
use super::sort::Ask;
use super::tagger::{Asked, Tagger, asked};
use crate::frame::{Edit, FrameTag, pointer};

/// A client's frame with another cursor for a stream. `None` where it does not ask for the stream.
pub(super) fn with_cursor(tagger: &Tagger, frame: &[u8], stream: &StreamId, to: Cursor) -> Option<Bytes> {
    let stream_id = tagger.sorter.names.candidate(stream)?;
    let mut messages = decode_client(tagger.protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let (request_id, what) = asked(message);
        match what {
            Asked::Reducer(RESUME_REDUCER, args) => {
                let mut cursors = read_resume_args(args)?;
                let ask = Ask::Check(Some(cursors.clone()));
                if tagger.sorter.asked(request_id, ask).tag == FrameTag::Heartbeat {
                    continue;
                }
                for (name, cursor) in &mut cursors {
                    if name == stream_id {
                        *cursor = to.0;
                        hit = true;
                    }
                }
                set_args(message, resume_args(&cursors));
            }
            Asked::Queries(queries) => {
                let mut changed: Vec<Box<str>> = queries.to_vec();
                for query in &mut changed {
                    if read_events_query(query).is_some_and(|(name, _)| name == stream_id) {
                        *query = events_query(stream_id, to.0).into_boxed_str();
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

/// A client's frame with a value of what it publishes changed. `None` where it publishes none of that.
pub(super) fn with_publish_edited(tagger: &Tagger, frame: &[u8], edit: &Edit) -> Option<Bytes> {
    let mut messages = decode_client(tagger.protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let (_, Asked::Reducer(APPEND_REDUCER, args)) = asked(message) else {
            continue;
        };
        let changed = Call::of_bsatn(args).and_then(|call| call.edited(&tagger.sorter, edit)?.to_bsatn());
        if let Some(changed) = changed {
            set_args(message, changed);
            hit = true;
        }
    }
    hit.then(|| encode_client(&messages).ok()).flatten()
}

/// A server's frame with an event changed. `None` where it does not carry the event, or the event can't be changed so.
pub(super) fn with_rows_edited(tagger: &Tagger, frame: &[u8], edit: &Edit) -> Option<Bytes> {
    let how = Compressed::of(*frame.first()?)?;
    let mut messages = decode_server(tagger.protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let seen = each_row_list(message, &mut |table, list| {
            let changed = table == EVENT_TABLE && edit_list(tagger, list, edit).map_err(WireError::Encode)?;
            hit |= changed;
            Ok(changed)
        });
        seen.ok()?;
    }
    hit.then(|| encode_server(&messages, how).ok()).flatten()
}

fn edit_list(tagger: &Tagger, list: &mut BsatnRowList, edit: &Edit) -> Result<bool, String> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut hit = false;
    for bytes in split(EVENT_TABLE, list).map_err(|error| error.to_string())? {
        let row = tagger.schema.read(&bytes).map_err(|error| error.to_string())?;
        let edited = match tagger.sorter.means(edit, &row.stream_id, Some(Seq(row.seq))) {
            true => edited_row(tagger, row, edit),
            false => None,
        };
        let Some(edited) = edited else {
            rows.push(bytes.to_vec());
            continue;
        };
        hit = true;
        for row in edited {
            rows.push(tagger.schema.write(&row).map_err(|error| error.to_string())?);
        }
    }
    if hit {
        *list = join(&rows);
    }
    Ok(hit)
}

/// What stands in the row's place: nothing, another one, or it and a second one. `None` where the change does not apply.
fn edited_row(tagger: &Tagger, mut row: EventRow, edit: &Edit) -> Option<Vec<EventRow>> {
    match edit {
        Edit::Cursor { .. } => None,
        Edit::RemoveEvent { .. } => Some(Vec::new()),
        Edit::ReplacePayload { payload, .. } => {
            row.payload_hash = declared(payload);
            row.payload.clone_from(payload);
            Some(vec![row])
        }
        Edit::Misdeliver { to_stream, to_seq, .. } => {
            let original = row.clone();
            row.stream_id = tagger.sorter.names.candidate(to_stream)?.to_owned();
            row.seq = to_seq.0;
            Some(vec![original, row])
        }
        Edit::SetJson { pointer, value, .. } => {
            row.payload = pointer::replaced(&row.payload, pointer, value)?;
            Some(vec![row])
        }
        Edit::SetColumn { column, value, .. } => Some(vec![tagger.schema.with_column(&row, column, value)?]),
    }
}

/// The hash that a payload declares; one without a canonical form has none to declare.
pub(super) fn declared(payload: &str) -> String {
    payload_hash(payload.as_bytes()).map(|hash| hash.to_string()).unwrap_or_default()
}
