//! The three subprotocols, and what a server message of any of them is made of.
//!
//! A message from the server is a tag byte for its compression and then BSATN; a message from the client is bare BSATN.
//! v3 is v2 with one or more messages in a frame. The types are those of `spacetimedb-client-api-messages`.

#![allow(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2, v3};
use spacetimedb_lib::bsatn::{self, DecodeError};
use spacetimedb_lib::de::Deserialize;
use spacetimedb_lib::ser::Serialize;

use super::compression::{Budget, Compressed};

/// The subprotocol whose messages are those of v1, as JSON text.
pub const JSON_PROTOCOL: &str = v1::TEXT_PROTOCOL;

/// A newer server may have kinds of messages up to this one; today's has ten. Beyond it, a byte is no kind.
const KINDS_MAX: u8 = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    V1,
    V2,
    V3,
}

impl Protocol {
    pub fn of(name: &str) -> Option<Protocol> {
        match name {
            v1::BIN_PROTOCOL => Some(Protocol::V1),
            v2::BIN_PROTOCOL => Some(Protocol::V2),
            v3::BIN_PROTOCOL => Some(Protocol::V3),
            _ => None,
        }
    }
}

pub enum Versioned<V1, V2> {
    V1(V1),
    V2(V2),
    /// The bytes of a message whose kind a newer server may have, with what is behind it in its frame: how long the
    /// message is only its kind tells.
    Newer(Bytes),
}

pub type ServerMessage = Versioned<v1::ServerMessage<v1::BsatnFormat>, v2::ServerMessage>;
pub type ClientMessage = Versioned<v1::ClientMessage<Bytes>, v2::ClientMessage>;

pub(super) enum Asked<'a> {
    Reducer(&'a str, &'a Bytes),
    Queries(&'a [Box<str>]),
    Other,
}

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

/// SpacetimeDB's name of a client's message, and that of the reducer or procedure that it calls.
pub(super) fn names(message: &ClientMessage) -> Vec<String> {
    let (name, called) = match message {
        ClientMessage::V1(message) => match message {
            v1::ClientMessage::CallReducer(call) => ("CallReducer", Some(call.reducer.to_string())),
            v1::ClientMessage::Subscribe(_) => ("Subscribe", None),
            v1::ClientMessage::OneOffQuery(_) => ("OneOffQuery", None),
            v1::ClientMessage::SubscribeSingle(_) => ("SubscribeSingle", None),
            v1::ClientMessage::SubscribeMulti(_) => ("SubscribeMulti", None),
            v1::ClientMessage::Unsubscribe(_) => ("Unsubscribe", None),
            v1::ClientMessage::UnsubscribeMulti(_) => ("UnsubscribeMulti", None),
            v1::ClientMessage::CallProcedure(call) => ("CallProcedure", Some(call.procedure.to_string())),
        },
        ClientMessage::V2(message) => match message {
            v2::ClientMessage::Subscribe(_) => ("Subscribe", None),
            v2::ClientMessage::Unsubscribe(_) => ("Unsubscribe", None),
            v2::ClientMessage::OneOffQuery(_) => ("OneOffQuery", None),
            v2::ClientMessage::CallReducer(call) => ("CallReducer", Some(call.reducer.to_string())),
            v2::ClientMessage::CallProcedure(call) => ("CallProcedure", Some(call.procedure.to_string())),
        },
        ClientMessage::Newer(_) => return Vec::new(),
    };
    std::iter::once(name.to_owned()).chain(called).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("an empty frame")]
    Empty,
    #[error("a frame whose compression tag is {0}; 0, 1 and 2 are known")]
    Tag(u8),
    #[error("a frame whose {kind} bytes can't be inflated: {why}")]
    Inflate { kind: &'static str, why: String },
    #[error("a frame that is no {protocol:?} message: {why}")]
    Decode { protocol: Protocol, why: String },
    #[error("a frame that is no {protocol:?} message: there is no kind {tag}")]
    Kind { protocol: Protocol, tag: u8 },
    #[error("a message that can't be encoded: {0}")]
    Encode(String),
}

/// Reads a server's frame: one message, or in v3 one or more.
pub fn decode_server(protocol: Protocol, frame: &[u8]) -> Result<Vec<ServerMessage>, WireError> {
    let (&tag, rest) = frame.split_first().ok_or(WireError::Empty)?;
    let inflated;
    let bytes = match Compressed::of(tag).ok_or(WireError::Tag(tag))? {
        Compressed::None => rest,
        how => {
            inflated = Budget::default().inflate(how, rest)?;
            &inflated[..]
        }
    };
    decode(protocol, bytes)
}

/// Reads a client's frame: one message, or in v3 one or more.
pub fn decode_client(protocol: Protocol, frame: &[u8]) -> Result<Vec<ClientMessage>, WireError> {
    decode(protocol, frame)
}

fn decode<'de, V1: Deserialize<'de>, V2: Deserialize<'de>>(
    protocol: Protocol,
    mut bytes: &'de [u8],
) -> Result<Vec<Versioned<V1, V2>>, WireError> {
    let mut messages = Vec::new();
    while messages.is_empty() || !bytes.is_empty() {
        let whole = bytes;
        let read = match protocol {
            Protocol::V1 => one(protocol, &mut bytes).map(Versioned::V1),
            Protocol::V2 | Protocol::V3 => one(protocol, &mut bytes).map(Versioned::V2),
        };
        messages.push(match read {
            Err(WireError::Kind { .. }) if whole[0] < KINDS_MAX => {
                bytes = &[];
                Versioned::Newer(Bytes::copy_from_slice(whole))
            }
            read => read?,
        });
        if protocol != Protocol::V3 && !bytes.is_empty() {
            return Err(WireError::Decode { protocol, why: format!("{} bytes are left over", bytes.len()) });
        }
    }
    Ok(messages)
}

