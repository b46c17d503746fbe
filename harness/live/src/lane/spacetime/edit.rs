//! Changes to what a SpacetimeDB frame carries: rows are read, changed and written again, uncompressed.

use bytes::Bytes;
use cutover_core::hash::payload_hash;
use cutover_core::ids::{Cursor, StreamId};
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::protocol::{
    ClientMessage, WireError, decode_client, decode_server, each_row_list, encode_client, encode_server,
};
use super::request::{Purpose, RESUME_REDUCER, events_query, read_events_query, read_resume_args, resume_args};
use super::rows::{EVENT_TABLE, EventRow, join, split};
use super::tagger::{Asked, Tagger, asked};
use crate::frame::Edit;

/// A client's frame with another cursor for a stream. `None` where it does not ask for the stream.
pub(super) fn with_cursor(tagger: &Tagger, frame: &[u8], stream: &StreamId, to: Cursor) -> Option<Bytes> {
    let stream_id = tagger.names.candidate(stream)?;
    let mut messages = decode_client(tagger.protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let (request_id, what) = asked(message);
        match what {
            Asked::Reducer(RESUME_REDUCER, args) if Purpose::of(request_id) != Some(Purpose::Heartbeat) => {
                let mut cursors = read_resume_args(args)?;
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

/// A server's frame with an event changed. `None` where it does not carry the event.
pub(super) fn with_rows_edited(tagger: &Tagger, frame: &[u8], edit: &Edit) -> Option<Bytes> {
    let mut messages = decode_server(tagger.protocol, frame).ok()?;
    let mut hit = false;
    for message in &mut messages {
        let seen = each_row_list(message, &mut |table, list| {
            if table == EVENT_TABLE {
                hit |= edit_list(tagger, list, edit).map_err(WireError::Encode)?;
            }
            Ok(())
        });
        seen.ok()?;
    }
    hit.then(|| encode_server(&messages).ok()).flatten()
}

fn edit_list(tagger: &Tagger, list: &mut BsatnRowList, edit: &Edit) -> Result<bool, String> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut hit = false;
    for bytes in split(EVENT_TABLE, list).map_err(|error| error.to_string())? {
        let row = tagger.schema.read(&bytes).map_err(|error| error.to_string())?;
        if !is_it(tagger, &row, edit) {
            rows.push(bytes.to_vec());
            continue;
        }
        hit = true;
        for row in edited_row(tagger, row, edit).ok_or("the edit names a stream that is none of this run's")? {
            rows.push(tagger.schema.write(&row).map_err(|error| error.to_string())?);
        }
    }
    if hit {
        *list = join(&rows);
    }
    Ok(hit)
}

fn is_it(tagger: &Tagger, row: &EventRow, edit: &Edit) -> bool {
    match edit {
        Edit::Cursor { .. } => false,
        Edit::RemoveEvent { stream, seq }
        | Edit::ReplacePayload { stream, seq, .. }
        | Edit::Misdeliver { stream, seq, .. } => {
            tagger.names.candidate(stream) == Some(row.stream_id.as_str()) && row.seq == seq.0
        }
    }
}

/// What stands in the row's place: nothing, another one, or it and a second one.
fn edited_row(tagger: &Tagger, mut row: EventRow, edit: &Edit) -> Option<Vec<EventRow>> {
    match edit {
        Edit::Cursor { .. } => None,
        Edit::RemoveEvent { .. } => Some(Vec::new()),
        Edit::ReplacePayload { payload, .. } => {
            // A payload without a canonical form has no hash to declare.
            row.payload_hash = payload_hash(payload.as_bytes())
                .map(|hash| hash.to_string())
                .unwrap_or_default();
            row.payload.clone_from(payload);
            Some(vec![row])
        }
        Edit::Misdeliver { to_stream, to_seq, .. } => {
            let original = row.clone();
            row.stream_id = tagger.names.candidate(to_stream)?.to_owned();
            row.seq = to_seq.0;
            Some(vec![original, row])
        }
    }
}
