//! The requests of this lane: their ids, SQL, and reducers' arguments.
//!
//! A v2 server's answer to a call has only the request's id. So the id says what the request was for: the proxy's
//! tagger sees single frames and keeps no state.

#![allow(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::common::QuerySetId;
use spacetimedb_client_api_messages::websocket::{v1, v2};
use spacetimedb_lib::bsatn;
use spacetimedb_sats::raw_identifier::RawIdentifier;

use super::protocol::{ClientMessage, Protocol};
use crate::lane::refusal::{SPACETIME, said};
use cutover_core::plan::JoinParams;

pub const WINDOW_REDUCER: &str = "set_window";
pub const CLIENT_REDUCER: &str = "check_client";
pub const PRUNE_REDUCER: &str = "prune_stream";
/// A stream that exists in every database of the module, for a heartbeat before any subscription.
pub const KNOWN_STREAM: &str = "runtime.codex.worker.events";

const KINDS: u32 = 8;
/// Ids from here on are those of [`Purpose::Join`]. The ids of the others are as in older recordings.
const JOINS: u32 = 1 << 31;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Check,
    Events,
    Bootstrap,
    /// The subscription to the streams' rows. Its answer ends the resume and has the heads.
    Heads,
    Unsubscribe,
    Heartbeat,
    Checkpoint,
    Join,
}

impl Purpose {
    const NUMBERED: [Purpose; 7] = [
        Purpose::Check,
        Purpose::Events,
        Purpose::Bootstrap,
        Purpose::Heads,
        Purpose::Unsubscribe,
        Purpose::Heartbeat,
        Purpose::Checkpoint,
    ];

    pub fn request_id(self, nth: u32) -> u32 {
        match Purpose::NUMBERED.iter().position(|purpose| *purpose == self) {
            Some(kind) => nth.wrapping_mul(KINDS).wrapping_add(1 + kind as u32) % JOINS,
            None => JOINS | nth,
        }
    }

    /// What the request with this id was for; `None` where it is not this lane's.
    pub fn of(request_id: u32) -> Option<Purpose> {
        if request_id >= JOINS {
            return Some(Purpose::Join);
        }
        let kind = (request_id % KINDS).checked_sub(1)?;
        Purpose::NUMBERED.get(kind as usize).copied()
    }
}

pub fn call(protocol: Protocol, request_id: u32, reducer: &str, args: Bytes) -> ClientMessage {
    match protocol {
        Protocol::V1 => ClientMessage::V1(v1::ClientMessage::CallReducer(v1::CallReducer {
            reducer: RawIdentifier::from(reducer.to_owned()),
            args,
            request_id,
            flags: v1::CallReducerFlags::FullUpdate,
        })),
        Protocol::V2 | Protocol::V3 => ClientMessage::V2(v2::ClientMessage::CallReducer(v2::CallReducer {
            request_id,
            flags: v2::CallReducerFlags::Default,
            reducer: reducer.into(),
            args,
        })),
    }
}

pub fn subscribe(protocol: Protocol, request_id: u32, queries: Vec<String>) -> ClientMessage {
    let query_strings = queries.into_iter().map(String::into_boxed_str).collect();
    let query_set_id = QuerySetId::new(request_id);
    match protocol {
        Protocol::V1 => ClientMessage::V1(v1::ClientMessage::SubscribeMulti(v1::SubscribeMulti {
            query_strings,
            request_id,
            query_id: query_set_id,
        })),
        Protocol::V2 | Protocol::V3 => {
            ClientMessage::V2(v2::ClientMessage::Subscribe(v2::Subscribe { request_id, query_set_id, query_strings }))
        }
    }
}

pub fn unsubscribe(protocol: Protocol, request_id: u32, query_set: u32) -> ClientMessage {
    let query_set_id = QuerySetId::new(query_set);
    match protocol {
        Protocol::V1 => ClientMessage::V1(v1::ClientMessage::UnsubscribeMulti(v1::UnsubscribeMulti {
            request_id,
            query_id: query_set_id,
        })),
        Protocol::V2 | Protocol::V3 => ClientMessage::V2(v2::ClientMessage::Unsubscribe(v2::Unsubscribe {
            request_id,
            query_set_id,
            flags: v2::UnsubscribeFlags::Default,
        })),
    }
}

/// The arguments of a resume: `cursors: Vec<StreamCursor { stream_id: String, resume_after: u64 }>`.
pub fn resume_args(cursors: &[(String, u64)]) -> Bytes {
    Bytes::from(bsatn::to_vec(cursors).unwrap_or_default())
}

pub fn read_resume_args(args: &[u8]) -> Option<Vec<(String, u64)>> {
    let mut rest = args;
    let cursors = bsatn::from_reader(&mut rest).ok()?;
    rest.is_empty().then_some(cursors)
}

/// The arguments of `check_client`. What the client leaves out is blank, or 0.
pub fn client_args(join: &JoinParams) -> Bytes {
    let build = join.build.as_deref().unwrap_or_default();
    let protocol = join.protocol.map(|protocol| said(protocol, SPACETIME)).unwrap_or_default();
    Bytes::from(bsatn::to_vec(&(build, protocol, join.schema.unwrap_or_default())).unwrap_or_default())
}

pub fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub fn whole_query(table: &str) -> String {
    format!("SELECT * FROM {table}")
}

#[cfg(test)]
mod tests;