pub fn encode_server(messages: &[ServerMessage], how: Compressed) -> Result<Bytes, WireError> {
    let mut frame = vec![how.tag()];
    frame.extend_from_slice(&how.deflate(&encode(messages)?)?);
    Ok(Bytes::from(frame))
}

pub fn encode_client(messages: &[ClientMessage]) -> Result<Bytes, WireError> {
    encode(messages).map(Bytes::from)
}

fn encode<V1: Serialize, V2: Serialize>(messages: &[Versioned<V1, V2>]) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    for message in messages {
        match message {
            Versioned::V1(message) => bsatn::to_writer(&mut bytes, message),
            Versioned::V2(message) => bsatn::to_writer(&mut bytes, message),
            Versioned::Newer(whole) => {
                bytes.extend_from_slice(whole);
                Ok(())
            }
        }
        .map_err(|error| WireError::Encode(error.to_string()))?;
    }
    Ok(bytes)
}

fn one<'de, T: Deserialize<'de>>(protocol: Protocol, bytes: &mut &'de [u8]) -> Result<T, WireError> {
    let before = bytes.len();
    let message = match bsatn::from_reader(bytes) {
        Ok(message) => message,
        // Nothing but the message's own tag was read.
        Err(DecodeError::InvalidTag { tag, .. }) if bytes.len() + 1 == before => {
            return Err(WireError::Kind { protocol, tag });
        }
        Err(error) => return Err(WireError::Decode { protocol, why: error.to_string() }),
    };
    if bytes.len() == before {
        // Every message has a tag, so none is empty; this keeps the callers' loops bounded.
        return Err(WireError::Decode { protocol, why: "an empty message".to_owned() });
    }
    Ok(message)
}

/// Which rows a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Those of a snapshot, or those that a transaction inserts, also into an event table, which does not keep them.
    Inserted,
    Deleted,
}

/// Visits every list of rows that a message brings, with its table's name. The rows that an unsubscribe returns are not
/// visited. `visit` may change the list
/// and returns whether it did; a list of v1 that came compressed is then compressed again.
pub fn each_row_list(message: &mut ServerMessage, visit: Visit<'_>) -> Result<(), WireError> {
    match message {
        ServerMessage::V1(message) => v1_lists(message, visit),
        ServerMessage::V2(message) => v2_lists(message, visit),
        ServerMessage::Newer(_) => Ok(()),
    }
}

type Visit<'a> = &'a mut dyn FnMut(Side, &str, &mut BsatnRowList) -> Result<bool, WireError>;

fn v1_lists(message: &mut v1::ServerMessage<v1::BsatnFormat>, visit: Visit<'_>) -> Result<(), WireError> {
    let tables = match message {
        v1::ServerMessage::InitialSubscription(initial) => &mut initial.database_update.tables[..],
        v1::ServerMessage::SubscribeMultiApplied(applied) => &mut applied.update.tables[..],
        v1::ServerMessage::SubscribeApplied(applied) => std::slice::from_mut(&mut applied.rows.table_rows),
        v1::ServerMessage::TransactionUpdateLight(light) => &mut light.update.tables[..],
        v1::ServerMessage::TransactionUpdate(update) => match &mut update.status {
            v1::UpdateStatus::Committed(update) => &mut update.tables[..],
            v1::UpdateStatus::Failed(_) | v1::UpdateStatus::OutOfEnergy => &mut [],
        },
        _ => &mut [],
    };
    let mut budget = Budget::default();
    for table in tables {
        for update in &mut table.updates {
            let (how, bytes) = match update {
                v1::CompressableQueryUpdate::Uncompressed(update) => {
                    visit(Side::Inserted, &table.table_name, &mut update.inserts)?;
                    visit(Side::Deleted, &table.table_name, &mut update.deletes)?;
                    continue;
                }
                v1::CompressableQueryUpdate::Gzip(bytes) => (Compressed::Gzip, bytes),
                v1::CompressableQueryUpdate::Brotli(bytes) => (Compressed::Brotli, bytes),
            };
            let inflated = budget.inflate(how, bytes)?;
            let mut query: v1::QueryUpdate<v1::BsatnFormat> = one(Protocol::V1, &mut &inflated[..])?;
            let changed = visit(Side::Inserted, &table.table_name, &mut query.inserts)?;
            if visit(Side::Deleted, &table.table_name, &mut query.deletes)? || changed {
                let bare = bsatn::to_vec(&query).map_err(|error| WireError::Encode(error.to_string()))?;
                *bytes = how.deflate(&bare)?;
            }
        }
    }
    Ok(())
}

fn v2_lists(message: &mut v2::ServerMessage, visit: Visit<'_>) -> Result<(), WireError> {
    let transaction = match message {
        v2::ServerMessage::SubscribeApplied(applied) => {
            for table in &mut applied.rows.tables {
                visit(Side::Inserted, &table.table, &mut table.rows)?;
            }
            return Ok(());
        }
        v2::ServerMessage::TransactionUpdate(update) => update,
        v2::ServerMessage::ReducerResult(result) => match &mut result.result {
            v2::ReducerOutcome::Ok(ok) => &mut ok.transaction_update,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    for table in transaction.query_sets.iter_mut().flat_map(|set| &mut set.tables) {
        for rows in &mut table.rows {
            match rows {
                v2::TableUpdateRows::PersistentTable(rows) => {
                    visit(Side::Inserted, &table.table_name, &mut rows.inserts)?;
                    visit(Side::Deleted, &table.table_name, &mut rows.deletes)?;
                }
                v2::TableUpdateRows::EventTable(rows) => {
                    visit(Side::Inserted, &table.table_name, &mut rows.events)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
